//! One file per action.

pub(crate) mod apply;
mod carry_out;
mod client_side;
pub(crate) mod crds;
pub(crate) mod drift;
pub(crate) mod install;
mod prune;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod run;
pub(crate) mod test;
pub(crate) mod uninstall;
pub(crate) mod unlock;
pub(crate) mod upgrade;
