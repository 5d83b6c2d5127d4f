//! Alerts: which events are told to whom.

mod admission;
pub(crate) mod options;
pub(crate) mod rules;
pub(crate) mod template;

use std::sync::{Arc, PoisonError, RwLock};

use crd_types::notification::Alert;
use reconcile_loop::program::Runtime;

pub(crate) use admission::Alerts;

use crate::watched::Watched;
use rules::Rules;

/// The rules of all alerts, compiled anew when one changes.
#[derive(Debug)]
pub(crate) struct AlertRules {
    alerts: Watched<Alert>,
    compiled: RwLock<(u64, Arc<Rules>)>,
}

impl AlertRules {
    /// Watches the alerts until the process ends.
    pub(crate) fn start(runtime: &Runtime) -> Self {
        Self { alerts: Watched::start(runtime), compiled: RwLock::default() }
    }

    /// Comes back when all alerts are known.
    pub(crate) async fn complete(&self) {
        self.alerts.complete().await;
    }

    /// The rules as the alerts are now.
    pub(crate) fn current(&self) -> Arc<Rules> {
        let version = self.alerts.version();
        let (of, known) = self.compiled.read().unwrap_or_else(PoisonError::into_inner).clone();
        if of == version {
            return known;
        }
        let compiled = Arc::new(Rules::compile(self.alerts.store().state()));
        *self.compiled.write().unwrap_or_else(PoisonError::into_inner) =
            (version, Arc::clone(&compiled));
        compiled
    }
}
