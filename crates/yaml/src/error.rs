//! Why a text is no YAML, in Go's words.

use std::fmt::Display;

use libyaml_safer::ErrorKind;

use crate::resolve::Dialect;

/// Why a text is no YAML that we accept. Prints as Go's library does, so that a user finds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The syntax is wrong.
    #[error("yaml: {}{problem}", place(*.line))]
    Syntax {
        /// The line, counted from 1; none for the first one, as Go does.
        line: Option<u64>,
        /// What is wrong.
        problem: String,
    },
    /// An alias that nothing is named by.
    #[error("yaml: unknown anchor '{anchor}' referenced")]
    UnknownAnchor {
        /// The name.
        anchor: String,
    },
    /// A value that is part of itself.
    #[error("yaml: anchor '{anchor}' value contains itself")]
    ContainsItself {
        /// The name of the value.
        anchor: String,
    },
    /// A tag that its value contradicts.
    #[error("yaml: cannot decode {found} `{value}` as a {wanted}")]
    Tag {
        /// The short tag that the value would have.
        found: &'static str,
        /// The value.
        value: String,
        /// The short tag that it has.
        wanted: String,
    },
    /// A binary value that is no base64.
    #[error("yaml: !!binary value contains invalid base64 data")]
    Binary,
    /// A merge key with something else than mappings.
    #[error("yaml: map merge requires map or sequence of maps as the value")]
    Merge,
    /// A mapping or a sequence as a key.
    #[error("yaml: invalid map key: {key}")]
    CollectionKey {
        /// The key as Go prints it.
        key: String,
    },
    /// A key that JSON cannot have.
    #[error("unsupported map key of type: %!s(<nil>), key: <nil>, value: {value}")]
    NullKey {
        /// The value as Go prints it.
        value: String,
    },
    /// A key that is no text, within a value of kustomize's dialect.
    #[error("json: unsupported type: map[interface {{}}]interface {{}}")]
    KeyIsNoText,
    /// A number that JSON cannot have.
    #[error("json: unsupported value: {0}")]
    Number(&'static str),
    /// Keys that stand twice in a mapping, in strict parsing.
    #[error("yaml: unmarshal errors:{}", lines(.0))]
    Duplicates(Vec<Duplicate>),
    /// Keys that stand twice in a mapping, in kustomize's dialect.
    #[error("yaml: unmarshal errors:{}", lines(.0))]
    DefinedAgain(Vec<DefinedAgain>),
    /// A document that should be a mapping and is something else.
    #[error("yaml: the document is no mapping")]
    NoMapping,
    /// Aliases make a small document a large value.
    #[error("yaml: document contains excessive aliasing")]
    ExcessiveAliasing,
    /// It costs more than it may.
    #[error("yaml: document exceeds the limit of {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

/// A key that stands twice in a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: key {key} already set in map")]
pub struct Duplicate {
    /// Where its value stands again, counted from 1.
    pub line: u64,
    /// The key, as Go prints it.
    pub key: String,
}

/// A key that stands twice in a mapping of kustomize's dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: mapping key {key:?} already defined at line {first}")]
pub struct DefinedAgain {
    /// The key.
    pub key: String,
    /// Where it stands again, counted from 1.
    pub line: u64,
    /// Where it stood first.
    pub first: u64,
}

fn lines(errors: &[impl Display]) -> String {
    errors.iter().flat_map(|error| ["\n  ".to_owned(), error.to_string()]).collect()
}

fn place(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}

impl Error {
    /// Flux: both libraries name the line of one of the two places that the parser names, counted
    /// from zero; only the scanner counts from one, and what is on the first line has no number.
    pub(crate) fn syntax(error: &libyaml_safer::Error, dialect: Dialect) -> Self {
        let scanner = u64::from(error.kind() == ErrorKind::Scanner);
        let context = error.context_mark().map_or(0, |mark| mark.line);
        let problem = error.problem_mark().map_or(0, |mark| mark.line);
        let (line, from_one) = match dialect {
            Dialect::Sigs if problem != 0 => (problem, scanner),
            Dialect::Sigs => (context, 0),
            Dialect::Kyaml if context != 0 => (context, scanner),
            Dialect::Kyaml => (problem, scanner),
        };
        Self::Syntax {
            line: (line != 0).then_some(line + from_one),
            problem: error.problem().to_owned(),
        }
    }

    /// Something that the scanner cannot cope with.
    pub(crate) fn unscannable() -> Self {
        let problem = "found a token that cannot be scanned".to_owned();
        Self::Syntax { line: None, problem }
    }

    /// An escape that Go does not know, on a line counted from zero.
    pub(crate) fn unknown_escape(line: u64) -> Self {
        let problem = "found unknown escape character".to_owned();
        Self::Syntax { line: (line != 0).then_some(line + 1), problem }
    }
}
