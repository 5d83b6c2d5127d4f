//! Kinds that are not built yet: their objects say so, instead of being left without a word.

use std::{marker::PhantomData, sync::Arc};

use crd_types::{
    Condition,
    conditions::{READY, RECONCILING, STALLED},
    metadata::REQUESTED_AT,
    source::{Bucket, BucketStatus},
};
use jiff::Timestamp;
use kube::{Resource, ResourceExt as _, core::object::HasStatus};
use reconcile_loop::{
    conditions::{Conditions, Status},
    controller::{Controller, Finalized, Reconciler, api_error},
    program::Runtime,
    requeue::Next,
    status::{FluxKind, Writer},
};

use crate::NAME;

/// What the statuses of all sources have.
trait Common {
    fn conditions(&mut self) -> &mut Vec<Condition>;
    fn observe(&mut self, generation: Option<i64>, requested_at: Option<&String>);
}

macro_rules! common {
    ($($status:ty),*) => { $(
        impl Common for $status {
            fn conditions(&mut self) -> &mut Vec<Condition> {
                &mut self.conditions
            }

            fn observe(&mut self, generation: Option<i64>, requested_at: Option<&String>) {
                self.observed_generation = generation;
                if let Some(token) = requested_at {
                    self.last_handled_reconcile_at = Some(token.clone());
                }
            }
        }
    )* };
}

common!(BucketStatus);

/// Answers the objects of one kind.
#[derive(Debug)]
struct Unsupported<K: FluxKind> {
    writer: Arc<Writer<K>>,
    _kind: PhantomData<K>,
}

/// Answers the objects of all kinds that are not built yet, until the process ends.
pub(crate) async fn answer_all(runtime: &Runtime) {
    answer::<Bucket>(runtime).await;
}

async fn answer<K>(runtime: &Runtime)
where
    K: FluxKind + HasStatus<Status: Common + Clone + Default + Send + Sync>,
{
    let writer = Arc::new(Writer::new(runtime.client.clone(), NAME));
    let reconciler = Unsupported { writer: Arc::clone(&writer), _kind: PhantomData };
    Controller::<K>::default().run(runtime.clone(), writer, Arc::new(reconciler), 1).await;
}

impl<K> Reconciler for Unsupported<K>
where
    K: FluxKind + HasStatus<Status: Common + Clone + Default + Send + Sync>,
{
    type Kind = K;

    async fn reconcile(&self, mut object: Arc<K>) -> Next {
        let status = stalled(&*object, Timestamp::now());
        match self.writer.status(&mut object, &status).await {
            Ok(_) => Next::Await,
            Err(error) => Next::Backoff { error: api_error(&error) },
        }
    }

    /// There is nothing of ours to clean up, but a finalizer that Flux may have left must go.
    async fn finalize(&self, _: Arc<K>) -> Finalized {
        Finalized::Gone
    }

    fn finalizes(&self, _: &K) -> bool {
        false
    }
}

fn stalled<K>(object: &K, now: Timestamp) -> K::Status
where
    K: Resource<DynamicType = ()> + HasStatus<Status: Common + Clone + Default>,
{
    let mut status = object.status().cloned().unwrap_or_default();
    let generation = object.meta().generation;
    let message = format!("{} is not supported yet", K::kind(&()));
    let mut conditions =
        Conditions::resume(status.conditions(), generation.unwrap_or_default(), now);
    conditions.remove(RECONCILING);
    conditions.set(STALLED, Status::True, "UnsupportedKind", message.clone());
    conditions.set(READY, Status::False, "UnsupportedKind", message);
    *status.conditions() = conditions.into_list();
    status.observe(generation, object.annotations().get(REQUESTED_AT));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_told_once() {
        let mut object = Bucket::new("b", crd_types::source::BucketSpec::default());
        object.metadata.generation = Some(3);
        let status = stalled(&object, Timestamp::UNIX_EPOCH);
        assert_eq!(status.observed_generation, Some(3));
        assert_eq!(status.conditions[0].message, "Bucket is not supported yet");
        object.status = Some(status.clone());
        assert_eq!(stalled(&object, Timestamp::MAX), status);
    }
}
