//! Go's own functions: `index`, `printf`, `eq` …

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::compare;
use crate::escape;
use crate::format;
use crate::functions::Signature;
use crate::value::{Elem, IntKind, List, Str, Type, Value};

/// One of Go's own functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    Urlquery,
}

/// What they object to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum BuiltinError {
    #[error("invalid type for comparison")]
    BadComparisonType,
    #[error("missing argument for comparison")]
    NoComparison,
    #[error("incompatible types for comparison: {left} and {right}")]
    Incompatible { left: Cow<'static, str>, right: Cow<'static, str> },
    #[error("non-comparable type {value}: {type_name}")]
    NonComparable { value: String, type_name: Cow<'static, str> },
    #[error("non-comparable types {left}: {left_type}, {right_type}: {right}")]
    NonComparablePair {
        left: String,
        left_type: Cow<'static, str>,
        right_type: Cow<'static, str>,
        right: String,
    },
    #[error("{action} of untyped nil")]
    UntypedNil { action: &'static str },
    #[error("{action} of nil pointer")]
    NilPointer { action: &'static str },
    #[error("cannot index slice/array with nil")]
    IndexedWithNil,
    #[error("cannot index slice/array with type {type_name}")]
    IndexedWith { type_name: Cow<'static, str> },
    #[error("index out of range: {index}")]
    OutOfRange { index: i64 },
    #[error("reflect: {what} index out of range")]
    ReflectOutOfRange { what: &'static str },
    #[error("value is nil; should be of type {wanted}")]
    NilKey { wanted: &'static str },
    #[error("value has type {type_name}; should be {wanted}")]
    WrongKey { type_name: Cow<'static, str>, wanted: &'static str },
    #[error("can't {action} item of type {type_name}")]
    WrongItem { action: &'static str, type_name: Cow<'static, str> },
    #[error("too many slice indexes: {count}")]
    TooManyIndexes { count: usize },
    #[error("cannot 3-index slice a string")]
    ThreeIndexString,
    #[error("invalid slice index: {low} > {high}")]
    InvalidSlice { low: usize, high: usize },
    #[error("len of type {type_name}")]
    NoLength { type_name: Cow<'static, str> },
    #[error("reflect: call of reflect.Value.Type on zero Value")]
    ZeroValue,
    #[error("call of nil")]
    CallOfNil,
    #[error("non-function {name} of type {type_name}")]
    NotAFunction { name: String, type_name: Cow<'static, str> },
}

impl Builtin {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "and" => Self::And,
            "call" => Self::Call,
            "eq" => Self::Eq,
            "ge" => Self::Ge,
            "gt" => Self::Gt,
            "html" => Self::Html,
            "index" => Self::Index,
            "js" => Self::Js,
            "le" => Self::Le,
            "len" => Self::Len,
            "lt" => Self::Lt,
            "ne" => Self::Ne,
            "not" => Self::Not,
            "or" => Self::Or,
            "print" => Self::Print,
            "printf" => Self::Printf,
            "println" => Self::Println,
            "slice" => Self::Slice,
            "urlquery" => Self::Urlquery,
            _ => return None,
        })
    }

    pub(crate) fn signature(self) -> &'static Signature {
        use Type::{Any, Reflect, String};
        static REST: LazyLock<Signature> = LazyLock::new(|| Signature::variadic([Any]));
        static FORMAT: LazyLock<Signature> = LazyLock::new(|| Signature::variadic([String, Any]));
        static ONE: LazyLock<Signature> = LazyLock::new(|| Signature::fixed([Reflect]));
        static TWO: LazyLock<Signature> = LazyLock::new(|| Signature::fixed([Reflect, Reflect]));
        static MANY: LazyLock<Signature> =
            LazyLock::new(|| Signature::variadic([Reflect, Reflect]));
        match self {
            Self::And | Self::Or | Self::Call | Self::Eq | Self::Index | Self::Slice => &MANY,
            Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => &TWO,
            Self::Len | Self::Not => &ONE,
            Self::Printf => &FORMAT,
            Self::Html | Self::Js | Self::Urlquery | Self::Print | Self::Println => &REST,
        }
    }

    /// Calls it; `and`, `or`, `len` and `call` need more than values and are done elsewhere. Texts
    /// are cut off somewhere beyond `most` bytes.
    pub(crate) fn call(self, args: &[Value], most: usize) -> Result<Value, BuiltinError> {
        let nil = Value::Nil;
        let first = args.first().unwrap_or(&nil);
        let second = args.get(1).unwrap_or(&nil);
        let rest = args.get(1..).unwrap_or_default();
        Ok(match self {
            Self::And | Self::Or | Self::Call => Value::Nil,
            Self::Len => return length(first, false),
            Self::Eq => Value::Bool(compare::equal_to_any(first, rest)?),
            Self::Ne => Value::Bool(!compare::equal_to_any(first, rest)?),
            Self::Lt => Value::Bool(compare::less(first, second)?),
            Self::Le => Value::Bool(compare::less_or_equal(first, second)?),
            Self::Gt => Value::Bool(!compare::less_or_equal(first, second)?),
            Self::Ge => Value::Bool(!compare::less(first, second)?),
            Self::Not => Value::Bool(!first.truth()),
            Self::Index => return index(first, rest),
            Self::Slice => return slice(first, rest),
            Self::Print => Value::Str(Str::from(format::sprint(args, most))),
            Self::Println => Value::Str(Str::from(format::sprintln(args, most))),
            Self::Printf => match first {
                Value::Str(format) => {
                    Value::Str(Str::from(format::sprintf(format.as_bytes(), rest, most)))
                }
                _ => Value::EMPTY,
            },
            Self::Html => Value::Str(Str::from(escape::html(&escape::text_of(args, most)))),
            Self::Js => Value::Str(Str::from(escape::js(&escape::text_of(args, most)))),
            Self::Urlquery => Value::Str(Str::from(escape::query(&escape::text_of(args, most)))),
        })
    }
}

/// `len`; `boxed` tells a nil that lies in a map from no value at all.
pub(crate) fn length(value: &Value, boxed: bool) -> Result<Value, BuiltinError> {
    let length = match value {
        Value::Nil if boxed => return Err(BuiltinError::NilPointer { action: "len" }),
        Value::Nil => return Err(BuiltinError::ZeroValue),
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Object(object) if !object.underlying().is_nil() => {
            return length(&object.underlying(), false);
        }
        Value::Bool(_)
        | Value::Int(..)
        | Value::Float(_)
        | Value::Complex(..)
        | Value::Object(_) => {
            return Err(BuiltinError::NoLength { type_name: value.type_name() });
        }
    };
    Ok(Value::int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// Why `call` fails, as it always does: no value here is a function.
pub(crate) fn call_of(callee: Option<&Value>, name: String) -> BuiltinError {
    match callee {
        None | Some(Value::Nil) => BuiltinError::CallOfNil,
        Some(value) => BuiltinError::NotAFunction { name, type_name: value.type_name() },
    }
}

fn index(item: &Value, indexes: &[Value]) -> Result<Value, BuiltinError> {
    if item.is_nil() {
        return Err(BuiltinError::UntypedNil { action: "index" });
    }
    indexes.iter().try_fold(item.clone(), |item, index| element(&item, index))
}

fn element(item: &Value, index: &Value) -> Result<Value, BuiltinError> {
    let out_of_range = |what| BuiltinError::ReflectOutOfRange { what };
    match item {
        Value::Nil => Err(BuiltinError::NilPointer { action: "index" }),
        Value::List(list) => {
            let place = index_in(index, list.len())?;
            list.get(place).cloned().ok_or_else(|| out_of_range("slice"))
        }
        Value::Str(text) => byte_at(text.as_bytes(), index)?.ok_or_else(|| out_of_range("string")),
        Value::Bytes(bytes) => byte_at(bytes, index)?.ok_or_else(|| out_of_range("slice")),
        Value::Map(map) => match index {
            Value::Str(key) => {
                Ok(map.get(key.as_bytes()).unwrap_or_else(|| Value::zero_of(map.elem())))
            }
            Value::Nil => Err(BuiltinError::NilKey { wanted: "string" }),
            other => Err(BuiltinError::WrongKey { type_name: other.type_name(), wanted: "string" }),
        },
        Value::Object(object) if !object.underlying().is_nil() => {
            element(&object.underlying(), index)
        }
        _ => Err(BuiltinError::WrongItem { action: "index", type_name: item.type_name() }),
    }
}

fn byte_at(bytes: &[u8], index: &Value) -> Result<Option<Value>, BuiltinError> {
    let place = index_in(index, bytes.len())?;
    Ok(bytes.get(place).map(|byte| Value::Int(i64::from(*byte), IntKind::Uint8)))
}

/// Flux: the bound itself is let through here and caught elsewhere, with another message.
fn index_in(index: &Value, bound: usize) -> Result<usize, BuiltinError> {
    match index {
        Value::Int(index, _) => usize::try_from(*index)
            .ok()
            .filter(|place| *place <= bound)
            .ok_or(BuiltinError::OutOfRange { index: *index }),
        Value::Nil => Err(BuiltinError::IndexedWithNil),
        other => Err(BuiltinError::IndexedWith { type_name: other.type_name() }),
    }
}

fn slice(item: &Value, indexes: &[Value]) -> Result<Value, BuiltinError> {
    if item.is_nil() {
        return Err(BuiltinError::UntypedNil { action: "slice" });
    }
    if indexes.len() > 3 {
        return Err(BuiltinError::TooManyIndexes { count: indexes.len() });
    }
    let length = match item {
        Value::Str(_) if indexes.len() == 3 => return Err(BuiltinError::ThreeIndexString),
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Object(object) if !object.underlying().is_nil() => {
            return slice(&object.underlying(), indexes);
        }
        _ => {
            return Err(BuiltinError::WrongItem { action: "slice", type_name: item.type_name() });
        }
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = index_in(index, length)?;
    }
    let [low, high, most] = bounds;
    if low > high {
        return Err(BuiltinError::InvalidSlice { low, high });
    }
    if indexes.len() == 3 && high > most {
        return Err(BuiltinError::InvalidSlice { low: high, high: most });
    }
    Ok(match item {
        Value::Str(text) => {
            Value::Str(Str::from(text.as_bytes().get(low..high).unwrap_or_default()))
        }
        Value::Bytes(bytes) => Value::Bytes(bytes.get(low..high).unwrap_or_default().into()),
        Value::List(list) => {
            let items = list.get(low..high).unwrap_or_default().to_vec();
            Value::List(List::typed(list.elem(), items))
        }
        _ => Value::List(List::nil(Elem::Any)),
    })
}
