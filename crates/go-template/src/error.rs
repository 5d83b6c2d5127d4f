//! Errors, worded as Go words them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::number::NumberError;
use crate::value::Unbounded;
use go_quote::InvalidSyntax;

/// What can go wrong with a set of templates.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The text is no template.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A template stopped halfway.
    #[error(transparent)]
    Exec(#[from] Box<ExecError>),
    /// Asked for a template that is not defined.
    #[error(
        "template: no template {} associated with template {}",
        go_quote::double(.name.as_bytes()),
        go_quote::double(.set.as_bytes())
    )]
    NoTemplate {
        /// The template asked for.
        name: String,
        /// The name of the whole set.
        set: String,
    },
    /// Reading another text would exceed the budget.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// A text that is no template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {parse_name}:{line}: {kind}")]
pub struct ParseError {
    /// The name the text was given.
    pub parse_name: Arc<str>,
    /// 1-based line.
    pub line: usize,
    /// What is wrong there.
    pub kind: ParseErrorKind,
}

/// What the parser objects to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum ParseErrorKind {
    /// The lexer stopped. `started` is where the action began, if that was on another line.
    #[error("{message}{}", Started(started.as_ref(), message))]
    Lexical { message: String, started: Option<(Arc<str>, usize)> },
    #[error("unexpected {token} in {context}")]
    UnexpectedToken { token: String, context: &'static str },
    #[error("unexpected {node}")]
    UnexpectedNode { node: &'static str },
    #[error("unexpected {node} in {context}")]
    UnexpectedNodeIn { node: &'static str, context: &'static str },
    #[error("expected end; found {node}")]
    ExpectedEnd { node: &'static str },
    #[error("unexpected EOF")]
    UnexpectedEof,
    #[error("{{{{{word}}}}} outside {{{{range}}}}")]
    OutsideRange { word: &'static str },
    #[error("range can only initialize variables")]
    RangeInitializesOnlyVariables,
    #[error("too many declarations in {context}")]
    TooManyDeclarations { context: &'static str },
    #[error("missing value for {context}")]
    MissingValue { context: &'static str },
    #[error("non executable command in pipeline stage {stage}")]
    NotExecutable { stage: usize },
    #[error("empty command")]
    EmptyCommand,
    #[error("unexpected . after term {}", go_quote::double(.term.as_bytes()))]
    FieldAfterTerm { term: String },
    #[error("function {} not defined", go_quote::double(.name.as_bytes()))]
    UndefinedFunction { name: String },
    #[error("undefined variable {}", go_quote::double(.name.as_bytes()))]
    UndefinedVariable { name: String },
    #[error("max expression depth exceeded")]
    ExpressionDepth,
    /// Ours: Go has no limit here but its stack.
    #[error("blocks are nested more than {limit} deep")]
    BlockDepth { limit: usize },
    /// Ours: what is parsed takes far more memory than its text.
    #[error("more than {limit} statements and operands")]
    Nodes { limit: usize },
    #[error("template: multiple definition of template {}", go_quote::double(.name.as_bytes()))]
    MultipleDefinition { name: String },
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(transparent)]
    Literal(#[from] InvalidSyntax),
}

/// Where an action began that was never closed; avoids saying "action in action".
struct Started<'a>(Option<&'a (Arc<str>, usize)>, &'a str);

impl fmt::Display for Started<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((parse_name, line)) = self.0 else { return Ok(()) };
        if !self.1.ends_with(" action") {
            f.write_str(" in action")?;
        }
        write!(f, " started at {parse_name}:{line}")
    }
}

/// Where a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The text's name: for a template made by `define`, that of the file around it.
    pub parse_name: Arc<str>,
    /// 1-based line.
    pub line: usize,
    /// 0-based column in bytes, as Go counts.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.parse_name, self.line, self.column)
    }
}

/// A template that stopped: which, where, at what, why.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "template: {location}: executing {} at <{context}>: {cause}",
    go_quote::double(.template.as_bytes())
)]
pub struct ExecError {
    /// The template that was executing.
    pub template: Arc<str>,
    /// Where in which text.
    pub location: Location,
    /// The node, printed back.
    pub context: String,
    /// Why.
    pub cause: ExecCause,
}

impl ExecError {
    /// The budget that ran out, however deep inside.
    pub fn exhausted(&self) -> Option<Exhausted> {
        match &self.cause {
            ExecCause::Call { origin: Origin::Exhausted(what), .. }
            | ExecCause::Exhausted(what) => Some(*what),
            _ => None,
        }
    }
}

