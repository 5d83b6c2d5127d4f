//! Strategic merge as kustomize does it: lists of known kinds merge by key, new items come first,
//! and only the directive `$patch` is honoured.
//!
//! The plain strategic merge of Kubernetes is [`crate::strategic_merge_patch`].

mod directive;
mod keyed_list;

use serde_json::{Map, Value};
use yaml::Step;

use crate::field_spec::FieldError;
use crate::schema::{NodeId, Schema};
use directive::{Directive, of_map};

/// Objects are merged this deep; the parser allows no more.
const MAX_DEPTH: usize = 256;

/// Why two objects could not be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategicMergeError {
    /// A directive that does not exist.
    #[error("unknown patch strategy '{strategy}'")]
    UnknownDirective {
        /// The directive.
        strategy: String,
    },
    /// The patch has another type at some place.
    #[error(transparent)]
    WrongKind(FieldError),
    /// The objects nest too deeply.
    #[error("objects that nest deeper than {MAX_DEPTH} levels cannot be merged")]
    TooDeep,
    /// Two lists would take too long to merge.
    #[error("lists of {length} items without unique keys cannot be merged")]
    ListTooLong {
        /// The items of both lists.
        length: usize,
    },
}

/// Merges a patch into an object; none if the patch deletes it.
///
/// Flux: a patch that replaces the whole object changes nothing.
///
/// # Errors
/// If a directive is unknown or the types differ.
pub(crate) fn merge(
    object: Map<String, Value>,
    patch: Map<String, Value>,
    schema: &Schema,
) -> Result<Option<Map<String, Value>>, StrategicMergeError> {
    let before = patch.contains_key("$patch").then(|| object.clone());
    let (object, patch) = (Value::Object(object), Value::Object(patch));
    let merged = Merger { schema }.walk(Some(object), Some(patch), None, 0)?;
    if merged.replaced {
        return Ok(before);
    }
    Ok(match merged.value {
        Some(Value::Object(fields)) => Some(fields),
        _ => None,
    })
}

/// Removes a field behind which the file has nothing, if it is one that a merge looks at.
///
/// Flux: what is known of a kind is walked even where the patch says nothing; a null that is written
/// there stays, one that is not is dropped (`VisitMap` of kyaml's `merge2`).
///
/// Limit: fields of a built-in kind that Kubernetes does not know are dropped as well, since the table
/// of merge keys does not list what holds no list.
pub(crate) fn drop_blank(object: &mut Map<String, Value>, blank: &[Step], schema: &Schema) {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(kind) = schema.kind(text("apiVersion"), text("kind")) else { return };
    let Some((Step::Key(last), steps)) = blank.split_last() else { return };
    let mut at = Some(kind);
    let mut fields = object;
    let mut steps = steps.iter();
    while let Some(Step::Key(key)) = steps.next() {
        at = at.and_then(|at| schema.field(at, key));
        let Some(mut value) = fields.get_mut(key) else { return };
        if let Value::Array(items) = value {
            let merges =
                at.filter(|at| schema.node(*at).is_some_and(|node| node.merge_by.is_some()));
            let (Some(keyed), Some(Step::Item(place))) = (merges, steps.next()) else { return };
            at = schema.elements(keyed);
            let Some(item) = items.get_mut(*place) else { return };
            value = item;
        }
        let Value::Object(below) = value else { return };
        fields = below;
    }
    if fields.get(last).is_some_and(|value| value.is_null() || value == "") {
        fields.remove(last);
    }
}

/// What came of two values, and which of them it was.
#[derive(Debug)]
struct Merged {
    value: Option<Value>,
    /// Whether the patch took the place of what was there.
    replaced: bool,
}

impl Merged {
    fn kept(value: Option<Value>) -> Self {
        Self { value, replaced: false }
    }

    fn replaced(value: Option<Value>) -> Self {
        Self { value, replaced: true }
    }

    fn removed() -> Self {
        Self::kept(None)
    }
}

struct Merger<'a> {
    schema: &'a Schema,
}

/// The shape of what is merged, which the first value that is there decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Nothing,
    Map,
    List,
    Scalar,
}

fn shape(value: Option<&Value>) -> Shape {
    match value {
        None | Some(Value::Null) => Shape::Nothing,
        Some(Value::Object(_)) => Shape::Map,
        Some(Value::Array(_)) => Shape::List,
        Some(_) => Shape::Scalar,
    }
}

