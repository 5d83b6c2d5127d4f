//! The `crds` field: OpenAPI definitions that say which fields are names, labels and annotations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Config, MergeError, NameReference, merge_specs};
use crate::field_spec::FieldSpec;

/// Definitions may refer to each other this deep.
const MAX_DEPTH: usize = 32;
/// Fields that one file may describe.
const MAX_FIELDS: usize = 100_000;

/// Reads the fields from definitions by name, as `{"pkg.Kind": {"Schema": {…}}}`.
///
/// Limit: definitions that refer to each other in a circle are followed 32 levels deep.
pub(crate) fn from_crds(definitions: &Value) -> Result<Config, MergeError> {
    let mut config = Config::default();
    let Value::Object(definitions) = definitions else { return Ok(config) };
    let definitions: BTreeMap<&str, &Value> =
        definitions.iter().map(|(name, definition)| (name.as_str(), definition)).collect();
    let mut fields = 0;
    for (name, definition) in &definitions {
        let Some(properties) = properties(definition) else { continue };
        if ["kind", "apiVersion", "metadata"].iter().all(|field| properties.contains_key(*field)) {
            let kind = name.rsplit('.').next().unwrap_or(name);
            walk(&definitions, name, kind, &mut Vec::new(), &mut fields, &mut config)?;
        }
    }
    Ok(config)
}

fn properties(definition: &Value) -> Option<&serde_json::Map<String, Value>> {
    let schema = definition.get("Schema").or_else(|| definition.get("schema"))?;
    schema.get("properties")?.as_object()
}

fn walk(
    definitions: &BTreeMap<&str, &Value>,
    name: &str,
    kind: &str,
    path: &mut Vec<String>,
    fields: &mut usize,
    config: &mut Config,
) -> Result<(), MergeError> {
    let Some(properties) = definitions.get(name).and_then(|definition| properties(definition))
    else {
        return Ok(());
    };
    if path.len() > MAX_DEPTH {
        return Ok(());
    }
    for (field, property) in properties {
        *fields += 1;
        if *fields > MAX_FIELDS {
            return Ok(());
        }
        path.push(field.clone());
        let spec = |more: Option<&str>| {
            let mut path = path.join("/");
            if let Some(more) = more {
                path = format!("{path}/{more}");
            }
            [FieldSpec { kind: kind.to_owned(), path, ..FieldSpec::default() }]
        };
        let says = |name: &str| property.get(name).and_then(Value::as_str);
        if says("x-kubernetes-annotation").is_some() {
            merge_specs(&mut config.common_annotations, &spec(None), "CommonAnnotations")?;
        }
        if says("x-kubernetes-label-selector").is_some() {
            merge_specs(&mut config.common_labels, &spec(None), "CommonLabels")?;
        }
        if says("x-kubernetes-identity").is_some() {
            merge_specs(&mut config.name_prefix, &spec(None), "NamePrefix")?;
        }
        if let (Some(version), Some(kind)) =
            (says("x-kubernetes-object-ref-api-version"), says("x-kubernetes-object-ref-kind"))
        {
            let name = says("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let mut more = Config::default();
            more.name_reference.push(NameReference {
                group: String::new(),
                version: version.to_owned(),
                kind: kind.to_owned(),
                referrers: spec(Some(name)).to_vec(),
            });
            config.merge(&more)?;
        }
        if let Some(reference) = says("$ref") {
            walk(definitions, reference, kind, path, fields, config)?;
        }
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_of_a_kind_are_found_through_its_definitions() {
        let config = from_crds(&json!({
            "pkg.Bee": {"Schema": {"properties": {
                "kind": {}, "apiVersion": {}, "metadata": {},
                "spec": {"$ref": "pkg.BeeSpec"},
            }}},
            "pkg.BeeSpec": {"Schema": {"properties": {
                "secret": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "Secret"},
                "again": {"$ref": "pkg.BeeSpec"},
            }}},
        }))
        .unwrap();
        assert_eq!(config.name_reference.len(), 1);
        let mut referrers = config.name_reference[0].referrers.iter();
        assert!(referrers.any(|spec| spec.path == "spec/secret/name" && spec.kind == "Bee"));
    }
}
