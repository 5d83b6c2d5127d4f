//! The custom resource definitions, made from the Rust types.
//!
//! All versions of a kind share one schema: the union of the fields that any version ever had, with
//! the limits of the newest version. An older version lifts the limits that it did not have. See
//! `docs/decisions/0001-one-schema-per-kind-many-versions.md`.

mod column;
mod definition;
mod groups;
mod schema;

use serde_json::Value;

/// Every custom resource definition with the name of its file, sorted by that name.
pub fn crds() -> Vec<(String, Value)> {
    let mut crds: Vec<_> = groups::definitions()
        .iter()
        .map(|definition| (definition.file_name(), definition.manifest()))
        .collect();
    crds.sort_by(|a, b| a.0.cmp(&b.0));
    crds
}

/// Every file of `config/crds`: its name and its content.
pub fn files() -> Vec<(String, String)> {
    crds().into_iter().map(|(name, crd)| (name, format!("---\n{}", yaml::emit(&crd)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kubectl apply` repeats the manifest in an annotation.
    const ANNOTATIONS_MAX_BYTES: usize = 262_144;

    #[test]
    fn every_definition_fits_into_the_last_applied_annotation() {
        for (name, crd) in crds() {
            let bytes = crd.to_string().len();
            assert!(bytes < ANNOTATIONS_MAX_BYTES / 2, "{name} has {bytes} bytes");
        }
    }

    #[test]
    fn every_lifted_limit_exists() {
        let stale: Vec<_> =
            groups::definitions().iter().flat_map(definition::Definition::stale_lifts).collect();
        assert_eq!(stale, Vec::<String>::new());
    }
}
