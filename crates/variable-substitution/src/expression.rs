//! What a parsed text consists of.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Expression(Box<Expression>),
}

/// `${…}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) name: String,
    pub(crate) operation: Operation,
}

/// What happens to the value of the variable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `${v}`
    Value,
    /// `${#v}`
    Length,
    /// `${v:-…}` and its like.
    Default(Vec<Part>),
    /// `${v^}`, `${v,,}`
    Case(Case),
    /// `${v:offset:length}`
    Substring { offset: Part, length: Option<Part> },
    /// `${v#…}`, `${v%%…}`
    Trim { end: End, longest: bool, pattern: Part },
    /// `${v/pattern/replacement}`; none for an empty replacement.
    Replace { which: Which, pattern: Part, replacement: Option<Part> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    FirstUpper,
    Upper,
    FirstLower,
    Lower,
    /// Flux: `^,` and `,^` do nothing.
    AsIs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Prefix,
    Suffix,
}

/// What is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    All,
    Prefix,
    Suffix,
}
