//! The order of kinds in which the command prints, and its options.

use manifest::Gvk;
use serde::Deserialize;

use crate::identity::ResId;
use crate::resources::Resources;

/// Kinds that others need, in order.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that may block all others.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The field `sortOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy_sort_options: Option<LegacySortOptions>,
}

/// Kinds to put first and last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LegacySortOptions {
    pub(crate) order_first: Vec<String>,
    pub(crate) order_last: Vec<String>,
}

/// Why resources could not be sorted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SortError {
    /// The order is none of those that exist.
    #[error("the field 'sortOptions.order' must be one of [fifo, legacy]")]
    UnknownOrder,
    /// Options are given for the other order.
    #[error(
        "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', \
         not 'legacy'"
    )]
    OptionsWithoutLegacy,
}

/// The place of a kind: its rank, then its text.
pub(crate) fn kind_key(gvk: &Gvk) -> (isize, String) {
    (rank(&gvk.kind, &FIRST, &LAST), gvk_text(gvk))
}

fn rank<T: AsRef<str>>(kind: &str, first: &[T], last: &[T]) -> isize {
    let place = |kinds: &[T]| kinds.iter().rposition(|known| known.as_ref() == kind);
    if let Some(place) = place(last) {
        return place.cast_signed() + 1;
    }
    place(first).map_or(0, |place| place.cast_signed() - first.len().cast_signed())
}

fn gvk_text(gvk: &Gvk) -> String {
    let or = |text: &str, placeholder: &str| {
        if text.is_empty() { placeholder.to_owned() } else { text.to_owned() }
    };
    format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K"))
}

/// Sorts as the command does.
///
/// # Errors
/// If the options name an order that does not exist, or contradict each other.
pub(crate) fn sort(resources: &mut Resources, options: &SortOptions) -> Result<(), SortError> {
    let legacy = match (options.order.as_str(), &options.legacy_sort_options) {
        ("fifo", None) => return Ok(()),
        ("fifo", Some(_)) => return Err(SortError::OptionsWithoutLegacy),
        ("legacy", legacy) => legacy,
        _ => return Err(SortError::UnknownOrder),
    };
    resources.sort_by_cached_key(|id| match legacy {
        Some(legacy) => key(id, &legacy.order_first, &legacy.order_last),
        None => key(id, &FIRST, &LAST),
    });
    Ok(())
}

/// Sorts in the order that holds where none is asked for.
pub(crate) fn sort_legacy(resources: &mut Resources) {
    resources.sort_by_cached_key(|id| key(id, &FIRST, &LAST));
}

/// What the legacy order compares: the rank of the kind, the kind, then the whole id.
fn key<T: AsRef<str>>(id: &ResId, first: &[T], last: &[T]) -> (isize, GvkOrder, String) {
    let text = gvk_text(&id.gvk);
    // Namespaces of the core group come before objects of other groups that are called so too.
    let gvk = if id.gvk.kind == "Namespace" && id.gvk.group.is_empty() {
        GvkOrder::CoreNamespace(text)
    } else {
        GvkOrder::Other(text)
    };
    let or = |text: &str, placeholder: &str| {
        if text.is_empty() { placeholder.to_owned() } else { text.to_owned() }
    };
    let id_text = format!(
        "{}|{}|{}",
        crate::identity::GvkText(&id.gvk),
        or(&id.namespace, "~X"),
        or(&id.name, "~N")
    );
    (rank(&id.gvk.kind, first, last), gvk, id_text)
}

/// A kind among those of the same rank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum GvkOrder {
    CoreNamespace(String),
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_come_first_and_webhooks_last() {
        let place = |kind: &str| kind_key(&Gvk::new("v1", kind));
        assert!(place("Namespace") < place("ConfigMap"));
        assert!(place("PodDisruptionBudget") < place("Widget"));
        assert!(place("Widget") < place("MutatingWebhookConfiguration"));
    }
}
