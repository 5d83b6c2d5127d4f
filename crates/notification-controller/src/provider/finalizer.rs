//! Providers carry a finalizer while they exist, as with Flux. A Provider has no status.

use std::sync::Arc;

use crd_types::notification::Provider;
use reconcile_loop::controller::{Finalized, Reconciler};
use reconcile_loop::requeue::Next;

use crate::context::Context;

/// Keeps the finalizers of Providers, which the frame does. Of a Provider only what was counted
/// outlives it.
#[derive(Debug)]
pub(crate) struct Providers {
    pub(crate) ctx: Arc<Context>,
}

impl Reconciler for Providers {
    type Kind = Provider;

    async fn reconcile(&self, _: Arc<Provider>) -> Next {
        Next::Await
    }

    async fn finalize(&self, provider: Arc<Provider>) -> Finalized {
        self.ctx.token_uses.forget(&provider);
        Finalized::Gone
    }
}
