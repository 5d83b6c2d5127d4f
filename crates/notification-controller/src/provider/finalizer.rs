//! Providers carry a finalizer while they exist, as with Flux. A Provider has no status.

use std::sync::Arc;

use crd_types::notification::Provider;
use reconcile_loop::controller::{Finalized, Reconciler};
use reconcile_loop::requeue::Next;

/// Keeps the finalizers of Providers, which the frame does. What was counted of a Provider goes when
/// the watch says that it is gone.
#[derive(Debug)]
pub(crate) struct Providers;

impl Reconciler for Providers {
    type Kind = Provider;

    async fn reconcile(&self, _: Arc<Provider>) -> Next {
        Next::Await
    }

    async fn finalize(&self, _: Arc<Provider>) -> Finalized {
        Finalized::Gone
    }
}
