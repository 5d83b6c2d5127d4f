//! Sections of `name = value`, as the library of sops (`gopkg.in/ini.v1`) reads and prints them.

mod print;
mod read;

pub(crate) use print::print;
pub(crate) use read::read;

/// The section without a header.
const DEFAULT: &str = "DEFAULT";

/// What separates a name from its value.
const DELIMITERS: [char; 2] = ['=', ':'];
