//! Paths with list indices and selectors, as replacements and vars write them.

use go_regex::Regex;
use serde_json::{Map, Value};

use crate::documents;
use crate::field_spec::{FieldError, split_path};
use crate::selector::regex;
use crate::value::{is_scalar, text};

/// One step of a place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// What is made at the end of a path that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    Scalar,
    Map,
    List,
}

impl Create {
    /// A new value of the same kind.
    pub(crate) fn like(value: &Value) -> Self {
        match value {
            Value::Object(_) => Self::Map,
            Value::Array(_) => Self::List,
            _ => Self::Scalar,
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Scalar => Value::Null,
            Self::Map => Value::Object(Map::new()),
            Self::List => Value::Array(Vec::new()),
        }
    }
}

/// Why a path cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// An index beyond the list.
    #[error("index {index} specified but only {length} elements found")]
    NoIndex {
        /// The index.
        index: usize,
        /// The length of the list.
        length: usize,
    },
    /// Brackets without `name=value` in them.
    #[error("list path element must contain fieldName=fieldValue for element to match")]
    NoSelector,
    /// A star where one value is wanted.
    #[error("wildcard is not supported in PathGetter")]
    Wildcard,
    /// A negative index.
    #[error("array index {index} cannot be negative")]
    Negative {
        /// The index.
        index: i64,
    },
    /// A value of another kind stands in the way.
    #[error(transparent)]
    Kind(FieldError),
    /// A selector that is no regular expression.
    #[error("error parsing regexp: `{pattern}`")]
    Regex {
        /// The expression.
        pattern: String,
    },
    /// A text that is to be walked is no YAML.
    #[error("{reason}")]
    Text {
        /// What the parser says.
        reason: String,
    },
}

/// Where a path leads.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The places in the document.
    pub(crate) places: Vec<Vec<Step>>,
    /// How many lie inside of texts, where nothing can be changed.
    pub(crate) detached: usize,
}

/// Splits a path at dots, save in brackets and behind backslashes.
pub(crate) fn split(path: &str) -> Vec<String> {
    let mut parts = split_path(path, '.').into_iter();
    let mut found = Vec::new();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            found.push(part);
            continue;
        }
        let mut bracketed = part;
        for more in parts.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if bracketed.contains('=') {
            found.push(bracketed);
        } else {
            found.push(bracketed.trim_matches(['[', ']']).to_owned());
        }
    }
    found
}

fn is_selector(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

fn as_index(part: &str) -> Option<usize> {
    part.parse::<i64>().ok().and_then(|index| usize::try_from(index).ok())
}

fn selector(part: &str) -> Result<(&str, &str), PathError> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    inner.strip_prefix('[').unwrap_or(inner).split_once('=').ok_or(PathError::NoSelector)
}

fn wrong_kind(expected: &'static str, found: &Value) -> PathError {
    PathError::Kind(FieldError::wrong_kind(expected, found))
}

/// Follows a path to one value; none if it is not there.
pub(crate) fn lookup<'a>(root: &'a Value, path: &[String]) -> Result<Option<&'a Value>, PathError> {
    let mut at = root;
    for part in path.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        let items = |value: &'a Value| match value {
            Value::Array(items) => Ok(Some(items)),
            Value::Null => Ok(None),
            other => Err(wrong_kind("SequenceNode", other)),
        };
        let next = if let Ok(index) = part.parse::<i64>() {
            let place = usize::try_from(index).ok().ok_or(PathError::Negative { index })?;
            items(at)?.and_then(|items| items.get(place))
        } else if part == "-" {
            items(at)?.and_then(|items| items.last())
        } else if part == "*" {
            return Err(PathError::Wildcard);
        } else if is_selector(part) {
            let (name, value) = selector(part)?;
            items(at)?.and_then(|items| {
                items.iter().find(|item| match item {
                    Value::Object(fields) if !name.is_empty() => {
                        fields.get(name).is_some_and(|have| text(have) == value)
                    }
                    item => name.is_empty() && text(item) == value,
                })
            })
        } else {
            match at {
                Value::Object(fields) => fields.get(part),
                Value::Null => None,
                other => return Err(wrong_kind("MappingNode", other)),
            }
        };
        let Some(next) = next else { return Ok(None) };
        at = next;
    }
    Ok(Some(at))
}