/// Why a template stopped.
#[derive(Clone, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum ExecCause {
    #[error("nil is not a command")]
    NilCommand,
    #[error("can't give argument to non-function {node}")]
    NotAFunction { node: String },
    #[error("{} is not a defined function", go_quote::double(.name.as_bytes()))]
    UndefinedFunction { name: String },
    #[error("undefined variable: {name}")]
    UndefinedVariable { name: String },
    #[error("{text} overflows int")]
    OverflowsInt { text: String },
    #[error("nil data; no entry for key {}", go_quote::double(.key.as_bytes()))]
    NilData { key: String },
    #[error("nil pointer evaluating {type_name}.{field}")]
    NilPointer { type_name: Cow<'static, str>, field: String },
    #[error("{field} is not a method but has arguments")]
    FieldWithArguments { field: String },
    #[error("{field} has arguments but cannot be invoked as function")]
    StructFieldWithArguments { field: String },
    #[error("map has no entry for key {}", go_quote::double(.key.as_bytes()))]
    NoEntry { key: String },
    #[error("can't evaluate field {field} in type {type_name}")]
    NoField { field: String, type_name: Cow<'static, str> },
    #[error("wrong number of args for {name}: want at least {want} got {got}")]
    TooFewArguments { name: String, want: usize, got: usize },
    #[error("wrong number of args for {name}: want {want} got {got}")]
    ArgumentCount { name: String, want: usize, got: usize },
    #[error("invalid value; expected {wanted}")]
    InvalidValue { wanted: String },
    #[error("wrong type for value; expected {wanted}; got {got}")]
    WrongType { wanted: String, got: String },
    #[error("cannot assign nil to {wanted}")]
    NilAssigned { wanted: String },
    #[error("expected {wanted}; found {node}")]
    Expected { wanted: &'static str, node: String },
    #[error("can't handle {node} for arg of type {wanted}")]
    UnhandledArgument { node: String, wanted: String },
    #[error("range can't iterate over {value}")]
    NotIterable { value: String },
    #[error("can't use {value} to iterate over more than one variable")]
    OneVariableOnly { value: String },
    #[error("template {} not defined", go_quote::double(.name.as_bytes()))]
    NoTemplate { name: String },
    #[error("exceeded maximum template depth ({limit})")]
    TemplateDepth { limit: usize },
    /// A function or method failed. `message` is the whole of what it said, nested templates
    /// included; `origin` is the innermost cause.
    #[error("error calling {function}: {message}")]
    Call { function: String, message: String, origin: Origin },
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    #[error(transparent)]
    Unbounded(#[from] Unbounded),
}

/// The innermost cause of a failed call.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The function's own error, to be told apart by downcasting.
    Function(Arc<dyn std::error::Error + Send + Sync>),
    /// The template language objected, here or in a template that was included.
    Template,
    /// A budget ran out.
    Exhausted(Exhausted),
}

/// What a function may fail with.
#[derive(Clone, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum CallError {
    /// The function's own error; any error type converts by [`CallError::of`].
    #[error("{0}")]
    Function(Arc<dyn std::error::Error + Send + Sync>),
    /// A failure of something called within, put into a longer sentence.
    #[error("{message}")]
    Within { message: String, origin: Origin },
    /// A template that was executed within stopped.
    #[error(transparent)]
    Template(#[from] Error),
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    #[error(transparent)]
    Unbounded(#[from] Unbounded),
    /// One of Go's own functions objected.
    #[error(transparent)]
    Builtin(#[from] crate::builtins::BuiltinError),
    #[error("{type_name} has no method {name}")]
    NoMethod { name: String, type_name: Cow<'static, str> },
}

impl CallError {
    /// Wraps a function's own error.
    pub fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Function(Arc::new(error))
    }

    /// The same failure in a longer sentence, its innermost cause kept.
    #[must_use]
    pub fn within(self, message: String) -> Self {
        Self::Within { message, origin: self.origin() }
    }

    /// The innermost cause.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Function(error) => Origin::Function(Arc::clone(error)),
            Self::Within { origin, .. } => origin.clone(),
            Self::Exhausted(what) | Self::Template(Error::Exhausted(what)) => {
                Origin::Exhausted(*what)
            }
            Self::Template(Error::Exec(error)) => match &error.cause {
                ExecCause::Call { origin, .. } => origin.clone(),
                ExecCause::Exhausted(what) => Origin::Exhausted(*what),
                _ => Origin::Template,
            },
            Self::Template(Error::Parse(_) | Error::NoTemplate { .. })
            | Self::Unbounded(_)
            | Self::Builtin(_)
            | Self::NoMethod { .. } => Origin::Template,
        }
    }
}

/// A budget that ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum Exhausted {
    #[error("budget exhausted: more than {limit} steps")]
    Steps { limit: u64 },
    #[error("budget exhausted: more than {limit} bytes of output")]
    Output { limit: usize },
    #[error("budget exhausted: a string or list of more than {limit} bytes")]
    Size { limit: usize },
    #[error("budget exhausted: more than {limit} bytes of strings and lists made")]
    Made { limit: u64 },
    #[error("budget exhausted: more than {limit} bytes held at one moment")]
    Held { limit: usize },
    #[error("budget exhausted: templates nested more than {limit} deep")]
    Nesting { limit: usize },
    #[error("budget exhausted: more than {limit} bytes of parsed templates")]
    Parsed { limit: usize },
    #[error("budget exhausted: a template text of more than {limit} bytes")]
    Source { limit: usize },
}
