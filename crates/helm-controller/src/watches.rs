//! What wakes a HelmRelease besides its own change: sources, and what values come from.

use crd_types::conditions::{READY, RECONCILING};
use crd_types::helm::HelmRelease;
use kube::runtime::reflector::{ObjectRef, Store};
use reconcile_loop::conditions::{find, is_true};

use crate::helm_release::memory::{Basis, Cause};
use crate::helm_release::resolve::refers_to;
use crate::sources::{Source, SourceKey, SourceKind};

/// Answers every change of a source with the HelmReleases that have not tried its chart.
///
/// Flux: one that is ready or under way, and has tried this revision, is left alone.
/// Differs: a source that has nothing to offer yet counts too, so that the message is the present
/// one; not with `artifacts_only`, which is Flux's way.
pub(crate) fn on_source(
    store: Store<HelmRelease>,
    wake: impl Fn(ObjectRef<HelmRelease>, &SourceKey, &Source) + Clone + Send + Sync + 'static,
    artifacts_only: bool,
) -> impl Fn(&SourceKey, &Source) + Clone + Send + Sync + 'static {
    move |key, source| {
        tracing::debug!(?key, "a source changed");
        if artifacts_only && source.artifact.is_none() {
            return;
        }
        for hr in &store.state() {
            if refers_to(hr, key) && !(settled(hr) && has_tried(hr, key, source)) {
                wake(ObjectRef::from_obj(&**hr), key, source);
            }
        }
    }
}

/// Whether the object waits for nothing that a source could bring.
fn settled(hr: &HelmRelease) -> bool {
    let conditions = hr.status.as_ref().map_or(&[][..], |status| &status.conditions);
    let lacks_source = find(conditions, READY)
        .is_some_and(|ready| matches!(ready.reason.as_str(), "SourceNotReady" | "ArtifactFailed"));
    is_true(conditions, READY) || (is_true(conditions, RECONCILING) && !lacks_source)
}

fn has_tried(hr: &HelmRelease, key: &SourceKey, source: &Source) -> bool {
    let Some(status) = &hr.status else { return false };
    let (version, digest) =
        (&status.last_attempted_revision, &status.last_attempted_revision_digest);
    offers(key, source, version.as_deref(), digest.as_deref())
}

/// Whether a source offers the chart of this version, or this digest in a registry.
fn offers(key: &SourceKey, source: &Source, version: Option<&str>, digest: Option<&str>) -> bool {
    let tried = match key.kind {
        SourceKind::HelmChart => version,
        SourceKind::OCIRepository | SourceKind::ExternalArtifact => digest,
    };
    let (Some(tried), Some(artifact)) = (tried, &source.artifact) else { return false };
    artifact.revision == tried || artifact.revision.ends_with(&format!("@{tried}"))
}

/// That a source offers something else than actions under way are made of.
pub(crate) fn cause(key: &SourceKey, source: &Source, basis: &Basis) -> Option<Cause> {
    let (version, digest) = (&basis.wanted.chart_version, basis.oci_digest.as_deref());
    let is_new = source.artifact.is_some() && !offers(key, source, Some(version), digest);
    is_new.then(|| Cause {
        kind: key.kind.as_str(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    })
}