/// The value at a place.
pub(crate) fn at_mut<'a>(root: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    let mut at = root;
    for step in place {
        at = match (at, step) {
            (Value::Object(fields), Step::Key(key)) => fields.get_mut(key)?,
            (Value::Array(items), Step::Index(index)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(at)
}

/// Follows a path to all values that it names; with `create`, makes what is missing.
pub(crate) fn find(
    root: &mut Value,
    path: &[String],
    create: Option<Create>,
) -> Result<Found, PathError> {
    let mut found = Found::default();
    let mut walk = Walk { create, found: &mut found, place: Vec::new() };
    walk.follow(root, path)?;
    Ok(found)
}

struct Walk<'a> {
    create: Option<Create>,
    found: &'a mut Found,
    place: Vec<Step>,
}

/// What is made where `next` is to be followed.
fn made_for(next: Option<&String>, create: Create) -> Value {
    match next {
        None => create.value(),
        Some(next) if is_selector(next) || as_index(next).is_some() => Value::Array(Vec::new()),
        Some(next) if next.is_empty() => create.value(),
        Some(_) => Value::Object(Map::new()),
    }
}

impl Walk<'_> {
    fn follow(&mut self, at: &mut Value, path: &[String]) -> Result<(), PathError> {
        let Some((part, rest)) = path.split_first() else {
            self.found.places.push(self.place.clone());
            return Ok(());
        };
        if let Some(index) = as_index(part) {
            self.index(at, index, rest)
        } else if is_selector(part) {
            self.select(at, part, rest)
        } else if part == "*" {
            match at {
                Value::Array(items) => {
                    for (number, item) in items.iter_mut().enumerate() {
                        self.step(Step::Index(number), item, rest)?;
                    }
                    Ok(())
                }
                Value::Null => Ok(()),
                other => Err(wrong_kind("SequenceNode", other)),
            }
        } else {
            self.field(at, part, rest)
        }
    }

    fn step(&mut self, step: Step, at: &mut Value, rest: &[String]) -> Result<(), PathError> {
        self.place.push(step);
        self.follow(at, rest)?;
        self.place.pop();
        Ok(())
    }

    fn index(&mut self, at: &mut Value, index: usize, rest: &[String]) -> Result<(), PathError> {
        if at.is_null() && self.create.is_some() {
            *at = Value::Array(Vec::new());
        }
        let items = match at {
            Value::Array(items) => items,
            Value::Null => return Err(PathError::NoIndex { index, length: 0 }),
            other => return Err(wrong_kind("SequenceNode", other)),
        };
        if let Some(create) = self.create
            && items.len() == index
        {
            items.push(made_for(rest.first(), create));
        }
        let length = items.len();
        let item = items.get_mut(index).ok_or(PathError::NoIndex { index, length })?;
        self.step(Step::Index(index), item, rest)
    }

    fn select(&mut self, at: &mut Value, part: &str, rest: &[String]) -> Result<(), PathError> {
        let (name, pattern) = selector(part)?;
        let matcher =
            regex(pattern).map_err(|_error| PathError::Regex { pattern: pattern.to_owned() })?;
        if at.is_null() && self.create.is_some() {
            *at = Value::Array(Vec::new());
        }
        let items = match at {
            Value::Array(items) => items,
            Value::Null => return Ok(()),
            other => return Err(wrong_kind("SequenceNode", other)),
        };
        let before = self.found.places.len() + self.found.detached;
        self.select_in(items, name, &matcher, rest)?;
        if self.create.is_none() || self.found.places.len() + self.found.detached > before {
            return Ok(());
        }
        let made = crate::value::plain(pattern);
        items.push(if name.is_empty() {
            made
        } else {
            Value::Object(Map::from_iter([(name.to_owned(), made)]))
        });
        self.select_in(items, name, &matcher, rest)
    }

    fn select_in(
        &mut self,
        items: &mut [Value],
        name: &str,
        matcher: &Regex,
        rest: &[String],
    ) -> Result<(), PathError> {
        for (number, item) in items.iter_mut().enumerate() {
            if name.is_empty() {
                if matcher.is_match(&text(item)) {
                    // Flux: what follows a selector of scalars is not looked at.
                    self.step(Step::Index(number), item, &[])?;
                }
            } else if item.get(name).is_some_and(|have| matcher.is_match(&text(have))) {
                self.step(Step::Index(number), item, rest)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, at: &mut Value, name: &str, rest: &[String]) -> Result<(), PathError> {
        if at.is_null() && self.create.is_some() {
            *at = Value::Object(Map::new());
        }
        let fields = match at {
            Value::Object(fields) => fields,
            Value::Null => return Ok(()),
            other => return Err(wrong_kind("MappingNode", other)),
        };
        if let Some(create) = self.create
            && !fields.contains_key(name)
        {
            fields.insert(name.to_owned(), made_for(rest.first(), create));
        }
        let Some(field) = fields.get_mut(name) else { return Ok(()) };
        if is_scalar(field) && !rest.is_empty() {
            // The text may be YAML; kustomize looks into it, but what it finds there stays as it is.
            let parsed = documents::structured(&text(field));
            let mut parsed =
                parsed.map_err(|error| PathError::Text { reason: error.to_string() })?;
            let inside = find(&mut parsed, rest, self.create)?;
            self.found.detached += inside.places.len() + inside.detached;
            return Ok(());
        }
        self.step(Step::Key(name.to_owned()), field, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Vec<String> {
        split(text)
    }

    #[test]
    fn dots_in_brackets_and_behind_backslashes_do_not_split() {
        assert_eq!(path("a.[name=x.y].b"), ["a", "[name=x.y]", "b"]);
        assert_eq!(path(r"metadata.annotations.a\.b/c"), ["metadata", "annotations", "a.b/c"]);
        assert_eq!(path("a.[b.c/d].e"), ["a", "b.c/d", "e"]);
    }

    #[test]
    fn all_values_of_a_path_are_found() {
        let mut root = json!({"l": [{"name": "a", "v": 1}, {"name": "b", "v": 2}]});
        assert_eq!(find(&mut root, &path("l.*.v"), None).unwrap().places.len(), 2);
        assert_eq!(find(&mut root, &path("l.[name=b].v"), None).unwrap().places.len(), 1);
        assert_eq!(find(&mut root, &path("l.[name=c].v"), None).unwrap().places.len(), 0);
        let error = find(&mut root, &path("l.2.v"), None).unwrap_err();
        assert_eq!(error, PathError::NoIndex { index: 2, length: 2 });
    }

    #[test]
    fn what_is_missing_is_made() {
        let mut root = json!({});
        let found = find(&mut root, &path("a.[name=x].b"), Some(Create::Scalar)).unwrap();
        *at_mut(&mut root, &found.places[0]).unwrap() = json!("v");
        assert_eq!(root, json!({"a": [{"name": "x", "b": "v"}]}));
    }
}
