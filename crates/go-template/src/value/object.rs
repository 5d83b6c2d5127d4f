//! Values of the host program: structs with fields, things with methods.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use super::{Map, Type, Value};
use crate::error::CallError;
use crate::functions::{Call, Signature};

/// A value that is not one of Go's plain kinds: a struct, a pointer to one, or a named map or
/// slice with methods, such as Helm's `.Files` and `.Capabilities`.
///
/// A field access looks for a method first, then for a struct field or map entry, as Go does.
pub trait Object: Any + Send + Sync + fmt::Debug {
    /// The Go type, as `%T` prints it and error texts quote it, for instance `*semver.Version`.
    fn type_name(&self) -> Cow<'static, str>;

    /// Go's `reflect.Kind`, as `kindOf` prints it: `struct`, `ptr`, `map`, `slice` …
    fn kind(&self) -> &'static str;

    /// A field of the struct.
    fn field(&self, name: &str) -> Option<Value> {
        let _ = name;
        None
    }

    /// All exported fields in declaration order, for printing and for JSON.
    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        Vec::new()
    }

    /// What a method takes, if there is such a method.
    fn method(&self, name: &str) -> Option<Signature> {
        let _ = name;
        None
    }

    /// Calls a method that [`Object::method`] has announced; the arguments fit its signature. What it
    /// costs is taken from the budget as for a function.
    ///
    /// # Errors
    /// Whatever the method reports; the template stops.
    fn call(&self, call: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let _ = (call, args);
        Err(CallError::NoMethod { name: name.to_owned(), type_name: self.type_name() })
    }

    /// The result of the object's `String()` or `Error()` method, if it has one: then it prints so.
    fn text(&self) -> Option<String> {
        None
    }

    /// The plain value that `range`, `index`, `len`, truth and printing work on, for a named map,
    /// slice, number or string. Nil for structs and pointers.
    fn underlying(&self) -> Value {
        Value::Nil
    }

    /// The map that this is another view of, if it holds nothing else: what is put into one is seen
    /// in the other, and it may come to hold itself.
    fn view_of(&self) -> Option<Map> {
        None
    }

    /// What a template prints of it, where Go also finds methods of the pointer: `printf` and the
    /// like do not.
    fn printed(&self) -> Option<String> {
        self.text()
    }

    /// The fields as they are printed, unexported ones too.
    fn printed_fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        self.fields()
    }

    /// How it is written as JSON, if it has a `MarshalJSON` of its own.
    fn json(&self) -> Option<serde_json::Value> {
        None
    }

    /// Whether it is true where a condition asks; structs and pointers always are.
    fn truth(&self) -> bool {
        match self.underlying() {
            Value::Nil => true,
            plain => plain.truth(),
        }
    }

    /// Bytes that it holds beside what others hold too; asked when memory is looked at.
    fn weight(&self) -> usize {
        0
    }

    /// Whether it may be given where this type is wanted, beyond its own name and `interface {}`.
    fn assignable_to(&self, wanted: &Type) -> bool {
        let _ = wanted;
        false
    }
}
