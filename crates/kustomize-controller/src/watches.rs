//! What wakes a Kustomization besides its own change: sources, inputs, objects that moved.

use std::sync::{Arc, Mutex, PoisonError};

use cluster_apply::Moved;
use crd_types::Artifact;
use crd_types::conditions::READY;
use crd_types::kustomize::Kustomization;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use reconcile_loop::conditions::find;
use reconcile_loop::controller::{Trigger, answer_each};
use reconcile_loop::references::watch_references;
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

/// Watches the kinds that variables come from, from the first Kustomization on that uses them.
#[derive(Debug, Default)]
pub(crate) struct InputWatch(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    config_maps: bool,
    secrets: bool,
}

impl InputWatch {
    /// Makes sure that the kinds that this Kustomization refers to are watched.
    pub(crate) fn cover(&self, ks: &Kustomization, ctx: &Arc<Context>) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let secrets = key_secret(ks, ctx).is_some() || cluster_input(ks, "Secret").is_some();
        if secrets && !std::mem::replace(&mut watched.secrets, true) {
            watch::<Secret>(ctx);
        }
        if cluster_input(ks, "ConfigMap").is_some()
            && !std::mem::replace(&mut watched.config_maps, true)
        {
            watch::<ConfigMap>(ctx);
        }
        let Some(post_build) = &ks.spec.post_build else { return };
        for reference in &post_build.substitute_from {
            let is_secret = reference.kind == "Secret";
            let begun = if is_secret { &mut watched.secrets } else { &mut watched.config_maps };
            if !std::mem::replace(begun, true) {
                if is_secret {
                    watch::<Secret>(ctx);
                } else {
                    watch::<ConfigMap>(ctx);
                }
            }
        }
    }
}

fn watch<K>(ctx: &Arc<Context>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let woken = Arc::clone(ctx);
    watch_references::<K>(&ctx.runtime, move |namespace, name| wake::<K>(&woken, namespace, name));
}

fn wake<K: Resource<DynamicType = ()>>(ctx: &Context, namespace: &str, name: &str) {
    let kind = K::kind(&());
    let refers = |ks: &Kustomization| {
        let post_build = ks.spec.post_build.as_ref();
        let has_keys = kind == "Secret"
            && key_secret(ks, ctx).is_some_and(|secret| secret == (namespace, name));
        let is_substituted = || {
            post_build.is_some_and(|post_build| {
                let all = &post_build.substitute_from;
                all.iter().any(|reference| reference.kind == kind && reference.name == name)
            })
        };
        has_keys
            || ks.metadata.namespace.as_deref() == Some(namespace)
                && (is_substituted() || cluster_input(ks, &kind) == Some(name))
    };
    for ks in ctx.store.state().iter().filter(|ks| refers(ks)) {
        ctx.trigger.reconcile(ObjectRef::from_obj(&**ks));
    }
}

/// The name of what says how the cluster of a Kustomization is reached, if it is of this kind.
fn cluster_input<'a>(ks: &'a Kustomization, kind: &str) -> Option<&'a str> {
    let kubeconfig = ks.spec.kube_config.as_ref()?;
    match kind {
        "Secret" => kubeconfig.secret_ref.as_ref().map(|secret| secret.name.as_str()),
        "ConfigMap" => kubeconfig.config_map_ref.as_ref().map(|map| map.name.as_str()),
        _ => None,
    }
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
