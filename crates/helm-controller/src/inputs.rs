//! Watches what values and kubeconfigs come from, so that a change counts at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crd_types::helm::HelmRelease;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::references::watch_references;

use crate::context::Context;
use crate::helm_release::memory::Cause;

/// How long changes are gathered: several edits in a row are one upgrade.
const DEBOUNCE: Duration = Duration::from_millis(250);

/// Watches the kinds that values come from, from the first HelmRelease on that uses them.
#[derive(Debug, Default)]
pub(crate) struct InputWatch(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    config_maps: bool,
    secrets: bool,
    /// Those that will be woken when the changes are gathered.
    waking: HashSet<ObjectRef<HelmRelease>>,
}

/// Something that an object takes values from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Input<'a> {
    kind: &'a str,
    name: &'a str,
}

impl InputWatch {
    /// Makes sure that the kinds that this object refers to are watched.
    pub(crate) fn cover(&self, hr: &HelmRelease, ctx: &Arc<Context>) {
        let (mut config_maps, mut secrets) = (false, false);
        for input in inputs(hr) {
            config_maps |= input.kind == "ConfigMap";
            secrets |= input.kind == "Secret";
        }
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if config_maps && !std::mem::replace(&mut watched.config_maps, true) {
            watch::<ConfigMap>("ConfigMap", ctx);
        }
        if secrets && !std::mem::replace(&mut watched.secrets, true) {
            watch::<Secret>("Secret", ctx);
        }
    }

    /// Wakes an object soon; several calls until then are one.
    fn wake(&self, key: ObjectRef<HelmRelease>, cause: Cause, ctx: &Arc<Context>) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !watched.waking.insert(key.clone()) {
            return;
        }
        let ctx = Arc::clone(ctx);
        tokio::spawn(async move {
            tokio::time::sleep(DEBOUNCE).await;
            let mut watched = ctx.inputs.0.lock().unwrap_or_else(PoisonError::into_inner);
            watched.waking.remove(&key);
            drop(watched);
            ctx.memory.wake_by(key, |_| Some(cause), &ctx.trigger);
        });
    }
}

fn inputs(hr: &HelmRelease) -> impl Iterator<Item = Input<'_>> {
    let values = hr.spec.values_from.iter();
    let values = values.map(|reference| Input { kind: &reference.kind, name: &reference.name });
    let kubeconfig = hr.spec.kube_config.as_ref();
    let secret = kubeconfig.and_then(|reference| reference.secret_ref.as_ref());
    let config_map = kubeconfig.and_then(|reference| reference.config_map_ref.as_ref());
    values
        .chain(secret.map(|secret| Input { kind: "Secret", name: &secret.name }))
        .chain(config_map.map(|config| Input { kind: "ConfigMap", name: &config.name }))
}

fn watch<K>(kind: &'static str, ctx: &Arc<Context>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let woken = Arc::clone(ctx);
    watch_references::<K>(&ctx.runtime, move |namespace, name| {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        changed(&Cause { kind, namespace, name }, &woken);
    });
}

fn changed(changed: &Cause, ctx: &Arc<Context>) {
    let input = Input { kind: changed.kind, name: &changed.name };
    for hr in ctx.store.state() {
        if hr.metadata.namespace.as_ref() == Some(&changed.namespace)
            && inputs(&hr).any(|known| known == input)
        {
            ctx.inputs.wake(ObjectRef::from_obj(&*hr), changed.clone(), ctx);
        }
    }
}
