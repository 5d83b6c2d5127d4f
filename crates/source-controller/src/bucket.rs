//! Buckets, which are not read yet: they say so, instead of being left without a word.
//!
//! What another controller offers of one is good enough for charts.

use std::sync::Arc;

use crd_types::{
    conditions::{READY, RECONCILING, STALLED},
    metadata::REQUESTED_AT,
    source::{Bucket, BucketStatus},
};
use jiff::Timestamp;
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use reconcile_loop::{
    conditions::{Conditions, Status},
    controller::{Finalized, Reconciler, api_error},
    requeue::Next,
};

use crate::{context::Context, helm_chart::origin::wake_charts_of};

/// Answers objects of the kind `Bucket`.
#[derive(Debug)]
pub(crate) struct Buckets(pub(crate) Arc<Context>);

impl Reconciler for Buckets {
    type Kind = Bucket;

    async fn reconcile(&self, mut object: Arc<Bucket>) -> Next {
        let status = stalled(&object, Timestamp::now());
        match self.0.buckets.writer.status(&mut object, &status).await {
            Ok(_) => Next::Await,
            Err(error) => Next::Backoff { error: api_error(&error) },
        }
    }

    /// There is nothing of ours to clean up, but a finalizer that Flux may have left must go.
    async fn finalize(&self, _: Arc<Bucket>) -> Finalized {
        Finalized::Gone
    }

    fn finalizes(&self, _: &Bucket) -> bool {
        false
    }

    /// Wakes the charts of an artifact that somebody else has made.
    fn seen(&self, key: &ObjectRef<Bucket>) {
        let Some(bucket) = self.0.buckets.objects.get(key) else { return };
        let artifact = bucket.status.as_ref().and_then(|status| status.artifact.as_ref());
        if let Some(artifact) = artifact {
            wake_charts_of(&*bucket, &artifact.revision, &self.0);
        }
    }
}

fn stalled(object: &Bucket, now: Timestamp) -> BucketStatus {
    let mut status = object.status.clone().unwrap_or_default();
    let generation = object.metadata.generation;
    let message = "Bucket is not supported yet".to_owned();
    let mut conditions =
        Conditions::resume(&status.conditions, generation.unwrap_or_default(), now);
    conditions.remove(RECONCILING);
    conditions.set(STALLED, Status::True, "UnsupportedKind", message.clone());
    conditions.set(READY, Status::False, "UnsupportedKind", message);
    status.conditions = conditions.into_list();
    status.observed_generation = generation;
    if let Some(token) = object.annotations().get(REQUESTED_AT) {
        status.last_handled_reconcile_at = Some(token.clone());
    }
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
