//! What wakes a source besides its own change: the Secrets it refers to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crd_types::source::{GitRepository, HelmChart, HelmRepository};
use futures::{StreamExt as _, future};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt as _,
    api::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        reflector::ObjectRef,
        watcher::{self, Event, watcher},
    },
};
use reconcile_loop::controller::watch_error;

use crate::{
    context::Context, helm_chart::origin::charts_of, helm_repository::access::is_oci,
    source::Source,
};

/// Watches Secrets, from the first object on that refers to one.
///
/// Differs: Flux looks at a changed Secret only when the interval is over or a backoff ends.
#[derive(Debug, Default)]
pub(crate) struct SecretWatch(AtomicBool);

impl SecretWatch {
    /// Makes sure that the Secrets this object refers to are watched.
    pub(crate) fn cover<K: Source>(&self, object: &K, ctx: &Arc<Context>) {
        if !object.secrets().is_empty() {
            self.begin(ctx);
        }
    }

    /// The same for a repository in git.
    pub(crate) fn cover_git(&self, repository: &GitRepository, ctx: &Arc<Context>) {
        if referred(repository).next().is_some() {
            self.begin(ctx);
        }
    }

    fn begin(&self, ctx: &Arc<Context>) {
        if !self.0.swap(true, Ordering::Relaxed) {
            watch(ctx);
        }
    }
}

/// The names of the Secrets that an object refers to.
fn referred(repository: &GitRepository) -> impl Iterator<Item = &str> {
    let spec = &repository.spec;
    [&spec.secret_ref, &spec.proxy_secret_ref].into_iter().flatten().map(|one| one.name.as_str())
}

/// Watches metadata only, and keeps nothing of it.
fn watch(ctx: &Arc<Context>) {
    let flags = &ctx.runtime.flags;
    let client = ctx.runtime.client.clone();
    let api: Api<PartialObjectMeta<Secret>> = match flags.watched_namespace() {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let ctx = Arc::clone(ctx);
    let events =
        watcher(api, watcher::Config::default()).default_backoff().for_each(move |event| {
            match event {
                Ok(Event::Apply(secret) | Event::Delete(secret)) => wake(&ctx, &secret),
                Ok(Event::Init | Event::InitApply(_) | Event::InitDone) => {}
                Err(error) => {
                    tracing::error!(
                        error = watch_error(&error),
                        kind = "Secret",
                        "the watch broke off"
                    );
                }
            }
            future::ready(())
        });
    tokio::spawn(events);
}

fn wake(ctx: &Context, secret: &PartialObjectMeta<Secret>) {
    let (namespace, name) = (secret.namespace(), secret.name_any());
    for repository in ctx.repositories.state() {
        let refers = referred(&repository).any(|one| one == name);
        if refers && repository.namespace() == namespace {
            ctx.trigger.reconcile(ObjectRef::from_obj(&*repository));
        }
    }
    for repository in wake_kind::<HelmRepository>(ctx, namespace.as_deref(), &name) {
        // One of type `oci` does nothing itself: its charts are who log in.
        if is_oci(&repository) {
            let key = (namespace.as_deref().unwrap_or_default(), repository.name_any());
            for chart in charts_of("HelmRepository", (key.0, &key.1), ctx) {
                HelmChart::of(ctx).trigger.reconcile(ObjectRef::from_obj(&*chart));
            }
        }
    }
}

/// Wakes the objects of a kind that refer to a Secret, and says which they are.
fn wake_kind<K: Source>(ctx: &Context, namespace: Option<&str>, name: &str) -> Vec<Arc<K>> {
    let refers = |object: &Arc<K>| {
        object.meta().namespace.as_deref() == namespace && object.secrets().contains(&name)
    };
    let woken: Vec<Arc<K>> = K::of(ctx).objects.state().into_iter().filter(refers).collect();
    for object in &woken {
        K::of(ctx).trigger.reconcile(ObjectRef::from_obj(&**object));
    }
    woken
}
