//! Where the chart of an object comes from.

use std::sync::Arc;

use artifact::store::ArtifactPath;
use crd_types::{
    Artifact,
    conditions::FETCH_FAILED,
    source::{Bucket, GROUP, GitRepository, HelmChart, HelmRepository},
};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use reconcile_loop::status::FluxKind;

use crate::{
    context::Context,
    helm_repository::access::is_oci,
    source::{
        Source as _, Stop,
        conclude::{Retry, Told},
    },
};

/// Where a chart comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A repository with an index, and the artifact that has it.
    Index(Arc<HelmRepository>, Artifact),
    /// A registry.
    Registry(Arc<HelmRepository>),
    /// The artifact of a source tree.
    Tree(Artifact),
    /// The artifact of a bucket that another controller serves.
    Remote(Artifact),
}

/// Looks the source up.
///
/// # Errors
/// If there is none, or it has no artifact that is whole here.
pub(super) fn resolve(chart: &HelmChart, ctx: &Context) -> Result<Origin, Stop> {
    let reference = &chart.spec.source_ref;
    let (kind, name) = (reference.kind.as_str(), reference.name.as_str());
    let namespace = chart.namespace().unwrap_or_default();
    match kind {
        "HelmRepository" => {
            let lp = HelmRepository::of(ctx);
            let key = ObjectRef::new(name).within(&namespace);
            let found = lp.objects.get(&key).ok_or_else(|| absent(kind, name))?;
            let found = lp.writer.newest(found);
            if is_oci(&found) {
                return Ok(Origin::Registry(found));
            }
            let artifact = whole(kind, name, found.artifact(), ctx)?;
            Ok(Origin::Index(found, artifact))
        }
        "GitRepository" => {
            let lp = GitRepository::of(ctx);
            let key = ObjectRef::new(name).within(&namespace);
            let found = lp.objects.get(&key).ok_or_else(|| absent(kind, name))?;
            let found = lp.writer.newest(found);
            Ok(Origin::Tree(whole(kind, name, found.artifact(), ctx)?))
        }
        "Bucket" => {
            let key = ObjectRef::<Bucket>::new(name).within(&namespace);
            let found = ctx.buckets.objects.get(&key).ok_or_else(|| absent(kind, name))?;
            let artifact = found.status.as_ref().and_then(|status| status.artifact.clone());
            let artifact = artifact.ok_or_else(|| without_artifact(kind, name))?;
            // Differs: Flux has all sources in the storage of one controller.
            if is_here(&artifact, ctx) {
                return Ok(Origin::Tree(artifact));
            }
            Ok(Origin::Remote(artifact))
        }
        other => Err(unsupported(other)),
    }
}

/// The charts of a namespace that come from a source.
pub(crate) fn charts_of(
    kind: &str,
    (namespace, name): (&str, &str),
    ctx: &Context,
) -> Vec<Arc<HelmChart>> {
    let is_of = |chart: &Arc<HelmChart>| {
        let reference = &chart.spec.source_ref;
        reference.kind == kind
            && reference.name == name
            && chart.metadata.namespace.as_deref() == Some(namespace)
    };
    HelmChart::of(ctx).objects.state().into_iter().filter(is_of).collect()
}

/// Wakes the charts that were made of another revision of a source.
pub(crate) fn wake_charts_of<K: FluxKind>(source: &K, revision: &str, ctx: &Context) {
    let kind = K::kind(&());
    let metadata = source.meta();
    let (Some(namespace), Some(name)) = (&metadata.namespace, &metadata.name) else { return };
    for chart in charts_of(&kind, (namespace, name), ctx) {
        let status = chart.status.as_ref();
        let observed = status.and_then(|it| it.observed_source_artifact_revision.as_deref());
        if observed != Some(revision) {
            HelmChart::of(ctx).trigger.reconcile(ObjectRef::from_obj(&*chart));
        }
    }
}

/// Wakes the charts of a registry, which has no revision that could tell of a change.
pub(crate) fn wake_charts_of_registry(repository: &HelmRepository, ctx: &Context) {
    let metadata = &repository.metadata;
    let (Some(namespace), Some(name)) = (&metadata.namespace, &metadata.name) else { return };
    for chart in charts_of("HelmRepository", (namespace, name), ctx) {
        HelmChart::of(ctx).trigger.reconcile(ObjectRef::from_obj(&*chart));
    }
}

fn whole(
    kind: &str,
    name: &str,
    artifact: Option<Artifact>,
    ctx: &Context,
) -> Result<Artifact, Stop> {
    artifact.filter(|it| is_here(it, ctx)).ok_or_else(|| without_artifact(kind, name))
}

/// Whether an artifact is in our own storage.
fn is_here(artifact: &Artifact, ctx: &Context) -> bool {
    ArtifactPath::parse(&artifact.path).is_some_and(|path| ctx.store.has(&path))
}

fn absent(kind: &str, name: &str) -> Stop {
    let message = format!("failed to get source: {kind}.{GROUP} \"{name}\" not found");
    Stop::new(FETCH_FAILED, "SourceUnavailable", message, Retry::Backoff)
}

fn without_artifact(kind: &str, name: &str) -> Stop {
    let message = format!("no artifact available for {kind} source '{name}'");
    Stop::new(FETCH_FAILED, "NoSourceArtifact", message, Retry::Wait)
}

fn unsupported(kind: &str) -> Stop {
    let message = format!("unsupported source kind '{kind}'");
    let told =
        Told { reason: "SourceUnavailable", message: format!("failed to get source: {message}") };
    Stop {
        reason: "UnsupportedSourceKind",
        message,
        blame: Some((FETCH_FAILED, told)),
        retry: Retry::Edit,
    }
}
