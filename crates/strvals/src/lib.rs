//! Helm's `--set` syntax: `a.b[0].c=1,d={x,y}`.
//!
//! Helm reads it in its flags, and Flux in `spec.valuesFrom[].targetPath`. Whole numbers become
//! 64-bit integers, whereas numbers of a values file are floating-point; [`serde_json::Number`]
//! keeps the difference, which templates can see.
//!
//! The syntax is hostile input. `Limit:` an index is at most 65,536, dots nest at most 30 deep,
//! lists and dots together 128 deep, and one text may add a million list items.

mod json;
mod parser;

use serde_json::{Map, Value};

use parser::{Mode, Parser};

/// Why an assignment was not understood. The words are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text ends within a key.
    #[error("key {key:?} has no value")]
    NoValue {
        /// The key.
        key: String,
    },
    /// A comma follows a key.
    #[error("key {key:?} has no value (cannot end with ,)")]
    CommaAfterKey {
        /// The key.
        key: String,
    },
    /// Nothing is named behind a dot.
    #[error("key map {key:?} has no value")]
    EmptyMap {
        /// The key before the dot.
        key: String,
    },
    /// What stands between brackets is no number.
    #[error("error parsing index: {}", parser::index_mistake(.index.as_ref()))]
    Index {
        /// The text between the brackets; none if the bracket is not closed.
        index: Option<String>,
    },
    /// An index below zero.
    #[error("negative {index} index not allowed")]
    NegativeIndex {
        /// The index.
        index: i64,
    },
    /// An index over the limit.
    #[error("index of {index} is greater than maximum supported index of {}", parser::MAX_INDEX)]
    LargeIndex {
        /// The index.
        index: i64,
    },
    /// Something other than `.`, `[` or `=` follows a closing bracket.
    #[error("unexpected data at end of array index: {}", parser::quoted_runes(.found))]
    AfterIndex {
        /// What was found.
        found: String,
    },
    /// A list in braces is not closed.
    #[error("list must terminate with '}}'")]
    OpenList,
    /// The path goes through a value that holds no others.
    #[error("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")]
    OtherType {
        /// Go's name of the type that is there.
        found: &'static str,
        /// Go's name of the type that the path needs.
        wanted: &'static str,
    },
    /// More dots than the limit.
    #[error(
        "value name nested level is greater than maximum supported nested level of {}",
        parser::MAX_NAME_LEVEL
    )]
    TooManyDots,
    /// Dots and brackets together nest deeper than the limit.
    #[error("values nest deeper than {} levels", parser::MAX_DEPTH)]
    TooDeep,
    /// Large indices made lists grow beyond the limit.
    #[error("lists grow by more than {} items", parser::MAX_NEW_ITEMS)]
    TooManyItems,
    /// A JSON value is broken; the text is that of Go's `encoding/json`.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The reader of [`set_file`] failed.
    #[error(transparent)]
    Reader(Box<dyn std::error::Error + Send + Sync>),
}

pub use json::{JsonError, document as json_document};

/// Turns a name into the content that [`set_file`] assigns.
pub type Read<'a> = dyn FnMut(&str) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> + 'a;

/// Applies `--set`: numbers, booleans and null are recognised.
///
/// # Errors
/// If the text is malformed or goes through a value that is no map or list; `into` may then hold
/// part of the assignments.
pub fn set(text: &str, into: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(text, Mode::Typed).run(into)
}

/// Applies `--set-string`: every value is a text.
///
/// # Errors
/// As [`set`].
pub fn set_string(text: &str, into: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(text, Mode::Text).run(into)
}

/// Applies `--set-literal`: one assignment, whose value is the rest of the text as it stands.
///
/// # Errors
/// As [`set`].
pub fn set_literal(text: &str, into: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(text, Mode::Literal).run(into)
}

/// Applies `--set-json`: every value is JSON; its numbers are floating-point.
///
/// # Errors
/// As [`set`], and if a value is not JSON.
pub fn set_json(text: &str, into: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(text, Mode::Json).run(into)
}

/// Applies `--set-file`: every value is a name that `read` turns into content.
///
/// # Errors
/// As [`set`], and what `read` fails with.
pub fn set_file<'a>(
    text: &'a str,
    into: &mut Map<String, Value>,
    read: &'a mut Read<'a>,
) -> Result<(), Error> {
    Parser::new(text, Mode::File(read)).run(into)
}
