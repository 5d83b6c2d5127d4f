//! What the object refers to: its source. Reads the cluster.

use std::time::Duration;

use crd_types::Artifact;
use crd_types::kustomize::Kustomization;
use kube::ResourceExt as _;

use super::halt::Halt;
use crate::context::Context;
use crate::sources::{SourceKey, SourceKind};

/// A source that has something to offer.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedSource {
    pub(crate) artifact: Artifact,
}

/// How long until a source without an artifact is looked at again, at the latest.
///
/// Flux: the text says the delay of dependencies, whatever the delay is.
pub(crate) fn retry_in(ctx: &Context) -> Duration {
    ctx.runtime.flags.requeue_dependency
}

/// The source that the object refers to, by kind, namespace and name.
pub(crate) fn source_key(ks: &Kustomization) -> Result<SourceKey, Halt> {
    let reference = &ks.spec.source_ref;
    let own = ks.namespace().unwrap_or_default();
    let namespace = reference.namespace.clone().unwrap_or(own);
    let Some(kind) = SourceKind::parse(&reference.kind) else {
        let message = format!("source `{}` kind not supported", reference.kind);
        return Err(Halt::Stalled { reason: "InvalidSpec", message });
    };
    Ok(SourceKey { kind, namespace, name: reference.name.clone() })
}

/// The artifact that the source advertises now.
pub(super) async fn source(ks: &Kustomization, ctx: &Context) -> Result<ResolvedSource, Halt> {
    let key = source_key(ks)?;
    let SourceKey { kind, namespace, name } = &key;
    let foreign = ks.namespace().unwrap_or_default() != *namespace;
    let reference = || {
        let place = if foreign { format!("{namespace}/") } else { String::new() };
        format!("{}/{place}{name}", kind.as_str())
    };
    // Before any read: the answer must not tell whether the source exists.
    if foreign && ctx.settings.no_cross_namespace_refs {
        return Err(denied(&format!(
            "can't access '{}', cross-namespace references have been blocked",
            reference()
        )));
    }
    if *kind == SourceKind::ExternalArtifact && !ctx.settings.external_artifacts {
        return Err(denied(&format!(
            "can't access '{}', ExternalArtifact feature gate is disabled",
            reference()
        )));
    }
    let found = ctx.sources.artifact(&key).await.map_err(|message| Halt::SourceUnreadable {
        namespace: namespace.clone(),
        name: name.clone(),
        message,
    })?;
    match found {
        Some(Some(artifact)) => Ok(ResolvedSource { artifact }),
        Some(None) => Err(Halt::NoArtifact { retry_in: retry_in(ctx) }),
        None => {
            tracing::info!("Source '{}' not found", reference());
            Err(Halt::SourceNotFound { kind: kind.as_str().to_owned(), name: name.clone() })
        }
    }
}

fn denied(message: &str) -> Halt {
    Halt::Stalled { reason: "AccessDenied", message: message.to_owned() }
}
