//! Go's text/template.
//!
//! [`Templates`] is a set of parsed templates, [`Functions`] the table they were parsed against,
//! [`Session`] what changes while executing: the rest of the [`Budget`] and the host's state.
//! [`Value`] has Go's kinds, since a template can tell `int` from `int64` and prints `1e6` of a
//! float as `1e+06`.
//!
//! ```
//! use go_template::{Budget, Functions, Session, Templates, Type, Value};
//!
//! let mut functions = Functions::new();
//! functions.add("include", [Type::String, Type::Any], |call, args| {
//!     let name = go_template::string(args, 0).to_string();
//!     let data = args[1].clone();
//!     Ok(Value::str(call.execute(&name, data)?))
//! });
//! let mut templates = Templates::new("gotpl", functions);
//! templates.parse("t", r#"{{ define "n" }}{{ .x }}{{ end }}{{ include "n" . | printf "%q" }}"#)?;
//! let data = Value::map([("x", Value::int(5))]);
//! let output = templates.execute("t", data, &mut Session::new(Budget::default()))?;
//! assert_eq!(output, br#""5""#);
//! # Ok::<(), go_template::Error>(())
//! ```

mod ast;
mod budget;
mod builtins;
mod compare;
mod error;
mod escape;
mod exec;
pub mod format;
mod functions;
mod lexer;
pub mod number;
mod parser;
mod print;
mod stack;
mod templates;
mod value;
mod weight;

pub use budget::{Budget, MissingKey, Session};
pub use builtins::BuiltinError;
pub use error::{
    CallError, Error, ExecCause, ExecError, Exhausted, Location, Origin, ParseError, ParseErrorKind,
};
pub use functions::{Call, Functions, Signature};
pub use templates::{Parsed, Template, Templates};
pub use value::{
    Elem, Entries, IntKind, Integers, List, Map, Object, Str, Type, Unbounded, Value, lossy,
};

/// The string at a place among checked arguments; empty if there is none.
pub fn string(args: &[Value], place: usize) -> &Str {
    static EMPTY: Str = Str::constant("");
    match args.get(place) {
        Some(Value::Str(text)) => text,
        _ => &EMPTY,
    }
}
