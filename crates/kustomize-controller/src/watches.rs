//! What wakes a Kustomization besides its own change: sources, inputs, objects that moved.

use std::sync::Arc;

use cluster_apply::Moved;
use crd_types::Artifact;
use crd_types::conditions::READY;
use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::{ObjectRef, Store};
use reconcile_loop::conditions::find;
use reconcile_loop::controller::{Trigger, answer_each};
use reconcile_loop::references::InputKind;
use tokio::sync::mpsc;

use crate::context::Context;
use crate::kustomization::resolve::source_key;
use crate::sources::SourceKey;

/// Answers every change of a source with the Kustomizations that have not tried its revision.
pub(crate) fn on_source(
    store: Store<Kustomization>,
    trigger: Trigger<Kustomization>,
) -> impl Fn(&SourceKey, Option<&Artifact>) + Clone + Send + Sync + 'static {
    move |source, artifact| {
        let Some(artifact) = artifact else { return };
        let behind = |ks: &Kustomization| {
            let attempted = ks.status.as_ref().and_then(|s| s.last_attempted_revision.as_ref());
            (attempted != Some(&artifact.revision) || lacks_its_source(ks))
                && source_key(ks).is_ok_and(|referred| referred == *source)
        };
        tracing::debug!(?source, revision = artifact.revision, "a source changed");
        for ks in store.state().iter().filter(|ks| behind(ks)) {
            trigger.reconcile(ObjectRef::from_obj(&**ks));
        }
    }
}

/// Whether the last run failed for want of its source.
fn lacks_its_source(ks: &Kustomization) -> bool {
    let conditions = ks.status.as_ref().map_or(&[][..], |status| &status.conditions);
    find(conditions, READY).is_some_and(|ready| ready.reason == "ArtifactFailed")
}

/// Answers every object that somebody else moved with a full run of its owner.
pub(crate) async fn on_drift(ctx: Arc<Context>, moved: mpsc::UnboundedReceiver<Moved>) {
    let answer = |Moved { owner, object, .. }| {
        let key = ObjectRef::new(&owner.name).within(&owner.namespace);
        if ctx.store.get(&key).is_some() {
            tracing::debug!(%object, kustomization = %key, "an object moved");
            ctx.memory.doubt(&key);
            ctx.trigger.reconcile(key);
        }
    };
    answer_each::<Kustomization, _>(&ctx.runtime.metrics, moved, answer).await;
}

/// Something beside its source that a Kustomization depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Input<'a> {
    kind: InputKind,
    namespace: &'a str,
    name: &'a str,
}

/// Makes sure that the kinds of what this Kustomization refers to are watched.
pub(crate) fn cover(ks: &Kustomization, ctx: &Arc<Context>) {
    let woken = Arc::clone(ctx);
    ctx.inputs.cover(inputs(ks, ctx).map(|input| input.kind), &ctx.runtime, {
        move |kind, namespace, name| wake(Input { kind, namespace, name }, &woken)
    });
}

fn wake(changed: Input<'_>, ctx: &Context) {
    let refers = |ks: &Kustomization| inputs(ks, ctx).any(|input| input == changed);
    for ks in ctx.store.state().iter().filter(|ks| refers(ks)) {
        ctx.trigger.reconcile(ObjectRef::from_obj(&**ks));
    }
}

/// Where variables, keys and the way to the cluster come from.
fn inputs<'a>(ks: &'a Kustomization, ctx: &'a Context) -> impl Iterator<Item = Input<'a>> {
    let namespace = ks.metadata.namespace.as_deref().unwrap_or_default();
    let own = move |kind, name: &'a str| Input { kind, namespace, name };
    let keys = key_secret(ks, ctx).map(|(namespace, name)| Input {
        kind: InputKind::Secret,
        namespace,
        name,
    });
    let kubeconfig = ks.spec.kube_config.as_ref();
    let secret = kubeconfig.and_then(|kubeconfig| kubeconfig.secret_ref.as_ref());
    let config_map = kubeconfig.and_then(|kubeconfig| kubeconfig.config_map_ref.as_ref());
    let variables = ks.spec.post_build.iter().flat_map(|post_build| &post_build.substitute_from);
    keys.into_iter()
        .chain(secret.map(|secret| own(InputKind::Secret, &secret.name)))
        .chain(config_map.map(|map| own(InputKind::ConfigMap, &map.name)))
        .chain(variables.filter_map(move |reference| {
            Some(own(InputKind::parse(&reference.kind)?, &reference.name))
        }))
}

/// The Secret that a Kustomization's keys come from: namespace and name.
fn key_secret<'a>(ks: &'a Kustomization, ctx: &'a Context) -> Option<(&'a str, &'a str)> {
    let decryption = ks.spec.decryption.as_ref()?;
    if let Some(reference) = &decryption.secret_ref {
        return Some((ks.metadata.namespace.as_deref()?, reference.name.as_str()));
    }
    let shared = ctx.settings.sops_age_secret.as_deref()?;
    Some((ctx.runtime.flags.runtime_namespace.as_str(), shared))
}
