//! Why a text is no YAML, in Go's words.

use libyaml_safer::ErrorKind;

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
    #[error("unsupported map key of type: {type_}, key: {key}, value: {value}")]
    Key {
        /// The Go type of the key.
        type_: &'static str,
        /// The key as Go prints it.
        key: String,
        /// The value as Go prints it.
        value: String,
    },
    /// A number that JSON cannot have.
    #[error("json: unsupported value: {0}")]
    Number(&'static str),
    /// Keys that stand twice in a mapping, in strict parsing.
    #[error("yaml: unmarshal errors:{}", lines(.0))]
    Duplicates(Vec<Duplicate>),
    /// A key that stands twice in a mapping, in kustomize's dialect.
    #[error(
        "yaml: unmarshal errors:\n  line {line}: mapping key {key:?} already defined at line {first}"
    )]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands again.
        line: u64,
        /// Where it stood first.
        first: u64,
    },
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
#[error("line {line}: key {key:?} already set in map")]
pub struct Duplicate {
    /// Where it stands again, counted from 1.
    pub line: u64,
    /// The key.
    pub key: String,
}

fn lines(duplicates: &[Duplicate]) -> String {
    let mut text = String::new();
    for duplicate in duplicates {
        text.push_str("\n  ");
        text.push_str(&duplicate.to_string());
    }
    text
}

fn place(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}

impl From<libyaml_safer::Error> for Error {
    /// Flux: Go names the line of the problem, else of the context; the first line has no number,
    /// and only the scanner counts from one (goyaml v2, `parser.fail`).
    fn from(error: libyaml_safer::Error) -> Self {
        let scanner = u64::from(error.kind() == ErrorKind::Scanner);
        let line_of = |mark: Option<libyaml_safer::Mark>| mark.map_or(0, |mark| mark.line);
        let problem = line_of(error.problem_mark());
        let line = if problem == 0 { line_of(error.context_mark()) } else { problem };
        Self::Syntax {
            line: (line != 0).then_some(line + scanner),
            problem: error.problem().to_owned(),
        }
    }
}