impl Merger<'_> {
    fn walk(
        &self,
        old: Option<Value>,
        patch: Option<Value>,
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Merged, StrategicMergeError> {
        if depth > MAX_DEPTH {
            return Err(StrategicMergeError::TooDeep);
        }
        let at =
            at.or_else(|| self.schema_of(old.as_ref())).or_else(|| self.schema_of(patch.as_ref()));
        if patch.is_none() && at.is_none() {
            // Nothing is said of it, and nothing is known of it.
            return Ok(Merged::kept(old));
        }
        let wanted = match shape(old.as_ref()) {
            Shape::Nothing => shape(patch.as_ref()),
            wanted => wanted,
        };
        if let Some(patch) = &patch {
            check(wanted, patch)?;
        }
        match wanted {
            Shape::Map | Shape::Nothing => self.maps(old, patch, at, depth),
            Shape::List => match at.and_then(|at| self.schema.node(at)?.merge_by.as_deref()) {
                Some(keys) => {
                    let elements = at.and_then(|at| self.schema.elements(at));
                    self.keyed_lists(old, patch, keys, elements, depth)
                }
                None => Ok(override_with(old, patch)),
            },
            Shape::Scalar => Ok(override_with(old, patch)),
        }
    }

    fn maps(
        &self,
        old: Option<Value>,
        patch: Option<Value>,
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Merged, StrategicMergeError> {
        let Some(Value::Object(mut fields)) = old else {
            // A null that stands there stays, a null in the patch is nothing to add.
            return match patch {
                None => Ok(Merged::kept(old)),
                Some(Value::Object(mut patch)) => {
                    if matches!(of_map(&mut patch), Ok(Directive::Delete)) {
                        return Ok(Merged::removed());
                    }
                    Ok(Merged::replaced(Some(Value::Object(self.adopt_fields(patch, at, depth)?))))
                }
                Some(_) => Ok(Merged::removed()),
            };
        };
        let mut patch = match patch {
            None => None,
            Some(Value::Object(patch)) => Some(patch),
            Some(_) => return Ok(Merged::removed()),
        };
        if let Some(patch) = &mut patch {
            match of_map(patch)? {
                Directive::Delete => return Ok(Merged::removed()),
                Directive::Replace => {
                    let patch = std::mem::take(patch);
                    let fields = self.adopt_fields(patch, at, depth)?;
                    return Ok(Merged::replaced(Some(Value::Object(fields))));
                }
                Directive::Merge => {}
            }
        }
        let Some(patch) = patch else {
            let node = at.and_then(|at| self.schema.node(at));
            for (key, value) in &mut fields {
                let below = node.and_then(|node| node.fields.get(key).copied().or(node.values));
                let merged = self.walk(Some(value.take()), None, below, depth + 1)?;
                *value = merged.value.unwrap_or(Value::Null);
            }
            return Ok(Merged::kept(Some(Value::Object(fields))));
        };
        // Fields that the patch does not name may still hold lists whose items collapse.
        if let Some(at) = at {
            for (key, value) in &mut fields {
                if !patch.contains_key(key)
                    && let Some(below) = self.schema.field(at, key)
                {
                    let merged = self.walk(Some(value.take()), None, Some(below), depth + 1)?;
                    *value = merged.value.unwrap_or(Value::Null);
                }
            }
        }
        for (key, value) in patch {
            let below = at.and_then(|at| self.schema.field(at, &key));
            let merged = self.walk(fields.remove(&key), Some(value), below, depth + 1)?;
            match merged.value {
                None | Some(Value::Null) => {}
                Some(value) => {
                    fields.insert(key, value);
                }
            }
        }
        Ok(Merged::kept(Some(Value::Object(fields))))
    }

    /// A value of a patch that meets nothing: its directives are obeyed, its nulls dropped.
    fn adopt(
        &self,
        value: Value,
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Option<Value>, StrategicMergeError> {
        if depth > MAX_DEPTH {
            return Err(StrategicMergeError::TooDeep);
        }
        let at = at.or_else(|| self.schema_of(Some(&value)));
        Ok(match value {
            Value::Null => None,
            Value::Object(mut fields) => match of_map(&mut fields)? {
                Directive::Delete => None,
                Directive::Merge | Directive::Replace => {
                    Some(Value::Object(self.adopt_fields(fields, at, depth)?))
                }
            },
            Value::Array(items) => {
                match at.and_then(|at| self.schema.node(at)?.merge_by.as_deref()) {
                    Some(keys) => {
                        let elements = at.and_then(|at| self.schema.elements(at));
                        self.keyed_lists(None, Some(Value::Array(items)), keys, elements, depth)?
                            .value
                    }
                    None => Some(Value::Array(items)),
                }
            }
            scalar => Some(scalar),
        })
    }

    fn adopt_fields(
        &self,
        fields: Map<String, Value>,
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Map<String, Value>, StrategicMergeError> {
        let mut adopted = Map::new();
        for (key, value) in fields {
            let below = at.and_then(|at| self.schema.field(at, &key));
            if let Some(value) = self.adopt(value, below, depth + 1)? {
                adopted.insert(key, value);
            }
        }
        Ok(adopted)
    }

    /// The schema of a value that says which kind of object it is.
    fn schema_of(&self, value: Option<&Value>) -> Option<NodeId> {
        let Value::Object(fields) = value? else { return None };
        self.schema.kind(fields.get("apiVersion")?.as_str()?, fields.get("kind")?.as_str()?)
    }
}

fn override_with(old: Option<Value>, patch: Option<Value>) -> Merged {
    match patch {
        None => Merged::kept(old),
        Some(patch) => Merged::replaced(Some(patch)),
    }
}

fn check(wanted: Shape, patch: &Value) -> Result<(), StrategicMergeError> {
    let found = shape(Some(patch));
    let name = match wanted {
        _ if found == wanted || found == Shape::Nothing => return Ok(()),
        Shape::Nothing => return Ok(()),
        Shape::Map => "MappingNode",
        Shape::List => "SequenceNode",
        Shape::Scalar => "ScalarNode",
    };
    Err(StrategicMergeError::WrongKind(FieldError::wrong_kind(name, patch)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(object: Value, patch: Value) -> Value {
        let (Value::Object(object), Value::Object(patch)) = (object, patch) else { panic!() };
        let merged = merge(object, patch, &Schema::built_in()).unwrap();
        merged.map_or(Value::Null, Value::Object)
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    fn pod(spec: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "spec": spec})
    }

    #[test]
    fn containers_merge_by_name_and_new_ones_come_first() {
        let old = pod(json!({"containers": [{"name": "a", "image": "a:1"}, {"name": "b"}]}));
        let patch =
            pod(json!({"containers": [{"name": "c"}, {"name": "a", "image": "a:2", "tty": null}]}));
        let new = pod(
            json!({"containers": [{"name": "c"}, {"name": "a", "image": "a:2"}, {"name": "b"}]}),
        );
        assert_eq!(merged(old, patch), new);
    }

    #[test]
    fn lists_of_unknown_kinds_are_replaced_and_nulls_remove() {
        let old = json!({"kind": "X", "list": [{"name": "a"}], "gone": 1, "kept": null});
        let patch =
            json!({"kind": "X", "list": [{"name": "b"}], "gone": null, "new": {"x": null, "y": 1}});
        let new = json!({"kind": "X", "list": [{"name": "b"}], "kept": null, "new": {"y": 1}});
        assert_eq!(merged(old, patch), new);
    }

    #[test]
    fn what_is_left_out_goes_where_the_schema_knows_it() {
        let Value::Object(mut object) = json!({
            "apiVersion": "v1", "kind": "Pod", "list": [{"a": null}],
            "spec": {"affinity": {"nodeAffinity": null}, "containers": [{"name": "a", "env": null}]},
        }) else {
            panic!()
        };
        let key = |name: &str| Step::Key(name.to_owned());
        for blank in [
            vec![key("list"), Step::Item(0), key("a")],
            vec![key("spec"), key("affinity"), key("nodeAffinity")],
            vec![key("spec"), key("containers"), Step::Item(0), key("env")],
        ] {
            drop_blank(&mut object, &blank, &Schema::built_in());
        }
        let left = json!({
            "apiVersion": "v1", "kind": "Pod", "list": [{"a": null}],
            "spec": {"affinity": {}, "containers": [{"name": "a"}]},
        });
        assert_eq!(Value::Object(object), left);
    }

    #[test]
    fn directives_delete_and_replace() {
        let old =
            pod(json!({"containers": [{"name": "a"}, {"name": "b"}], "volumes": [{"name": "v"}]}));
        let patch = pod(json!({
            "containers": [{"name": "a", "$patch": "delete"}],
            "volumes": [{"name": "w"}, {"$patch": "replace"}],
        }));
        let new = pod(json!({"containers": [{"name": "b"}], "volumes": [{"name": "w"}]}));
        assert_eq!(merged(old.clone(), patch), new);
        assert_eq!(merged(old, json!({"$patch": "delete"})), Value::Null);
    }

    #[test]
    fn a_patch_of_another_type_is_refused() {
        let (Value::Object(old), Value::Object(patch)) =
            (json!({"data": {"a": "b"}}), json!({"data": "text"}))
        else {
            panic!()
        };
        let error = merge(old, patch, &Schema::built_in()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("wrong node kind: expected MappingNode but got ScalarNode")
        );
    }
}
