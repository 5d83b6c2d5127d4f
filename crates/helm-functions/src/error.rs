//! What the functions object to, in the words of sprig and Helm.

use std::borrow::Cow;

use go_template::CallError;

/// Why a function failed.
#[derive(Clone, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum FunctionError {
    /// `fail`, `required` and their like: the chart's own words.
    #[error("{0}")]
    Chart(String),
    #[error("Cannot {action} on type {kind}")]
    NotOn { action: &'static str, kind: &'static str },
    #[error("Cannot chunk type {kind}")]
    NotChunkable { kind: &'static str },
    #[error("Cannot concat type {kind} as list")]
    NotConcatenable { kind: &'static str },
    #[error("list should be type of slice or array but {kind}")]
    NotSliceable { kind: &'static str },
    #[error("runtime error: invalid memory address or nil pointer dereference")]
    NilDereference,
    #[error("assignment to entry in nil map")]
    NilMap,
    #[error("reflect.Value.Slice: slice index out of bounds")]
    SliceBounds,
    #[error("runtime error: slice bounds out of range [{0}]")]
    Bounds(String),
    #[error("runtime error: slice bounds out of range [:{end}] with length {length}")]
    BoundsOfLength { end: i64, length: i64 },
    #[error("reflect: call of reflect.Value.Type on zero Value")]
    ZeroValue,
    #[error("runtime error: makeslice: len out of range")]
    MakeSlice,
    #[error("runtime error: integer divide by zero")]
    DivideByZero,
    #[error("decimal division by 0")]
    DecimalDivision,
    #[error("strings: negative Repeat count")]
    NegativeRepeat,
    #[error("invalid argument to Intn")]
    Intn,
    #[error("dig needs at least three arguments")]
    DigArguments,
    #[error("interface conversion: interface {{}} is {is}, not {wanted}")]
    Conversion { is: Cow<'static, str>, wanted: &'static str },
    #[error(transparent)]
    Regex(#[from] go_regex::Error),
    #[error("regexp: Compile({pattern}): {error}")]
    MustCompile { pattern: String, error: go_regex::Error },
    #[error(transparent)]
    Version(#[from] semver_range::VersionError),
    #[error(transparent)]
    Constraint(#[from] semver_range::ConstraintError),
    #[error(transparent)]
    Duration(#[from] go_duration::Error),
    #[error(transparent)]
    Time(#[from] crate::dates::ParseTimeError),
    #[error(transparent)]
    Base64(#[from] crate::encoding::CorruptInput),
    #[error(transparent)]
    Json(#[from] crate::encoding::JsonError),
    #[error(transparent)]
    Unsupported(#[from] crate::encoding::Unsupported),
    #[error("{0}")]
    Yaml(String),
    #[error(transparent)]
    Toml(#[from] crate::encoding::TomlError),
    #[error(transparent)]
    Crypto(#[from] crate::crypto::CryptoError),
    #[error(transparent)]
    Url(#[from] crate::urls::UrlError),
    #[error("rendering template has a nested reference name: {name}: unable to execute template")]
    NestedReference { name: String },
    /// The session was made without [`Helm`](crate::Helm).
    #[error("no source of time and randomness was given")]
    NoState,
    #[error("no random bytes to be had")]
    NoEntropy,
    #[error("cannot parse template {template}: {message}")]
    TplParse { template: String, message: String },
    /// What a cluster answered to `lookup`.
    #[error("{0}")]
    Lookup(String),
    /// A budget of these functions ran out: `what` says which.
    #[error("budget exhausted: more than {limit} {what}")]
    Exhausted { what: &'static str, limit: u64 },
}

impl From<FunctionError> for CallError {
    fn from(error: FunctionError) -> Self {
        Self::of(error)
    }
}
