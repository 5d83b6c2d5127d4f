//! Go's RE2 regular expressions on the regex crate.
