//! Reads a document as Go's JSON decoder reads it into a struct: names in any case, nulls skipped,
//! and its words for what does not fit.

use serde_json::{Map, Value};

use crate::value::text;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Text,
    Flag,
    Int(&'static str),
    Texts,
    /// Texts that have a type of their own.
    NamedTexts(&'static str),
    TextMap,
    One(&'static Struct),
    /// A list of structs, and what Go calls its type.
    Many(&'static Struct, &'static str),
    /// Anything: it is read elsewhere.
    Any,
}

/// A struct: what Go calls it, and its fields.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
}

/// A field: its name, the embedded structs that it is part of, and what it holds.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) via: &'static [&'static str],
    pub(crate) shape: Shape,
}

/// A document that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A field that does not exist.
    #[error("json: unknown field {field:?}")]
    UnknownField {
        /// Its name.
        field: String,
    },
    /// A value of another type.
    #[error("json: cannot unmarshal {found} into Go {place} of type {wanted}")]
    WrongType {
        /// What was found.
        found: String,
        /// Where.
        place: String,
        /// What was wanted.
        wanted: String,
    },
}

/// What is forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leniency {
    /// Nothing.
    None,
    /// Numbers and booleans where a text is wanted.
    Scalars,
    /// That, and unknown fields, which are dropped.
    All,
}

/// Brings a document into shape: canonical names, no nulls.
pub(crate) fn read(
    document: &Value,
    shape: &'static Struct,
    leniency: Leniency,
) -> Result<Map<String, Value>, ShapeError> {
    let mut reader = Reader { leniency, error: None, path: Vec::new() };
    let fields = match document {
        Value::Object(fields) => reader.object(fields, shape),
        Value::Null => Map::new(),
        other => {
            return Err(ShapeError::WrongType {
                found: json_type(other).to_owned(),
                place: "value".to_owned(),
                wanted: format!("types.{}", shape.name),
            });
        }
    };
    reader.error.map_or(Ok(fields), Err)
}

struct Reader {
    leniency: Leniency,
    /// The first thing that did not fit.
    error: Option<ShapeError>,
    path: Vec<&'static str>,
}

impl Reader {
    fn object(
        &mut self,
        fields: &Map<String, Value>,
        shape: &'static Struct,
    ) -> Map<String, Value> {
        let mut found = Map::new();
        for (name, value) in fields {
            let exact = shape.fields.iter().find(|field| field.name == name);
            let field = exact.or_else(|| {
                shape.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
            });
            let Some(field) = field else {
                if self.leniency != Leniency::All {
                    self.fail(ShapeError::UnknownField { field: name.clone() });
                }
                continue;
            };
            let depth = self.path.len();
            self.path.extend(field.via);
            self.path.push(field.name);
            if let Some(value) = self.value(value, field.shape, shape) {
                found.insert(field.name.to_owned(), value);
            }
            self.path.truncate(depth);
        }
        found
    }

    /// The value in shape; none if it is null or does not fit.
    fn value(&mut self, value: &Value, shape: Shape, parent: &'static Struct) -> Option<Value> {
        let wrong = |reader: &mut Self, wanted: &str| {
            reader.wrong_type(value, wanted, parent);
            None
        };
        match (shape, value) {
            (_, Value::Null) => None,
            (Shape::Any, _) | (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => {
                Some(value.clone())
            }
            (Shape::Text, Value::Bool(_) | Value::Number(_)) if self.leniency != Leniency::None => {
                Some(Value::from(text(value)))
            }
            (Shape::Text, _) => wrong(self, "string"),
            (Shape::Flag, _) => wrong(self, "bool"),
            (Shape::Int(_), Value::Number(number)) if number.is_i64() => Some(value.clone()),
            (Shape::Texts, Value::Array(items)) => {
                Some(items.iter().filter_map(|item| self.text(item, "string", parent)).collect())
            }
            (Shape::Texts, _) => wrong(self, "[]string"),
            (Shape::NamedTexts(name), Value::Array(items)) => {
                Some(items.iter().filter_map(|item| self.text(item, name, parent)).collect())
            }
            (Shape::NamedTexts(name), _) => wrong(self, &format!("[]{name}")),
            (Shape::TextMap, Value::Object(fields)) => Some(Value::Object(
                fields
                    .iter()
                    .filter_map(|(key, item)| {
                        Some((key.clone(), self.text(item, "string", parent)?))
                    })
                    .collect(),
            )),
            (Shape::TextMap, _) => wrong(self, "map[string]string"),
            (Shape::One(shape), Value::Object(fields)) => {
                Some(Value::Object(self.object(fields, shape)))
            }
            (Shape::One(shape), _) => wrong(self, &format!("types.{}", shape.name)),
            (Shape::Many(shape, _), Value::Array(items)) => Some(
                items
                    .iter()
                    .map(|item| match item {
                        Value::Object(fields) => Value::Object(self.object(fields, shape)),
                        Value::Null => Value::Object(Map::new()),
                        other => {
                            self.wrong_type(other, &format!("types.{}", shape.name), parent);
                            Value::Object(Map::new())
                        }
                    })
                    .collect(),
            ),
            (Shape::Int(name), Value::Number(number)) => {
                let found = format!("number {number}");
                self.wrong_type_called(&found, name, parent);
                None
            }
            (Shape::Int(name) | Shape::Many(_, name), _) => wrong(self, name),
        }
    }

    fn text(&mut self, value: &Value, wanted: &str, parent: &'static Struct) -> Option<Value> {
        match value {
            Value::String(_) => Some(value.clone()),
            Value::Null => Some(Value::from("")),
            Value::Bool(_) | Value::Number(_) if self.leniency != Leniency::None => {
                Some(Value::from(text(value)))
            }
            other => {
                self.wrong_type(other, wanted, parent);
                None
            }
        }
    }

    fn wrong_type(&mut self, found: &Value, wanted: &str, parent: &'static Struct) {
        self.wrong_type_called(json_type(found), wanted, parent);
    }

    fn wrong_type_called(&mut self, found: &str, wanted: &str, parent: &'static Struct) {
        let place = format!("struct field {}.{}", parent.name, self.path.join("."));
        let wanted = wanted.to_owned();
        self.fail(ShapeError::WrongType { found: found.to_owned(), place, wanted });
    }

    fn fail(&mut self, error: ShapeError) {
        self.error.get_or_insert(error);
    }
}

pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
