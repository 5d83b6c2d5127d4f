//! What a build answers.

use manifest::Object;
use serde_json::{Map, Value};

use crate::emit;
use crate::error::Error;

/// The resources of a build, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Built {
    /// The documents. Each has a kind and a name, or is a list; an `apiVersion` may be missing.
    pub documents: Vec<Map<String, Value>>,
    /// What kustomize would print besides: deprecated fields, vars that nothing uses.
    pub warnings: Vec<String>,
}

impl Built {
    /// The documents as `kustomize build` prints them.
    pub fn to_yaml(&self) -> String {
        emit::stream(&self.documents)
    }

    /// The documents as Kubernetes objects.
    ///
    /// Flux: lists are expanded, and objects of `kustomize.config.k8s.io` are dropped.
    ///
    /// # Errors
    /// If a document lacks its `apiVersion`, kind or name.
    pub fn into_objects(self) -> Result<Vec<Object>, Error> {
        let mut objects = Vec::with_capacity(self.documents.len());
        for document in self.documents {
            let api_version =
                document.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
            if api_version.starts_with("kustomize.config.k8s.io/") {
                continue;
            }
            let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
            if kind.ends_with("List") && document.get("items").is_some_and(Value::is_array) {
                let Some(Value::Array(items)) =
                    document.into_iter().find_map(|(key, value)| (key == "items").then_some(value))
                else {
                    continue;
                };
                for item in items {
                    objects.push(object(item)?);
                }
                continue;
            }
            objects.push(object(Value::Object(document))?);
        }
        Ok(objects)
    }
}

fn object(document: Value) -> Result<Object, Error> {
    let text = emit::json_value(&document);
    Object::new(document).map_err(|source| Error::NotAnObject { document: text, source })
}
