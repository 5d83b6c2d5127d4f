//! Values with Go's kinds.

mod collections;
mod json;
mod object;
mod text;
mod types;

use std::borrow::Cow;
use std::sync::Arc;

pub use collections::{Entries, List, Map};
pub use json::{Integers, Unbounded};
pub use object::Object;
pub use text::{Str, lossy};
pub use types::{Elem, IntKind, Type};

/// A value that a template can meet. Cloning is cheap: containers are shared.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Untyped nil.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// An integer of the given type.
    Int(i64, IntKind),
    /// `float64`
    Float(f64),
    /// `complex128`: real and imaginary part.
    Complex(f64, f64),
    /// `string`
    Str(Str),
    /// `[]byte`
    Bytes(Arc<[u8]>),
    /// `[]T`
    List(List),
    /// `map[string]T`
    Map(Map),
    /// Anything of the host program.
    Object(Arc<dyn Object>),
}

impl Value {
    /// The empty string.
    pub const EMPTY: Self = Self::Str(Str::constant(""));

    /// An `int`.
    pub const fn int(number: i64) -> Self {
        Self::Int(number, IntKind::Int)
    }

    /// An `int64`.
    pub const fn int64(number: i64) -> Self {
        Self::Int(number, IntKind::Int64)
    }

    /// A `string`.
    pub fn str(text: impl Into<Str>) -> Self {
        Self::Str(text.into())
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A `map[string]interface {}`.
    pub fn map<K: Into<Str>>(pairs: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Map::new(pairs.into_iter().map(|(k, v)| (k.into(), v)).collect()))
    }

    /// A value of the host program.
    pub fn object(object: impl Object) -> Self {
        Self::Object(Arc::new(object))
    }

    /// Whether `if` takes it for true: not the zero of its type, not empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(n, _) => *n != 0,
            Self::Float(x) => *x != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::Bytes(b) => !b.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.is_empty(),
            Self::Object(o) => o.truth(),
        }
    }

    /// The Go type; `None` for untyped nil.
    pub fn type_of(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => Type::Bool,
            Self::Int(_, kind) => Type::Int(*kind),
            Self::Float(_) => Type::Float,
            Self::Complex(..) => Type::Complex,
            Self::Str(_) => Type::String,
            Self::Bytes(_) => Type::BYTES,
            Self::List(l) => Type::List(l.elem()),
            Self::Map(m) => Type::Map(m.elem()),
            Self::Object(o) => Type::Named(o.type_name()),
        })
    }

    /// The type's name as `%T` prints it; `<nil>` for untyped nil.
    pub fn type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Nil => Cow::Borrowed("<nil>"),
            Self::Bool(_) => Cow::Borrowed("bool"),
            Self::Int(_, kind) => Cow::Borrowed(kind.name()),
            Self::Float(_) => Cow::Borrowed("float64"),
            Self::Complex(..) => Cow::Borrowed("complex128"),
            Self::Str(_) => Cow::Borrowed("string"),
            Self::Bytes(_) => Cow::Borrowed("[]uint8"),
            Self::List(l) => match l.elem() {
                Elem::Any => Cow::Borrowed("[]interface {}"),
                elem => Cow::Owned(Type::List(elem).to_string()),
            },
            Self::Map(m) => match m.elem() {
                Elem::Any => Cow::Borrowed("map[string]interface {}"),
                elem => Cow::Owned(Type::Map(elem).to_string()),
            },
            Self::Object(o) => o.type_name(),
        }
    }

    /// Go's `reflect.Kind`, as `kindOf` prints it; `invalid` for untyped nil.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_, kind) => kind.name(),
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Str(_) => "string",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(o) => o.kind(),
        }
    }

    /// Whether this is untyped nil.
    pub const fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// An unsigned integer's value.
    pub const fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(n, kind) if kind.is_unsigned() => Some(n.cast_unsigned()),
            _ => None,
        }
    }

    /// The object, if it is one of type `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => {
                let any: &dyn std::any::Any = &**object;
                any.downcast_ref()
            }
            _ => None,
        }
    }

    /// The zero value of a type, which Go passes where nil is given.
    pub(crate) fn zero(wanted: &Type) -> Self {
        match wanted {
            Type::Any | Type::Reflect | Type::Named(_) => Self::Nil,
            Type::Bool => Self::Bool(false),
            Type::Int(kind) => Self::Int(0, *kind),
            Type::Float => Self::Float(0.0),
            Type::Complex => Self::Complex(0.0, 0.0),
            Type::String => Self::EMPTY,
            Type::List(Elem::Byte) => Self::Bytes(Arc::from([])),
            Type::List(elem) => Self::List(List::nil(*elem)),
            Type::Map(elem) => Self::Map(Map::nil(*elem)),
        }
    }

    /// The zero value of what a map holds, which Go gives for a key that is not there.
    pub(crate) fn zero_of(elem: Elem) -> Self {
        match elem {
            Elem::Any => Self::Nil,
            Elem::String => Self::EMPTY,
            Elem::Int => Self::int(0),
            Elem::AnyList => Self::List(List::nil(Elem::Any)),
            Elem::StringList => Self::List(List::nil(Elem::String)),
            Elem::AnyMap => Self::Map(Map::nil(Elem::Any)),
            Elem::Byte => Self::Int(0, IntKind::Uint8),
            Elem::Bytes => Self::Bytes(Arc::from([])),
        }
    }

    /// Go's rule of assignment, for the types that occur here.
    pub(crate) fn assignable_to(&self, wanted: &Type) -> bool {
        match (wanted, self) {
            (Type::Any | Type::Reflect, _)
            | (Type::Bool, Self::Bool(_))
            | (Type::Float, Self::Float(_))
            | (Type::Complex, Self::Complex(..))
            | (Type::String, Self::Str(_))
            | (Type::List(Elem::Byte), Self::Bytes(_)) => true,
            (Type::Int(kind), Self::Int(_, own)) => kind == own,
            (Type::List(elem), Self::List(list)) => *elem == list.elem(),
            (Type::Map(elem), Self::Map(map)) => *elem == map.elem(),
            (Type::Named(name), Self::Object(object)) => {
                *name == object.type_name() || object.assignable_to(wanted)
            }
            (wanted, Self::Object(object)) => object.assignable_to(wanted),
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl From<Str> for Value {
    fn from(s: Str) -> Self {
        Self::Str(s)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::str(s)
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::str(s)
    }
}

impl From<List> for Value {
    fn from(l: List) -> Self {
        Self::List(l)
    }
}

impl From<Map> for Value {
    fn from(m: Map) -> Self {
        Self::Map(m)
    }
}
