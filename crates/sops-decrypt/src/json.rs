//! JSON with the order of its keys, as Go reads and prints it.

mod print;
mod read;

pub(crate) use print::{float_of_lines, print};
pub(crate) use read::read;
