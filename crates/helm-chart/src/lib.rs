//! Helm charts: loading, dependencies, values. Rendering is `helm-render`.
//!
//! A chart comes from an [`archive`] or a [`directory`], is checked while it is loaded, and is then
//! a value. What a release asks for changes it: [`dependencies::process`] drops disabled sub-charts
//! and imports values, [`values::coalesce`] lays the user's values over the charts' defaults,
//! [`schema::validate`] checks the result.
//!
//! Helm 4.2 is the model. Where Helm 3 differs in what it renders, [`Rules`] chooses.

pub mod archive;
pub mod chart;
pub mod dependencies;
pub mod directory;
#[cfg(feature = "disk")]
pub mod disk;
mod document;
mod ignore;
pub mod index;
mod installable;
mod load;
pub mod metadata;
pub mod name;
mod quote;
pub mod schema;
pub mod values;

pub use chart::{Chart, ChartFile};
pub use installable::NotInstallable;
pub use load::LoadError;
pub use metadata::{Dependency, Lock, Maintainer, Metadata};

/// Whose rules are followed where Helm 3 and Helm 4 make different manifests of one chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// Helm 3.22: a null among a chart's defaults stays, `.Chart` is a struct.
    Helm3,
    /// Helm 4.2: a null among a chart's defaults is no value, `.Chart` is a map.
    #[default]
    Helm4,
}
