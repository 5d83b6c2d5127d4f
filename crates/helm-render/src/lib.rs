//! Helm charts rendered as Helm renders them.
//!
//! [`render`] takes a chart, a user's values, a release and what the cluster offers, and returns
//! manifests in the order in which they are installed, hooks and notes. Nothing is read from a
//! cluster, a network or a clock unless the caller hands it in.
//!
//! Helm 4.2 is the model, in output and in the words of errors; `Options::rules` has Helm 3's
//! where charts come out differently.

mod cache;
mod capabilities;
mod engine;
mod error;
mod exec_error;
mod functions;
mod hook;
mod kind_order;
mod manifest;
mod objects;
mod post_render;
mod print;
mod render;
mod scope;

pub use cache::TemplateCache;
pub use capabilities::{Capabilities, HelmVersion, KubeVersion, KubeVersionError};
pub use error::Error;
pub use exec_error::TemplateError;
pub use hook::{Hook, HookEvent};
pub use kind_order::{INSTALL_ORDER, UNINSTALL_ORDER};
pub use manifest::{Manifest, ManifestError, split};
pub use post_render::PostRender;
pub use print::template_output;
pub use render::{Options, Release, Rendered, render, templates};
