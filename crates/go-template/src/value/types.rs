//! Go's types, as far as a template can meet them.

use std::borrow::Cow;
use std::fmt;

/// Which of Go's integer types a number has. They print alike; `%T`, `kindOf` and the rules of
/// assignment tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named after Go's types")]
pub enum IntKind {
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    /// The value's bits are kept as `i64`; [`Value::as_u64`](crate::Value::as_u64) reads them.
    Uint64,
}

impl IntKind {
    /// Go's name, for instance `int64`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }

    /// Whether it is one of the unsigned kinds.
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Self::Uint | Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64)
    }
}

/// A Go type: what a function takes, what a list or map holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// `reflect.Value`: takes whatever comes, unchecked. Go's own functions are declared so.
    Reflect,
    /// `bool`
    Bool,
    /// One of the integers.
    Int(IntKind),
    /// `float64`
    Float,
    /// `complex128`
    Complex,
    /// `string`
    String,
    /// `[]T`
    List(Elem),
    /// `map[string]T`
    Map(Elem),
    /// A type of the host program, named as Go would print it.
    Named(Cow<'static, str>),
}

impl Type {
    /// Go's `int`.
    pub const INT: Self = Self::Int(IntKind::Int);
    /// Go's `int64`.
    pub const INT64: Self = Self::Int(IntKind::Int64);
    /// `[]interface {}`
    pub const LIST: Self = Self::List(Elem::Any);
    /// `map[string]interface {}`
    pub const MAP: Self = Self::Map(Elem::Any);
    /// `[]byte`, which Go prints as `[]uint8`.
    pub const BYTES: Self = Self::List(Elem::Byte);

    /// Whether an untyped nil may be assigned to it.
    pub const fn can_be_nil(&self) -> bool {
        match self {
            Self::Any | Self::Reflect | Self::List(_) | Self::Map(_) => true,
            Self::Named(name) => match name {
                Cow::Borrowed(name) => matches!(name.as_bytes(), [b'*', ..]),
                Cow::Owned(_) => false,
            },
            Self::Bool | Self::Int(_) | Self::Float | Self::Complex | Self::String => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("interface {}"),
            Self::Reflect => f.write_str("reflect.Value"),
            Self::Bool => f.write_str("bool"),
            Self::Int(kind) => f.write_str(kind.name()),
            Self::Float => f.write_str("float64"),
            Self::Complex => f.write_str("complex128"),
            Self::String => f.write_str("string"),
            Self::List(elem) => write!(f, "[]{elem}"),
            Self::Map(elem) => write!(f, "map[string]{elem}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// What a list or map is declared to hold. Only `Any` lets a template mix kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// `interface {}`
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `[]interface {}`
    AnyList,
    /// `[]string`
    StringList,
    /// `map[string]interface {}`
    AnyMap,
    /// `uint8`: the list is a `[]byte`.
    Byte,
    /// `[]uint8`
    Bytes,
}

impl fmt::Display for Elem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "interface {}",
            Self::String => "string",
            Self::Int => "int",
            Self::AnyList => "[]interface {}",
            Self::StringList => "[]string",
            Self::AnyMap => "map[string]interface {}",
            Self::Byte => "uint8",
            Self::Bytes => "[]uint8",
        })
    }
}
