//! A path into objects of certain kinds, and how its end is found, made and changed.

use manifest::Gvk;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::budget::{Budget, Overspent, entry_weight, weight};
use crate::identity::gvk_selected;
use crate::value::{node_kind, text};

/// Which field of which kinds a transformer changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
pub(crate) struct FieldSpec {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    /// Names between slashes; a slash of a name is written `\/`, and `[]` marks a list.
    pub(crate) path: String,
    /// Whether the field is made where it is absent.
    pub(crate) create: bool,
}

/// What is made where a field is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    Scalar,
    Map,
}

/// Why a field could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The path leads into a scalar.
    #[error("expected sequence or mapping node")]
    NotWalkable,
    /// The path has an empty name.
    #[error("cannot set or create an empty field name")]
    EmptyName,
    /// The field is of another kind than the transformer can change.
    #[error("wrong node kind: expected {expected} but got {found}: node contents:\n{contents}")]
    WrongKind {
        /// The kind that was expected.
        expected: &'static str,
        /// The kind that was found.
        found: &'static str,
        /// The field as YAML.
        contents: String,
    },
    /// The transformer refused the value.
    #[error("{message}")]
    Refused {
        /// Why, as kustomize words it.
        message: String,
    },
    /// The build writes more than it may.
    #[error(transparent)]
    Overspent(#[from] Overspent),
    /// It happened below a list.
    #[error("visit traversal on path: [{path}]")]
    Visiting {
        /// The names that were still to walk.
        path: String,
        /// What happened.
        source: Box<Self>,
    },
}

impl FieldError {
    pub(crate) fn wrong_kind(expected: &'static str, found: &Value) -> Self {
        Self::WrongKind {
            expected,
            found: node_kind(found),
            contents: crate::emit::document(found),
        }
    }

    /// The error at the root of this one.
    pub(crate) fn root(&self) -> &Self {
        match self {
            Self::Visiting { source, .. } => source.root(),
            other => other,
        }
    }
}

impl FieldSpec {
    /// A field of every kind.
    pub(crate) fn everywhere(path: &str, create: bool) -> Self {
        Self { path: path.to_owned(), create, ..Self::default() }
    }

    pub(crate) fn gvk(&self) -> Gvk {
        Gvk { group: self.group.clone(), version: self.version.clone(), kind: self.kind.clone() }
    }

    /// Whether objects of this kind have the field.
    pub(crate) fn selects(&self, gvk: &Gvk) -> bool {
        let allows = |want: &str, have: &str| want.is_empty() || want == have;
        allows(&self.group, &gvk.group)
            && allows(&self.version, &gvk.version)
            && allows(&self.kind, &gvk.kind)
    }

    /// Whether `self`, which is known, says all that `other` does.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.path == other.path && gvk_selected(&self.gvk(), &other.gvk())
    }

    pub(crate) fn segments(&self) -> Vec<String> {
        split_path(&self.path, '/')
    }
}

/// Splits a path at a delimiter, save where a backslash stands before it.
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts = path.split(delimiter).peekable();
    let mut found: Vec<String> = Vec::new();
    if path.starts_with(delimiter) {
        parts.next();
    }
    for part in parts {
        match found.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => found.push(part.to_owned()),
        }
    }
    found
}

/// Changes every value at the end of `path` below `object`.
pub(crate) fn visit<F>(
    object: &mut Value,
    path: &[String],
    create: Option<Make>,
    change: &mut F,
) -> Result<(), FieldError>
where
    F: FnMut(&mut Value) -> Result<(), FieldError>,
{
    if path.is_empty() {
        return change(object);
    }
    match object {
        Value::Null => Ok(()),
        Value::Array(items) => {
            for item in items {
                visit(item, path, create, change).map_err(|source| FieldError::Visiting {
                    path: path.join(" "),
                    source: Box::new(source),
                })?;
            }
            Ok(())
        }
        Value::Object(fields) => visit_map(fields, path, create, change),
        _ => Err(FieldError::NotWalkable),
    }
}

/// The same for an object whose fields are at hand.
pub(crate) fn visit_map<F>(
    fields: &mut Map<String, Value>,
    path: &[String],
    create: Option<Make>,
    change: &mut F,
) -> Result<(), FieldError>
where
    F: FnMut(&mut Value) -> Result<(), FieldError>,
{
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let (name, is_list) = first.strip_suffix("[]").map_or((first.as_str(), false), |n| (n, true));
    if name.is_empty() {
        return Err(FieldError::EmptyName);
    }
    let made = match create {
        _ if is_list => None,
        None => None,
        Some(Make::Scalar) if rest.is_empty() => Some(Value::from("")),
        Some(_) => Some(Value::Object(Map::new())),
    };
    let field = match (fields.get_mut(name), made) {
        (Some(field), made) => {
            if field.is_null() {
                if is_list {
                    *field = Value::Array(Vec::new());
                } else if let Some(made) = made {
                    *field = made;
                }
            }
            field
        }
        (None, None) => return Ok(()),
        (None, Some(made)) => fields.entry(name).or_insert(made),
    };
    visit(field, rest, create, change)
}

/// Sets a scalar; what is no scalar is an error, null is replaced.
pub(crate) fn set_scalar(slot: &mut Value, new: Value, budget: &Budget) -> Result<(), FieldError> {
    if slot.is_array() || slot.is_object() {
        return Err(FieldError::wrong_kind("ScalarNode", slot));
    }
    budget.spend(weight(&new))?;
    *slot = new;
    Ok(())
}

/// Sets an entry of a map; what is no map is an error.
pub(crate) fn set_entry(
    slot: &mut Value,
    key: &str,
    new: &str,
    budget: &Budget,
) -> Result<(), FieldError> {
    match slot {
        Value::Object(fields) => {
            let new = Value::from(new);
            budget.spend(entry_weight(key, &new))?;
            fields.insert(key.to_owned(), new);
            Ok(())
        }
        Value::Null => Ok(()),
        other => Err(FieldError::wrong_kind("MappingNode", other)),
    }
}

/// The text of a scalar that is to be changed.
pub(crate) fn scalar_text(slot: &Value) -> Result<String, FieldError> {
    if slot.is_array() || slot.is_object() {
        return Err(FieldError::wrong_kind("ScalarNode", slot));
    }
    Ok(text(slot))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slash_of_a_name_is_escaped() {
        assert_eq!(
            split_path(r"metadata/annotations/a.io\/b", '/'),
            ["metadata", "annotations", "a.io/b"]
        );
        assert_eq!(split_path("/a/b", '/'), ["a", "b"]);
        assert_eq!(split_path("a", '/'), ["a"]);
    }

    #[test]
    fn lists_are_walked_and_maps_are_made() {
        let mut object = json!({"spec": {"a": [{"x": "1"}, {"y": 1}], "n": null}});
        let mut seen = Vec::new();
        let path = split_path("spec/a/x", '/');
        visit(&mut object, &path, None, &mut |value| {
            seen.push(value.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [json!("1")]);
        let path = split_path("spec/t/labels", '/');
        visit(&mut object, &path, Some(Make::Map), &mut |value| {
            set_entry(value, "k", "v", &Budget::new(1 << 10))
        })
        .unwrap();
        assert_eq!(object["spec"]["t"], json!({"labels": {"k": "v"}}));
    }

    #[test]
    fn a_path_through_a_scalar_is_an_error() {
        let mut object = json!({"spec": 1});
        let path = split_path("spec/a", '/');
        let error = visit(&mut object, &path, None, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error, FieldError::NotWalkable);
    }
}
