//! What the object refers to: the source of its chart. Reads the cluster.

use crd_types::Artifact;
use crd_types::helm::HelmRelease;
use crd_types::source::HelmChart;
use kube::ResourceExt as _;

use super::chart_template::{Synced, chart_name};
use super::halt::Halt;
use crate::context::Context;
use crate::sources::{Source, SourceKey, SourceKind, Sourced as _};

/// A source that has something to offer.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedSource {
    pub(crate) kind: SourceKind,
    pub(crate) artifact: Artifact,
}

/// The source that the object refers to, by kind, namespace and name.
pub(crate) fn source_key(hr: &HelmRelease) -> Result<SourceKey, Halt> {
    match (&hr.spec.chart, &hr.spec.chart_ref) {
        (Some(template), None) => {
            let (namespace, name) = chart_name(hr, template);
            Ok(SourceKey { kind: SourceKind::HelmChart, namespace, name })
        }
        (None, Some(reference)) => {
            let Some(kind) = SourceKind::parse(&reference.kind) else {
                return Err(Halt::ChartReference);
            };
            let namespace =
                reference.namespace.clone().unwrap_or_else(|| hr.namespace().unwrap_or_default());
            Ok(SourceKey { kind, namespace, name: reference.name.clone() })
        }
        _ => Err(Halt::ChartReference),
    }
}

/// The artifact that the source advertises now.
pub(super) async fn source(
    hr: &HelmRelease,
    synced: &Synced,
    ctx: &Context,
) -> Result<ResolvedSource, Halt> {
    let key = source_key(hr)?;
    permitted(hr, &key, ctx)?;
    let found = if let Some(written) = &synced.written {
        // A request would bring nothing newer.
        Some(newer(ctx.sources.chart(&key.namespace, &key.name).await, written.clone()))
    } else {
        let found = ctx.sources.get(&key, ctx.settings.direct_source_fetch).await;
        found.map_err(|message| Halt::Source { message })?
    };
    let Some(source) = found else {
        let plural = match key.kind {
            SourceKind::HelmChart => "helmcharts",
            SourceKind::OCIRepository => "ocirepositories",
            SourceKind::ExternalArtifact => "externalartifacts",
        };
        let message = format!("{plural}.source.toolkit.fluxcd.io \"{}\" not found", key.name);
        return Err(Halt::Source { message });
    };
    match offer(key.kind, source) {
        Ok(artifact) => Ok(ResolvedSource { kind: key.kind, artifact }),
        Err(why) => {
            let SourceKey { kind, namespace, name } = key;
            Err(Halt::SourceNotReady { kind: kind.as_str(), namespace, name, why })
        }
    }
}

/// Before any read: the answer must not tell whether the source exists.
fn permitted(hr: &HelmRelease, key: &SourceKey, ctx: &Context) -> Result<(), Halt> {
    let SourceKey { kind, namespace, name } = key;
    let reference = format!("{}/{namespace}/{name}", kind.as_str());
    let foreign = hr.namespace().unwrap_or_default() != *namespace;
    let (denied, external) =
        (ctx.settings.no_cross_namespace_refs, ctx.settings.external_artifacts);
    if foreign && denied {
        let message = format!(
            "cross-namespace references are not allowed: cannot access {} {namespace}/{name}",
            kind.as_str(),
        );
        return Err(Halt::Denied { message });
    }
    if *kind == SourceKind::ExternalArtifact && !external {
        let message =
            format!("can't access '{reference}', ExternalArtifact feature gate is disabled");
        return Err(Halt::Denied { message });
    }
    Ok(())
}

/// Whether the object refers to this source. Asked of all objects at each change of a source, so it
/// must cost nothing.
pub(crate) fn refers_to(hr: &HelmRelease, key: &SourceKey) -> bool {
    let own = hr.metadata.namespace.as_deref().unwrap_or_default();
    let name = hr.metadata.name.as_deref().unwrap_or_default();
    match (&hr.spec.chart, &hr.spec.chart_ref) {
        (Some(template), None) => {
            let rest = key.name.strip_prefix(own).and_then(|rest| rest.strip_prefix('-'));
            key.kind == SourceKind::HelmChart
                && template.spec.source_ref.namespace.as_deref().unwrap_or(own) == key.namespace
                && rest == Some(name)
        }
        (None, Some(reference)) => {
            reference.kind == key.kind.as_str()
                && reference.namespace.as_deref().unwrap_or(own) == key.namespace
                && reference.name == key.name
        }
        _ => false,
    }
}

/// The later one of what the watch knows and what our own write left.
fn newer(known: Option<HelmChart>, written: Source) -> Source {
    let known = known.map(|chart| chart.source());
    known.filter(|known| known.generation >= written.generation).unwrap_or(written)
}

/// The artifact of a source, or why it is not to be used. Pure.
///
/// Flux: a source that is not ready but has an artifact of its present generation will do
/// (`isSourceReady`).
fn offer(kind: SourceKind, source: Source) -> Result<Artifact, String> {
    if kind != SourceKind::ExternalArtifact {
        if source.generation != source.observed_generation {
            return Err(match source.ready.filter(|ready| ready.status == "False") {
                Some(ready) => ready.message,
                None => "latest generation of object has not been reconciled".to_owned(),
            });
        }
        if let Some(stalled) = source.stalled.filter(|stalled| stalled.status == "True") {
            return Err(stalled.message);
        }
    }
    source.artifact.ok_or_else(|| "does not have an artifact".to_owned())
}
