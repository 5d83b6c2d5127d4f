//! The objects that templates find: `.Files`, `.Capabilities`, `.Chart`.

mod capabilities;
mod chart;
mod files;
mod glob;

pub(crate) use capabilities::capabilities;
pub(crate) use chart::chart;
pub(crate) use files::Files;
