//! What Helm's commands ask of a chart before they install it. Its library, which the controllers
//! use, asks nothing of the kind.

use crate::chart::Chart;

/// Why a command does not install a chart. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInstallable {
    /// The chart only lends its templates to others.
    #[error("{kind} charts are not installable")]
    Kind {
        /// What `type` says.
        kind: String,
    },
    /// Charts that `Chart.yaml` lists are not there.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        .names.join(", ")
    )]
    Missing {
        /// The names that are listed.
        names: Vec<String>,
    },
}

impl Chart {
    /// Whether `helm install`, `helm upgrade` and `helm template` would take this chart, as it was
    /// loaded.
    ///
    /// # Errors
    /// If it is a library, or lacks charts that it lists.
    pub fn check_installable(&self) -> Result<(), NotInstallable> {
        if !matches!(self.metadata.kind.as_str(), "" | "application") {
            return Err(NotInstallable::Kind { kind: self.metadata.kind.clone() });
        }
        let is_there = |name: &str| self.dependencies.iter().any(|chart| chart.name() == name);
        let listed = self.metadata.dependencies.iter().flatten().map(|listed| &listed.name);
        let names: Vec<String> = listed.filter(|name| !is_there(name)).cloned().collect();
        if names.is_empty() { Ok(()) } else { Err(NotInstallable::Missing { names }) }
    }
}
