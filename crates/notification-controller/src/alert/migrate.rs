//! Alerts of old carry a finalizer; it goes. Nothing else is reconciled: an Alert has no status.

use std::sync::Arc;

use crd_types::notification::Alert;
use kube::ResourceExt as _;
use reconcile_loop::controller::{Finalized, Reconciler, api_error};
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::program::Runtime;
use reconcile_loop::requeue::Next;
use reconcile_loop::status::{FINALIZER, Write, Writer};

/// Takes the finalizer away from Alerts.
#[derive(Debug)]
pub(crate) struct Alerts {
    pub(crate) runtime: Runtime,
    pub(crate) writer: Arc<Writer<Alert>>,
}

impl Reconciler for Alerts {
    type Kind = Alert;

    fn finalizes(&self, _: &Alert) -> bool {
        false
    }

    async fn reconcile(&self, mut alert: Arc<Alert>) -> Next {
        if !alert.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
            return Next::Await;
        }
        if alert.spec.suspend {
            tracing::info!("reconciliation is suspended for this object");
            return Next::Await;
        }
        match self.writer.remove_finalizer(&mut alert).await {
            Ok(Write::Unchanged) => Next::Await,
            Ok(Write::Written) => {
                let message = "removed finalizer from Alert to migrate to static Alert";
                tracing::info!("{message}");
                let event = Event::new(Severity::Info, "Migration", message);
                self.runtime.events.publish(&*alert, event).await;
                Next::Await
            }
            Err(error) => Next::Backoff { error: api_error(&error) },
        }
    }

    async fn finalize(&self, _: Arc<Alert>) -> Finalized {
        Finalized::Gone
    }
}
