//! The objects that templates find: `.Values`, `.Files`, `.Capabilities`, `.Chart`.

mod capabilities;
mod chart;
mod files;
mod glob;
mod values;

pub(crate) use capabilities::capabilities;
pub(crate) use chart::chart;
pub(crate) use files::Files;
pub(crate) use values::Values;
