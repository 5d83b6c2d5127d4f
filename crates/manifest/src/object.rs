//! An object as the API server sees it: a JSON object with a kind, a version and a name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Gvk, ObjectId};

/// A Kubernetes object of any kind. Always has an `apiVersion`, a `kind` and a `metadata.name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Object(Map<String, Value>);

/// Why a document is not a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The document is a list, a string or some other value.
    #[error("not an object")]
    NotAnObject,
    /// A field that every object has is absent, empty, or no string.
    #[error("missing {field}")]
    Missing {
        /// The path of the field, as in `metadata.name`.
        field: &'static str,
    },
}

impl Object {
    /// Takes a document for an object.
    ///
    /// # Errors
    /// If it is no JSON object, or has no `apiVersion`, `kind` or `metadata.name`.
    pub fn new(document: Value) -> Result<Self, ObjectError> {
        let Value::Object(fields) = document else { return Err(ObjectError::NotAnObject) };
        let object = Self(fields);
        for (field, value) in [
            ("apiVersion", object.api_version()),
            ("kind", object.kind()),
            ("metadata.name", object.name()),
        ] {
            if value.is_empty() {
                return Err(ObjectError::Missing { field });
            }
        }
        Ok(object)
    }

    /// The `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    /// The `kind`.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// The `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata_text("name")
    }

    /// The `metadata.namespace`; empty if there is none.
    pub fn namespace(&self) -> &str {
        self.metadata_text("namespace")
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    /// What identifies the object in a cluster.
    pub fn id(&self) -> ObjectId {
        let Gvk { group, kind, .. } = self.gvk();
        ObjectId {
            group,
            kind,
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// The value of a label, if it is set.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(key)?.as_str()
    }

    /// The value of an annotation, if it is set.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(key)?.as_str()
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_metadata_entry("labels", key, value);
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_metadata_entry("annotations", key, value);
    }

    /// Sets the namespace.
    pub fn set_namespace(&mut self, namespace: &str) {
        self.metadata_mut().insert("namespace".to_owned(), Value::from(namespace));
    }

    /// The metadata; none if the object has been robbed of it.
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.0.get("metadata")?.as_object()
    }

    /// The metadata, made if it is absent.
    pub fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        object_entry(&mut self.0, "metadata")
    }

    /// All fields.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All fields, to change. Identity must stay in place.
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The object as a document.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata_text(&self, field: &str) -> &str {
        self.metadata().and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or_default()
    }

    fn set_metadata_entry(&mut self, map: &str, key: &str, value: &str) {
        object_entry(self.metadata_mut(), map).insert(key.to_owned(), Value::from(value));
    }
}

impl TryFrom<Value> for Object {
    type Error = ObjectError;

    fn try_from(document: Value) -> Result<Self, Self::Error> {
        Self::new(document)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        object.into_value()
    }
}

/// The object under `key`; whatever else stands there is replaced by an empty one.
fn object_entry<'a>(fields: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let slot = fields.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("the slot was just made an object"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_knows_who_it_is() {
        let object = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}},
        }))
        .unwrap();
        assert_eq!(object.id().to_string(), "Deployment/shop/web");
        assert_eq!(object.gvk().api_version(), "apps/v1");
        assert_eq!(object.label("a"), Some("b"));
        assert_eq!(object.annotation("a"), None);
    }

    #[test]
    fn a_document_without_identity_is_refused() {
        assert_eq!(Object::new(json!([])), Err(ObjectError::NotAnObject));
        let error = Object::new(json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err();
        assert_eq!(error.to_string(), "missing metadata.name");
        assert!(serde_json::from_value::<Object>(json!({"kind": "Pod"})).is_err());
    }

    #[test]
    fn labels_are_set_even_where_none_were() {
        let mut object = Object::new(
            json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "x", "labels": null}}),
        )
        .unwrap();
        object.set_label("k", "v");
        assert_eq!(object.label("k"), Some("v"));
    }
}
