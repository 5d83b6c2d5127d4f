//! Watches what values and kubeconfigs come from, so that a change counts at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crd_types::helm::HelmRelease;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::references::{InputKind, InputWatch};

use crate::context::Context;
use crate::helm_release::memory::Cause;

/// How long changes are gathered: several edits in a row are one upgrade.
const DEBOUNCE: Duration = Duration::from_millis(250);

/// What values and kubeconfigs come from, as far as any HelmRelease uses it.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    watch: InputWatch,
    /// Those that will be woken when the changes are gathered.
    waking: Mutex<HashSet<ObjectRef<HelmRelease>>>,
}

/// Something that an object takes values from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Input<'a> {
    kind: InputKind,
    name: &'a str,
}

impl Inputs {
    /// Makes sure that the kinds that this object refers to are watched.
    pub(crate) fn cover(&self, hr: &HelmRelease, ctx: &Arc<Context>) {
        let woken = Arc::clone(ctx);
        self.watch.cover(inputs(hr).map(|input| input.kind), &ctx.runtime, {
            move |kind, namespace, name| changed(Input { kind, name }, namespace, &woken)
        });
    }

    /// Wakes an object soon; several calls until then are one.
    fn wake(&self, key: ObjectRef<HelmRelease>, cause: Cause, ctx: &Arc<Context>) {
        let mut waking = self.waking.lock().unwrap_or_else(PoisonError::into_inner);
        if !waking.insert(key.clone()) {
            return;
        }
        let ctx = Arc::clone(ctx);
        tokio::spawn(async move {
            tokio::time::sleep(DEBOUNCE).await;
            let mut waking = ctx.inputs.waking.lock().unwrap_or_else(PoisonError::into_inner);
            waking.remove(&key);
            drop(waking);
            ctx.memory.wake_by(key, |_| Some(cause), &ctx.trigger);
        });
    }
}

fn inputs(hr: &HelmRelease) -> impl Iterator<Item = Input<'_>> {
    let values = hr.spec.values_from.iter();
    let values = values.filter_map(|reference| {
        Some(Input { kind: InputKind::parse(&reference.kind)?, name: &reference.name })
    });
    let kubeconfig = hr.spec.kube_config.as_ref();
    let secret = kubeconfig.and_then(|reference| reference.secret_ref.as_ref());
    let config_map = kubeconfig.and_then(|reference| reference.config_map_ref.as_ref());
    values
        .chain(secret.map(|secret| Input { kind: InputKind::Secret, name: &secret.name }))
        .chain(config_map.map(|config| Input { kind: InputKind::ConfigMap, name: &config.name }))
}

fn changed(input: Input<'_>, namespace: &str, ctx: &Arc<Context>) {
    let (kind, name) = (input.kind.as_str(), input.name);
    let cause = Cause { kind, namespace: namespace.to_owned(), name: name.to_owned() };
    for hr in ctx.store.state() {
        if hr.metadata.namespace.as_deref() == Some(namespace)
            && inputs(&hr).any(|known| known == input)
        {
            ctx.inputs.wake(ObjectRef::from_obj(&*hr), cause.clone(), ctx);
        }
    }
}
