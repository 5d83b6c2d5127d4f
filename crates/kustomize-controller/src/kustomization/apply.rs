//! Objects brought to the cluster.

use std::collections::HashSet;
use std::sync::Arc;

use cluster_apply::{ApplyOptions, ChangeSet, TenantClient};
use crd_types::kustomize::Kustomization;
use kube::ResourceExt as _;
use manifest::{Gvk, Object, ObjectId};

use super::halt::Halt;
use super::ignore;
use super::progress::{Progress, Tracked};
use super::prune;
use super::spec::Timing;
use super::tenant::owner;
use crate::context::Context;

/// The annotation by which a Kustomization says whether refused objects keep the others from being
/// applied: `best-effort` or `all-or-nothing`, which is Flux's way for each stage.
const APPLY: &str = "ferroflux.dev/apply";
/// Limit: bytes of an inventory in the status. The API server stores no object of more than 1.5 MiB.
const MAX_INVENTORY_BYTES: usize = 1 << 20;

/// Applies the objects and prunes the rest of the inventory. The only phase that writes to the
/// cluster besides status. May be repeated; cancelled, it leaves objects that carry our labels and
/// are applied again by the next attempt.
///
/// Answers what was applied. The inventory of `progress` is kept up on every path.
pub(super) async fn execute(
    ks: &Kustomization,
    objects: Vec<Object>,
    tenant: &TenantClient,
    ctx: &Arc<Context>,
    progress: &mut Progress,
) -> Result<ChangeSet, Halt> {
    if let Some(secret) = objects.iter().find(|object| is_encrypted(object)) {
        let id = format!("{}/{}/{}", secret.kind(), secret.namespace(), secret.name());
        let message = format!(
            "{id} is SOPS encrypted, configuring decryption is required for this secret to be \
             reconciled"
        );
        return Err(Halt::Apply { message });
    }
    fits(&objects)?;
    let metadata = ks.spec.common_metadata.clone().unwrap_or_default();
    let options = ApplyOptions {
        owner: owner(ks),
        common_labels: metadata.labels,
        common_annotations: metadata.annotations,
        force: ks.spec.force,
        retain: ks.spec.wait || !ks.spec.health_checks.is_empty(),
        ignore: ignore::rules(ks)?,
        best_effort: is_best_effort(ks, ctx.settings.best_effort_apply),
        limit: Some(Timing::of(ks, ctx.runtime.flags.requeue_dependency).timeout),
    };
    let applied = match cluster_apply::apply(tenant, objects, &options).await {
        Ok(applied) => applied,
        Err(failure) => {
            progress.changed |= failure.done.changed().next().is_some();
            // Differs: what was applied before the failure is tracked at once (in Flux only after a
            // later success), so that it is not left behind if it is not wanted any more.
            let before = progress.inventory.as_deref().unwrap_or_default();
            let known: HashSet<_> = before.iter().map(|tracked| &tracked.id).collect();
            let new = failure.done.entries.iter().filter(|entry| !known.contains(&entry.id));
            let new: Vec<_> = new
                .map(|entry| Tracked { id: entry.id.clone(), version: entry.version.clone() })
                .collect();
            if !new.is_empty() {
                progress.inventory.get_or_insert_default().extend(new);
            }
            let message = format!("{}\n{}", failure.message(), failure.done.log());
            if failure.error.is_passing() {
                return Err(Halt::Disturbed { message });
            }
            return Err(Halt::Apply { message });
        }
    };
    if ks.spec.kube_config.is_none() {
        let kinds = applied.entries.iter().map(|entry| gvk(&entry.id, &entry.version));
        ctx.drift.cover(kinds.collect::<HashSet<_>>());
    }
    tell(ks, &applied.log(), ctx, progress).await;
    let old = progress.inventory.take().unwrap_or_default();
    let new: Vec<Tracked> = applied
        .entries
        .iter()
        .map(|entry| Tracked { id: entry.id.clone(), version: entry.version.clone() })
        .collect();
    progress.inventory = Some(new);
    prune::execute(ks, old, tenant, ctx, progress).await?;
    Ok(applied)
}

/// Whether refused objects do not keep the others from being applied. Pure.
fn is_best_effort(ks: &Kustomization, default: bool) -> bool {
    match ks.annotations().get(APPLY).map(String::as_str) {
        None => default,
        Some(said) => said == "best-effort",
    }
}

/// Refuses what is too much for one inventory. Pure.
///
/// Differs: Flux applies the objects and then fails to store their inventory, so that they belong to
/// nobody.
fn fits(objects: &[Object]) -> Result<(), Halt> {
    let entry = |object: &Object| {
        object.id().inventory_id().len() + object.gvk().version.len() + r#"{"id":"","v":""},"#.len()
    };
    let bytes: usize = objects.iter().map(entry).sum();
    if bytes <= MAX_INVENTORY_BYTES {
        return Ok(());
    }
    let message = format!(
        "the inventory of {} objects takes {} KiB, and no more than {} KiB can be stored: divide \
         the objects among several Kustomizations",
        objects.len(),
        bytes.div_ceil(1024),
        MAX_INVENTORY_BYTES / 1024,
    );
    Err(Halt::Apply { message })
}

/// Whether a Secret still holds what sops encrypted.
///
/// Flux: with `stringData` what sops says of the object gets lost before anybody looks for it (pkg,
/// `ssa/normalize`).
fn is_encrypted(object: &Object) -> bool {
    let fields = object.fields();
    object.kind() == "Secret"
        && object.api_version() == "v1"
        && fields.contains_key("sops")
        && !fields.contains_key("stringData")
}

/// Publishes what was done, if anything was.
pub(super) async fn tell(ks: &Kustomization, log: &str, ctx: &Context, progress: &mut Progress) {
    if log.is_empty() {
        return;
    }
    progress.changed = true;
    tracing::info!(changes = log, "server-side apply completed");
    let event = super::conclude::news(ks, progress, log.to_owned());
    ctx.runtime.events.publish(ks, event).await;
}

/// The kind of an object of the inventory.
pub(super) fn gvk(id: &ObjectId, version: &str) -> Gvk {
    Gvk { group: id.group.clone(), version: version.to_owned(), kind: id.kind.clone() }
}

#[cfg(test)]
mod tests {
    use crd_types::kustomize::KustomizationSpec;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_says_how_much_a_refusal_matters() {
        let mut ks = Kustomization::new("app", KustomizationSpec::default());
        assert!(is_best_effort(&ks, true) && !is_best_effort(&ks, false));
        for (said, expected) in [("best-effort", true), ("all-or-nothing", false), ("", false)] {
            ks.annotations_mut().insert(APPLY.to_owned(), said.to_owned());
            for default in [true, false] {
                assert_eq!(is_best_effort(&ks, default), expected, "{said:?}");
            }
        }
    }

    #[test]
    fn too_many_objects_for_one_inventory_are_refused() {
        let objects = |n: usize| -> Vec<Object> {
            let name = |n| format!("a-config-map-with-a-rather-long-name-{n:06}");
            let object = |n| {
                json!({"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": name(n), "namespace": "shop"}})
            };
            (0..n).map(|n| Object::new(object(n)).unwrap()).collect()
        };
        assert!(fits(&objects(10_000)).is_ok());
        let error = fits(&objects(20_000)).unwrap_err().to_string();
        let start = "the inventory of 20000 objects takes ";
        assert!(error.starts_with(start) && error.contains("more than 1024 KiB"), "{error}");
    }
}
