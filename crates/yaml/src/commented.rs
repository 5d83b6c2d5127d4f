//! Documents with their comments and the order of their keys, for tools that change values and leave
//! the rest in place: read and printed as sops does it with `go.yaml.in/yaml/v3`.

mod comments;
mod print;
mod read;

pub use print::print;
pub use read::read;

/// A value with the comments in it.
#[derive(Clone, PartialEq)]
pub enum Node {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, from the smallest signed to the largest unsigned one of 64 bits.
    Integer(i128),
    /// A float.
    Float(f64),
    /// A date or time, as RFC 3339 has it.
    Timestamp(String),
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Binary(Vec<u8>),
    /// A sequence.
    Sequence(Vec<Line<Self>>),
    /// A mapping.
    Mapping(Mapping),
}

/// The entries of a mapping, in their order.
pub type Mapping = Vec<Line<Entry>>;

/// A part of a collection.
#[derive(Clone, PartialEq)]
pub enum Line<T> {
    /// A comment. It belongs to what follows it.
    Comment(Comment),
    /// A value.
    Value(T),
}

/// A key and its value.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// The key; a text, as a rule.
    pub key: Node,
    /// The value.
    pub value: Node,
}

/// A line of comment.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    /// What follows the `#`.
    pub text: String,
    /// Whether it stands on the line of the value.
    pub inline: bool,
}

// Values may be secrets: nothing here can be printed by accident.
macro_rules! opaque {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

opaque!(Node, Entry, Comment);

impl<T> std::fmt::Debug for Line<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Comment(_) => "Comment(..)",
            Self::Value(_) => "Value(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: &str) {
        let documents = read(text.as_bytes(), &crate::Limits::default()).unwrap();
        assert_eq!(print(&documents), printed, "of {text}");
    }

    #[test]
    fn comments_stay_where_they_belong() {
        check(
            "# head\na: 1 # inline\n# between\nb:\n  # in map\n  c: x\n  # after c\nlist:\n# in list\n- one\n# mid\n- two # tail\n# foot\n",
            "# head\na: 1 # inline\n# between\nb:\n    # in map\n    c: x\n    # after c\nlist:\n    # in list\n    - one\n    # mid\n    - two # tail\n# foot\n",
        );
    }

    #[test]
    fn a_comment_after_a_block_is_not_in_its_header() {
        let text = "a: | # in\n    x\n# after\nb:\n    - |\n      y\n    # item\n    - z\n";
        check(text, text);
    }

    #[test]
    fn text_is_printed_as_go_prints_it() {
        check(
            "a: 'yes'\nb: \"x\\ny\"\nc: [1, {d: e}]\nd: 0x1f\ne: 2020-01-02\nf: {}\n---\ng: >\n  h\n",
            "a: \"yes\"\nb: |-\n    x\n    y\nc:\n    - 1\n    - d: e\nd: 31\ne: 2020-01-02T00:00:00Z\nf: {}\n---\ng: |\n    h\n",
        );
    }

    #[test]
    fn nested_items_are_aligned() {
        check(
            "l:\n- n:\n    k: v\n    t: |\n      x\n  d:\n  - - a\n    - b\n",
            "l:\n    - \"n\":\n        k: v\n        t: |\n            x\n      d:\n        - - a\n          - b\n",
        );
    }

    #[test]
    fn an_alias_is_what_it_names() {
        check("a: &x {b: 1}\nc: *x\n", "a:\n    b: 1\nc:\n    b: 1\n");
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
        let limits = crate::Limits { aliased_nodes: 1000, ..crate::Limits::default() };
        assert!(read(bomb.as_bytes(), &limits).is_err());
        assert!(read(b"a: &a [*a]\n", &limits).is_err());
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for text in ["- a\n", "a\n", "a: 1\na: 2\n", "a: [\n"] {
            assert!(read(text.as_bytes(), &crate::Limits::default()).is_err(), "{text}");
        }
        assert_eq!(read(b"", &crate::Limits::default()).unwrap().len(), 0);
        assert_eq!(read(b"---\n", &crate::Limits::default()).unwrap().len(), 1);
    }
}
