//! Why an expression cannot be used, in Flux's words where it has them.

/// Why an expression cannot be compiled. Only another expression helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// It is no CEL, or uses what is not declared. The issues as cel-go prints them.
    #[error("failed to parse the CEL expression '{expression}': {issues}")]
    Syntax {
        /// The expression.
        expression: String,
        /// What is wrong where, one issue after the other.
        issues: String,
    },
    /// It answers something that is not wanted.
    #[error("CEL expression output type mismatch: expected {wanted}, got {found}")]
    OutputType {
        /// The type that is wanted.
        wanted: &'static str,
        /// The type of its answer.
        found: &'static str,
    },
    /// It is too long.
    #[error("the CEL expression is {bytes} bytes long, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is allowed.
        limit: usize,
    },
    /// It has too many parts, or they are nested too deep.
    #[error("the CEL expression is too large: at most {parts} parts, nested {levels} deep")]
    TooLarge {
        /// The most parts that are allowed.
        parts: usize,
        /// The deepest nesting that is allowed.
        levels: usize,
    },
    /// It uses something of CEL that is not supported.
    #[error("the CEL expression '{expression}' uses {feature}, which is not supported")]
    Unsupported {
        /// The expression.
        expression: String,
        /// What it uses.
        feature: &'static str,
    },
}

/// Why an expression has no answer for an object. Another state of the object may have one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// It ended with an error.
    #[error("failed to evaluate the CEL expression '{expression}': {cause}")]
    Failed {
        /// The expression.
        expression: String,
        /// What went wrong, without any value of the object.
        cause: Cause,
    },
    /// Its answer is neither true nor false.
    #[error("failed to evaluate CEL expression as boolean: '{expression}'")]
    NotBoolean {
        /// The expression.
        expression: String,
    },
    /// Its answer is no text.
    #[error("failed to evaluate CEL expression as string: '{expression}'")]
    NotText {
        /// The expression.
        expression: String,
    },
    /// Its answer is nothing that JSON has.
    #[error("failed to evaluate CEL expression as a value: '{expression}'")]
    NoJson {
        /// The expression.
        expression: String,
    },
}

/// What went wrong during an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A field is not there.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// A variable or function is not there.
    #[error("no such attribute(s): {0}")]
    NoSuchAttribute(String),
    /// An index is outside of its list.
    #[error("index out of bounds")]
    OutOfBounds,
    /// Values of these types cannot be combined so.
    #[error("no such overload")]
    NoSuchOverload,
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// Modulus by zero.
    #[error("modulus by zero")]
    ModulusByZero,
    /// A number does not fit.
    #[error("integer overflow")]
    Overflow,
    /// A function refused what it was given.
    #[error("the function {0} failed")]
    Function(String),
    /// It took too many steps.
    #[error("operation cancelled: actual cost limit exceeded")]
    TooManySteps,
    /// The interpreter gave up.
    #[error("internal error")]
    Internal,
}

/// Why health checks cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HealthCheckError {
    /// Two of them are about the same kind.
    #[error("duplicate custom health check for GroupKind {group_kind} at healthchecks[{index}]")]
    Duplicate {
        /// The kind as Go prints it: `Kind.group`.
        group_kind: String,
        /// The place of the second one.
        index: usize,
    },
    /// One does not say what healthy is.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: \
         expression Current not specified"
    )]
    NoCurrent {
        /// Its place.
        index: usize,
    },
    /// An expression of one of them is wrong.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: \
         failed to parse the expression {field}: {error}"
    )]
    Expression {
        /// Its place.
        index: usize,
        /// Which expression: `Current`, `Failed` or `InProgress`.
        field: &'static str,
        /// What is wrong with it.
        error: CompileError,
    },
}
