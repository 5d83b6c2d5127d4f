//! Which files of a source stay out of its artifact.
//!
//! Flux: the rules look like gitignore's but follow go-git's matcher, which differs from git: a
//! file below an excluded directory can be included again, `/**` excludes nothing, and a pattern
//! with a slash matches everything below what it names. [`Pattern`] says how in detail.
//!
//! Three layers decide, the last that has an opinion wins: what version control leaves behind
//! ([`Base`]), the `.sourceignore` files of the tree (the deeper one wins) and `spec.ignore`.

mod base;
mod pattern;
mod rules;
mod segment;

pub use base::Base;
pub use pattern::Pattern;
pub use rules::{Rules, RulesBuilder, TooManyPatterns};

/// The name of the files that hold rules for the directory they stand in.
pub const FILE_NAME: &str = ".sourceignore";
