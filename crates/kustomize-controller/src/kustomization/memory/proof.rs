//! What proves that a run is not needed: one with the same basis ended well.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;

use super::super::evidence::Evidence;
use super::Memory;

/// How many intervals in a row may pass on proof alone before everything is checked again, because
/// defaults and webhooks of the API server can change without any object moving.
pub(in super::super) const PROOFS_IN_A_ROW: u32 = 9;

/// What a run depends on. A run with equal inputs would do the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Basis {
    pub(crate) uid: Option<String>,
    pub(crate) generation: Option<i64>,
    pub(crate) requested_at: Option<String>,
    pub(crate) own_annotations: Vec<(String, String)>,
    pub(crate) revision: String,
    pub(crate) artifact_digest: String,
    pub(crate) inputs_digest: String,
}

impl Basis {
    /// Whether this is about another revision, and for the rest the same.
    fn is_another_revision_of(&self, other: &Self) -> bool {
        let Self { revision, artifact_digest, .. } = other.clone();
        self.revision != revision && Self { revision, artifact_digest, ..self.clone() } == *other
    }
}

/// A run that ended well, and how often it has been relied on since.
#[derive(Debug)]
pub(super) struct Verified {
    basis: Basis,
    evidence: Option<Arc<Evidence>>,
    relied_on: u32,
}

impl Memory {
    /// Whether a run with this basis has ended well and may be relied on once more.
    pub(crate) fn proves(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: &Basis,
        interval: Duration,
    ) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let verified = all.get_mut(key).and_then(|remembered| remembered.verified.as_mut());
        match verified {
            Some(verified) if verified.basis == *basis => {
                verified.relied_on += 1;
                let is_old = verified.evidence.as_ref().is_some_and(|it| it.is_old(interval));
                verified.relied_on <= PROOFS_IN_A_ROW && !is_old
            }
            _ => false,
        }
    }

    /// What the last run was made of, and the revision it was about, if it ended well and this
    /// basis differs from its own in the revision alone.
    pub(crate) fn evidence(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: &Basis,
        interval: Duration,
    ) -> Option<(String, Arc<Evidence>)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let verified = all.get(key)?.verified.as_ref()?;
        let evidence = verified.evidence.as_ref().filter(|it| !it.is_old(interval))?;
        let stands = basis.is_another_revision_of(&verified.basis);
        stands.then(|| (verified.basis.revision.clone(), Arc::clone(evidence)))
    }

    /// A run with this basis ended well.
    pub(crate) fn verify(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: Basis,
        evidence: Option<Arc<Evidence>>,
    ) {
        self.with(key, |remembered| {
            remembered.verified = Some(Verified { basis, evidence, relied_on: 0 });
        });
    }

    /// A full run begins: until it ends well, nothing is proven.
    pub(crate) fn distrust(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| remembered.verified = None);
    }
}
