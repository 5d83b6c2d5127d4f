//! From nodes to values.

mod go_syntax;
mod key;
mod mapping;
mod scalar;

pub(crate) use go_syntax::document as go_syntax;

use serde_json::Value;

use crate::error::Duplicate;
use crate::node::{Kind, Tree};
use crate::resolve::Dialect;
use crate::{Error, Limits, quick};

/// What Go's `yaml.YAMLToJSON` makes of the first document of a text; null for an empty one.
///
/// Keys become text; of two equal ones the last counts. Dates stay text.
///
/// # Errors
/// If Go would refuse it, or it costs more than the default limits. `yaml.Unmarshal` puts
/// `error converting YAML to JSON: ` before the same words.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    parse_with(text, &Limits::default())
}

/// As [`parse`], with limits of one's own.
///
/// # Errors
/// If Go would refuse it, or it costs more than the limits.
pub fn parse_with(text: &[u8], limits: &Limits) -> Result<Value, Error> {
    match quick::parse(text, limits) {
        Some(value) => Ok(value),
        None => parse_fully(text, limits),
    }
}

/// As [`parse_with`], by the scanner that knows all of YAML.
pub(crate) fn parse_fully(text: &[u8], limits: &Limits) -> Result<Value, Error> {
    let tree = Tree::read(text, Dialect::Sigs, limits)?;
    Decoder::new(&tree, Dialect::Sigs, limits).printable()
}

/// As [`parse`], but keys that stand twice are an error, as for `yaml.YAMLToJSONStrict`.
///
/// # Errors
/// If Go would refuse it, or it costs more than the default limits.
pub fn parse_strict(text: &[u8]) -> Result<Value, Error> {
    let limits = Limits::default();
    let tree = Tree::read(text, Dialect::Sigs, &limits)?;
    let mut decoder = Decoder::new(&tree, Dialect::Sigs, &limits);
    let value = decoder.document()?;
    if !decoder.duplicates.is_empty() {
        return Err(Error::Duplicates(decoder.duplicates));
    }
    decoder.unprintable.map_or(Ok(value), Err)
}

/// Turns the nodes of one document into a value.
pub(crate) struct Decoder<'a> {
    tree: &'a Tree,
    dialect: Dialect,
    limits: &'a Limits,
    spent: Spent,
    /// The collections that are being decoded, from the root.
    under_way: Vec<usize>,
    /// How many aliases we are inside of.
    inside_aliases: usize,
    duplicates: Vec<Duplicate>,
    /// Whether nothing at all between braces is an empty text rather than null.
    pub(crate) blanks_are_text: bool,
    /// What JSON cannot have. Go finds out when all else is well.
    unprintable: Option<Error>,
}

#[derive(Default)]
struct Spent {
    nodes: usize,
    aliased_nodes: usize,
    aliased_bytes: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(tree: &'a Tree, dialect: Dialect, limits: &'a Limits) -> Self {
        Self {
            tree,
            dialect,
            limits,
            spent: Spent::default(),
            under_way: Vec::new(),
            inside_aliases: 0,
            duplicates: Vec::new(),
            blanks_are_text: false,
            unprintable: None,
        }
    }

    /// The value of the document as JSON.
    pub(crate) fn printable(mut self) -> Result<Value, Error> {
        let value = self.document()?;
        self.unprintable.map_or(Ok(value), Err)
    }

    /// The value of the document, and in [`Self::duplicates`] what strict parsing refuses.
    pub(crate) fn document(&mut self) -> Result<Value, Error> {
        let Some(root) = self.tree.root else { return Ok(Value::Null) };
        // Go counts the document as a node.
        self.spent.nodes = 1;
        self.value(root)
    }

    fn value(&mut self, index: usize) -> Result<Value, Error> {
        let node = self.tree.node(index);
        self.spend(node.text_bytes())?;
        match &node.kind {
            Kind::Scalar { .. } if node.is_blank_in_flow && self.blanks_are_text => {
                Ok(Value::from(""))
            }
            Kind::Scalar { text, implicit } => {
                match scalar::value(node, text, *implicit, self.dialect) {
                    Err(error @ Error::Number(_)) => {
                        self.unprintable.get_or_insert(error);
                        Ok(Value::Null)
                    }
                    decoded => decoded,
                }
            }
            Kind::Alias { anchor, target } => {
                self.through_alias(anchor, *target, |decoder| decoder.value(*target))
            }
            Kind::Sequence(items) => {
                self.under_way.push(index);
                let values: Result<_, Error> = items.iter().map(|item| self.value(*item)).collect();
                self.under_way.pop();
                values.map(Value::Array)
            }
            Kind::Mapping(entries) => {
                self.under_way.push(index);
                let map = mapping::decode(self, entries);
                self.under_way.pop();
                map.map(Value::Object)
            }
        }
    }

    /// Does something with what an alias stands for.
    fn through_alias<T>(
        &mut self,
        anchor: &str,
        target: usize,
        decode: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.under_way.contains(&target) {
            return Err(Error::ContainsItself { anchor: anchor.to_owned() });
        }
        // A document can be no deeper than the limit, but its aliases can make the value so.
        if self.under_way.len() >= self.limits.depth {
            return Err(Error::TooLarge { what: "levels", limit: self.limits.depth });
        }
        self.inside_aliases += 1;
        let decoded = decode(self);
        self.inside_aliases -= 1;
        decoded
    }

    /// Counts a node. Aliases can make a short text a large value, so theirs count apart.
    fn spend(&mut self, text_bytes: usize) -> Result<(), Error> {
        self.spent.nodes += 1;
        if self.spent.nodes > self.limits.nodes {
            return Err(Error::TooLarge { what: "nodes", limit: self.limits.nodes });
        }
        if self.inside_aliases == 0 {
            return Ok(());
        }
        self.spent.aliased_nodes += 1;
        self.spent.aliased_bytes += text_bytes;
        if self.spent.aliased_nodes > self.limits.aliased_nodes
            || self.spent.aliased_bytes > self.limits.aliased_bytes
            || is_excessive(self.spent.aliased_nodes, self.spent.nodes)
        {
            return Err(Error::ExcessiveAliasing);
        }
        Ok(())
    }
}

/// Go's measure: in small documents nearly everything may come from aliases, in large ones a tenth.
#[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
fn is_excessive(aliased: usize, all: usize) -> bool {
    const SMALL: f64 = 400_000.0;
    const LARGE: f64 = 4_000_000.0;
    let size = all as f64;
    let allowed = 0.99 - 0.89 * ((size.clamp(SMALL, LARGE) - SMALL) / (LARGE - SMALL));
    aliased > 100 && all > 1000 && aliased as f64 / size > allowed
}
