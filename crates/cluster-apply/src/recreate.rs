//! Whether a refused change calls for a new object.
//!
//! Differs: Flux deletes the live object on any `Invalid` or `Conflict`, or on the words "is
//! immutable" anywhere (so a plain mistake in the manifest deletes it). Here the machine-readable
//! causes must tell of a refused field, and the API server must be ready to accept the very same
//! content as a new object.

use bytes::Bytes;
use manifest::Object;

use crate::api::ApiError;
use crate::cluster::TenantClient;
use crate::controls::Controls;

/// Kinds that hold what cannot be made anew. Only the object itself can ask for it.
const PRECIOUS: [&str; 4] =
    ["PersistentVolumeClaim", "PersistentVolume", "Namespace", "CustomResourceDefinition"];

/// Whether the object may be deleted and made anew after this refusal. Asks the API server, by dry
/// run, whether it would accept the object under another name.
pub(crate) async fn is_refused_change(
    tenant: &TenantClient,
    object: &Object,
    force: bool,
    error: &ApiError,
) -> bool {
    let controls = Controls { prefix: &tenant.settings().key_prefix };
    let asked_for = controls.forces(object) || (force && !PRECIOUS.contains(&object.kind()));
    asked_for && tells_of_refused_fields(error) && is_valid_as_new(tenant, object).await
}

/// Whether fields with a value of the right form were refused.
fn tells_of_refused_fields(error: &ApiError) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.code == 422
            && refusal.reason == "Invalid"
            && !refusal.details.causes.is_empty()
            && refusal.details.causes.iter().all(|cause| {
                matches!(cause.reason.as_str(), "FieldValueInvalid" | "FieldValueForbidden")
            })
    })
}

async fn is_valid_as_new(tenant: &TenantClient, object: &Object) -> bool {
    // A definition's name is bound to its content: it cannot be tried under another one.
    if object.kind() == "CustomResourceDefinition" {
        return true;
    }
    let mut probe = object.clone();
    let name = probe_name(object.name());
    probe.metadata_mut().insert("name".to_owned(), name.clone().into());
    let Ok(resource) = tenant.resource(&object.gvk()).await else { return false };
    let Ok(path) = resource.path(object.namespace(), &name) else { return false };
    let Ok(body) = serde_json::to_vec(probe.fields()) else { return false };
    match tenant.patch_apply(&path, Bytes::from(body), true).await {
        Ok(answer) => answer.body.pointer("/metadata/resourceVersion").is_none(),
        Err(_also_refused) => false,
    }
}

/// A name of the same kind that nobody uses, no longer than any name may be.
fn probe_name(name: &str) -> String {
    let stem: String = name.chars().take(40).collect();
    format!("{}-as-new", stem.trim_end_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Cause, Details, Refusal};

    fn refused(code: u16, reason: &str, causes: &[&str], message: &str) -> bool {
        let cause = |reason: &&str| Cause { reason: (*reason).to_owned(), ..Cause::default() };
        tells_of_refused_fields(&ApiError::Refused(Box::new(Refusal {
            code,
            reason: reason.to_owned(),
            message: message.to_owned(),
            details: Details { causes: causes.iter().map(cause).collect() },
            ..Refusal::default()
        })))
    }

    #[test]
    fn only_causes_count() {
        assert!(refused(422, "Invalid", &["FieldValueInvalid"], "field is immutable"));
        assert!(!refused(422, "Invalid", &["FieldValueInvalid", "FieldValueRequired"], ""));
        assert!(!refused(422, "Invalid", &[], "field is immutable"));
        assert!(!refused(403, "Forbidden", &["FieldValueInvalid"], "spec is immutable"));
        assert!(!refused(409, "Conflict", &["FieldValueInvalid"], "immutable field"));
    }

    #[test]
    fn a_probe_has_a_name_of_the_same_form() {
        assert_eq!(probe_name("web"), "web-as-new");
        let long = format!("{}-x", "a".repeat(39));
        assert_eq!(probe_name(&long), format!("{}-as-new", "a".repeat(39)));
    }
}
