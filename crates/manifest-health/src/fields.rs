//! The fields that decide, read with their types.

use manifest::Object;
use serde_json::{Map, Value};

/// A field has another type than it must have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A number is no number, or stands in something that is no object.
    #[error(
        "looking up {path} from resource: .{path} accessor error: {value} is of the type {found}, \
         expected {expected}"
    )]
    Type {
        /// The path of the field.
        path: String,
        /// What stands there.
        value: String,
        /// The Go type of what stands there.
        found: &'static str,
        /// The Go type that must stand there.
        expected: &'static str,
    },
    /// The conditions are no list.
    #[error("cannot restore slice from {found}")]
    Conditions {
        /// What they are.
        found: &'static str,
    },
    /// A field of a condition is no string.
    #[error("unrecognized type: string")]
    Condition,
}

/// The fields of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

/// A condition, empty where it says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Condition<'a> {
    pub(crate) type_: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(object: &'a Object) -> Self {
        Self(object.fields())
    }

    /// What stands at `section.name`, where a name may have dots; null counts as nothing.
    pub(crate) fn at(self, section: &str, name: &str) -> Option<&'a Value> {
        let section = self.0.get(section)?;
        let found = name.split('.').try_fold(section, |value, name| value.get(name))?;
        Some(found).filter(|value| !value.is_null())
    }

    /// The integer at `section.name`, if there is something.
    pub(crate) fn integer(self, section: &str, name: &str) -> Result<Option<i64>, FieldError> {
        let path = || format!("{section}.{name}");
        let holder = self.0.get(section).filter(|value| !value.is_null());
        if let Some(holder) = holder.filter(|value| !value.is_object()) {
            return Err(type_error(path(), holder, "map[string]interface{}"));
        }
        match self.at(section, name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(integer) => Ok(Some(integer)),
                None => Err(type_error(path(), value, "int64")),
            },
        }
    }

    /// A count of the status, 0 where it is not set.
    pub(crate) fn count(self, name: &str) -> Result<i64, FieldError> {
        Ok(self.integer("status", name)?.unwrap_or(0))
    }

    /// A text, empty where it is not set.
    pub(crate) fn text(self, section: &str, name: &str) -> &'a str {
        self.at(section, name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The conditions, in order.
    pub(crate) fn conditions(self) -> Result<Vec<Condition<'a>>, FieldError> {
        let Some(conditions) = self.at("status", "conditions") else { return Ok(Vec::new()) };
        let Value::Array(conditions) = conditions else {
            return Err(FieldError::Conditions { found: go_kind(conditions) });
        };
        conditions.iter().map(condition).collect()
    }

    /// A condition that is claimed.
    pub(crate) fn condition(self, type_: &str) -> Result<Option<Condition<'a>>, FieldError> {
        Ok(self.conditions()?.into_iter().find(|condition| condition.type_ == type_))
    }
}

fn condition(value: &Value) -> Result<Condition<'_>, FieldError> {
    let text = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(FieldError::Condition),
    };
    Ok(Condition {
        type_: text("type")?,
        status: text("status")?,
        reason: text("reason")?,
        message: text("message")?,
    })
}

fn type_error(path: String, value: &Value, expected: &'static str) -> FieldError {
    let found = match value {
        Value::Object(_) => "map[string]interface {}",
        Value::Array(_) => "[]interface {}",
        Value::Number(number) if number.is_f64() => "float64",
        _ => go_kind(value),
    };
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    FieldError::Type { path, value, found, expected }
}

const fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}
