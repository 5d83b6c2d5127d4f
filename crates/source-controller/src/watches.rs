//! What wakes a source besides its own change: the Secrets it refers to.

use std::sync::Arc;

use crd_types::source::{GitRepository, HelmChart, HelmRepository, OCIRepository};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use reconcile_loop::references::InputKind;

use crate::{
    context::Context, helm_chart::origin::charts_of, helm_repository::access::is_oci,
    source::Source,
};

/// Makes sure that the Secrets this object refers to are watched.
///
/// Differs: Flux looks at a changed Secret only when the interval is over or a backoff ends.
pub(crate) fn cover<K: Source>(object: &K, ctx: &Arc<Context>) {
    let woken = Arc::clone(ctx);
    let kinds = object.secrets().into_iter().map(|_| InputKind::Secret);
    ctx.inputs.cover(kinds, &ctx.runtime, move |_, namespace, name| wake(&woken, namespace, name));
}

fn wake(ctx: &Context, namespace: &str, name: &str) {
    wake_kind::<GitRepository>(ctx, namespace, name);
    wake_kind::<OCIRepository>(ctx, namespace, name);
    for repository in wake_kind::<HelmRepository>(ctx, namespace, name) {
        // One of type `oci` does nothing itself: its charts are who log in.
        if is_oci(&repository) {
            for chart in charts_of("HelmRepository", (namespace, &repository.name_any()), ctx) {
                HelmChart::of(ctx).trigger.reconcile(ObjectRef::from_obj(&*chart));
            }
        }
    }
}

/// Wakes the objects of a kind that refer to a Secret, and says which they are.
fn wake_kind<K: Source>(ctx: &Context, namespace: &str, name: &str) -> Vec<Arc<K>> {
    let refers = |object: &Arc<K>| {
        object.meta().namespace.as_deref() == Some(namespace) && object.secrets().contains(&name)
    };
    let woken: Vec<Arc<K>> = K::of(ctx).objects.state().into_iter().filter(refers).collect();
    for object in &woken {
        K::of(ctx).trigger.reconcile(ObjectRef::from_obj(&**object));
    }
    woken
}
