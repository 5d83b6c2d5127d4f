//! Semantic versions and version ranges as `Masterminds/semver` v3.5 reads them.
//!
//! Helm, Flux's chart and tag selection, and sprig's `semver` functions all go through that
//! library, and it is laxer than the specification: `1.2`, `v1` and `01` are versions, a range
//! without a pre-release never matches one, and `*-0` matches everything.
//!
//! ```
//! use semver_range::{Constraint, Version};
//!
//! let range = Constraint::parse(">=1.2, <2 || ^3.0.0-0")?;
//! assert!(range.check(&Version::parse("v1.9")?));
//! assert!(range.check(&Version::parse("3.1.0-rc.1")?));
//! assert!(!range.check(&Version::parse("1.9.0-rc.1")?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod constraint;
mod version;

pub use constraint::{Constraint, ConstraintError, Reason};
pub use version::{Version, VersionError};
