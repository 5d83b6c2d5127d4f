//! What happens to an Alert when it is new or changed: what is wrong with its options is told, and the
//! finalizer that Alerts of old carry goes. An Alert has no status, so it is told by events.

use std::sync::Arc;

use crd_types::metadata::FINALIZER;
use crd_types::notification::Alert;
use kube::ResourceExt as _;
use reconcile_loop::chain;
use reconcile_loop::controller::{Finalized, Reconciler, api_error};
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::program::Runtime;
use reconcile_loop::requeue::Next;
use reconcile_loop::status::{Write, Writer};

use super::options::Options;

/// Looks at Alerts as they come.
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

    async fn reconcile(&self, alert: Arc<Alert>) -> Next {
        for invalid in Options::of(&alert).1 {
            let message = chain(&invalid);
            tracing::error!("{message}");
            let event = Event::new(Severity::Error, "InvalidConfig", message);
            self.runtime.events.publish(&*alert, event).await;
        }
        self.migrate(alert).await
    }

    async fn finalize(&self, _: Arc<Alert>) -> Finalized {
        Finalized::Gone
    }
}

impl Alerts {
    /// Takes the finalizer away.
    async fn migrate(&self, mut alert: Arc<Alert>) -> Next {
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
}
