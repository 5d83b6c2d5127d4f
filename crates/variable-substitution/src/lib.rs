//! The variable substitution of `spec.postBuild`: `${name}` in a text becomes the variable's value.
//!
//! The grammar looks like the one of shells and is not: it is that of Flux's `envsubst` package, with
//! its oddities. A text is parsed as a whole before anything is looked up, so a mistake anywhere
//! counts more than a variable that is missing.

mod evaluate;
mod expression;
mod glob;
mod parse;

/// How variables are treated that nobody set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// A variable that is not set, and has no default where it stands, is an error. Otherwise it is
    /// empty.
    pub strict: bool,
}

/// Why a text cannot be substituted, in the words of Flux, which puts
/// `variable substitution failed: ` before them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No name follows `${`.
    #[error("unable to parse variable name")]
    Name,
    /// Something that is no operator follows the name.
    #[error("missing closing brace")]
    ClosingBrace,
    /// The operator is not followed by what it needs.
    #[error("bad substitution")]
    Substitution,
    /// An operand is missing.
    #[error("unable to parse substitution within function")]
    Operand,
    /// A variable is not set, although it must be.
    #[error("variable not set (strict mode): \"{name}\"")]
    NotSet {
        /// The name.
        name: String,
    },
    /// Defaults stand in defaults too often.
    #[error("expressions nest deeper than {limit} levels")]
    TooDeep {
        /// How deep they may nest.
        limit: usize,
    },
    /// The result is larger than anything that Kubernetes takes.
    #[error("the result is larger than {limit_bytes} bytes")]
    TooLarge {
        /// How large it may be.
        limit_bytes: usize,
    },
    /// A pattern would take too long to match.
    #[error("a pattern takes more than {limit} steps to match")]
    TooSlow {
        /// How many steps there may be.
        limit: usize,
    },
}

/// The text with all its expressions replaced by their values.
///
/// Bytes that are cut off a character by `${name:offset:length}` become the replacement character.
///
/// # Errors
/// If an expression is malformed, a variable is missing in strict mode, or it costs too much.
pub fn substitute<'a>(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
    options: &Options,
) -> Result<String, Error> {
    evaluate::text(&parse::text(text)?, lookup, *options)
}

/// Whether a variable may have this name: letters, digits and `_` of ASCII, no digit first.
pub fn valid_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
