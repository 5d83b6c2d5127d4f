//! Alerts: which events are told to whom.

mod admission;
pub(crate) mod options;
pub(crate) mod rules;
pub(crate) mod template;

use std::sync::Arc;

use crd_types::notification::Alert;
use reconcile_loop::program::Runtime;

pub(crate) use admission::Alerts;

use crate::watched::{Derived, Watched};
use rules::Rules;

/// The rules of all alerts, compiled anew when one changes.
#[derive(Debug)]
pub(crate) struct AlertRules {
    alerts: Watched<Alert>,
    compiled: Derived<Rules>,
}

impl AlertRules {
    /// Watches the alerts until the process ends.
    pub(crate) fn start(runtime: &Runtime) -> Self {
        Self { alerts: Watched::start(runtime, |_| {}), compiled: Derived::default() }
    }

    /// Comes back when all alerts are known.
    pub(crate) async fn complete(&self) {
        self.alerts.complete().await;
    }

    /// The rules as the alerts are now.
    pub(crate) fn current(&self) -> Arc<Rules> {
        self.compiled.of(&self.alerts, Rules::compile)
    }
}
