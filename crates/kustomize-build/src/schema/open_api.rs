//! A schema that a kustomization brings along: an OpenAPI document with `definitions`.

use std::collections::HashMap;

use serde_json::Value;

use super::merge_keys::{Builder, Node, NodeId, Schema};

/// A definition may nest this deep.
const MAX_DEPTH: usize = 64;

/// Why a document is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// The document is no object.
    #[error("invalid schema file: the document is no object")]
    NotAnObject,
    /// Definitions nest too deeply.
    #[error("invalid schema file: `{definition}` nests deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// The definition in question.
        definition: String,
    },
}

/// Reads the merge keys from an OpenAPI document.
///
/// # Errors
/// If the document is no object, or nests too deeply.
pub(crate) fn parse(document: &Value) -> Result<Schema, OpenApiError> {
    let Value::Object(document) = document else { return Err(OpenApiError::NotAnObject) };
    let mut builder = Builder::default();
    let mut definitions: HashMap<&str, NodeId> = HashMap::new();
    let Some(Value::Object(all)) = document.get("definitions") else { return Ok(builder.build()) };
    for name in all.keys() {
        definitions.insert(name, builder.reserve());
    }
    for (name, definition) in all {
        let node = node(definition, &definitions, &mut builder, 0)
            .ok_or_else(|| OpenApiError::TooDeep { definition: name.clone() })?;
        let Some(id) = definitions.get(name.as_str()).copied() else { continue };
        builder.set(id, node);
        let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        for gvk in kinds.into_iter().flatten() {
            let part = |name: &str| gvk.get(name).and_then(Value::as_str).unwrap_or_default();
            let api_version = match part("group") {
                "" => part("version").to_owned(),
                group => format!("{group}/{}", part("version")),
            };
            builder.kind(api_version, part("kind").to_owned(), id);
        }
    }
    Ok(builder.build())
}

/// What a schema says; none if it nests too deeply.
fn node(
    schema: &Value,
    definitions: &HashMap<&str, NodeId>,
    builder: &mut Builder,
    depth: usize,
) -> Option<Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut below = |schema: &Value| -> Option<NodeId> {
        if let Some(id) = reference(schema, definitions) {
            // A field may say how it merges beside its reference; only lists do, which have none.
            return Some(id);
        }
        let node = node(schema, definitions, builder, depth + 1)?;
        Some(builder.add(node))
    };
    let mut found = Node { merge_by: merge_by(schema), ..Node::default() };
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (name, property) in properties {
            found.fields.insert(name.clone(), below(property)?);
        }
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        found.values = Some(below(values)?);
    }
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        found.elements = Some(below(items)?);
    }
    Some(found)
}

fn reference(schema: &Value, definitions: &HashMap<&str, NodeId>) -> Option<NodeId> {
    let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
    definitions.get(name).copied()
}

fn merge_by(schema: &Value) -> Option<Vec<String>> {
    let strategy = schema.get("x-kubernetes-patch-strategy")?.as_str()?;
    if !strategy.split(',').any(|strategy| strategy == "merge") {
        return None;
    }
    if let Some(Value::Array(keys)) = schema.get("x-kubernetes-list-map-keys") {
        return Some(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let key = schema.get("x-kubernetes-patch-merge-key").and_then(Value::as_str);
    Some(key.into_iter().map(str::to_owned).collect())
}
