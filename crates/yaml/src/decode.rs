//! From nodes to values.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::error::Duplicate;
use crate::node::{Kind, Node, Tree};
use crate::number;
use crate::resolve::{Dialect, Scalar};
use crate::{Error, Limits};

const STR: &str = "tag:yaml.org,2002:str";
const PREFIX: &str = "tag:yaml.org,2002:";

/// What Go's `yaml.YAMLToJSON` makes of the first document of a text; null for an empty one.
///
/// # Errors
/// If Go would refuse it, or it costs more than the default limits.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    parse_with(text, &Limits::default())
}

/// As [`parse`], with limits of one's own.
///
/// # Errors
/// If Go would refuse it, or it costs more than the limits.
pub fn parse_with(text: &[u8], limits: &Limits) -> Result<Value, Error> {
    Decoder::new(&Tree::read(text, limits)?, Dialect::Sigs, limits).document()
}

/// As [`parse`], but keys that stand twice are an error, as for `yaml.YAMLToJSONStrict`.
///
/// # Errors
/// If Go would refuse it, or it costs more than the default limits.
pub fn parse_strict(text: &[u8]) -> Result<Value, Error> {
    let limits = Limits::default();
    let tree = Tree::read(text, &limits)?;
    let mut decoder = Decoder::new(&tree, Dialect::Sigs, &limits);
    let value = decoder.document()?;
    if decoder.duplicates.is_empty() {
        Ok(value)
    } else {
        Err(Error::Duplicates(decoder.duplicates))
    }
}

/// Turns the nodes of one document into a value.
pub(crate) struct Decoder<'a> {
    tree: &'a Tree,
    dialect: Dialect,
    limits: &'a Limits,
    decoded: usize,
    aliased: usize,
    /// How many aliases we are inside of.
    inside_aliases: usize,
    /// The nodes that are being decoded because of an alias.
    under_way: Vec<usize>,
    depth: usize,
    duplicates: Vec<Duplicate>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(tree: &'a Tree, dialect: Dialect, limits: &'a Limits) -> Self {
        Self {
            tree,
            dialect,
            limits,
            decoded: 0,
            aliased: 0,
            inside_aliases: 0,
            under_way: Vec::new(),
            depth: 0,
            duplicates: Vec::new(),
        }
    }

    pub(crate) fn document(&mut self) -> Result<Value, Error> {
        self.tree.root.map_or(Ok(Value::Null), |root| self.value(root))
    }

    fn value(&mut self, index: usize) -> Result<Value, Error> {
        self.spend()?;
        let node = &self.tree.nodes[index];
        match &node.kind {
            Kind::Scalar { value, plain } => self.scalar(node, value, *plain),
            Kind::Alias { anchor, target } => self.alias(anchor, *target),
            Kind::Sequence(items) => {
                self.enter(index)?;
                let values: Result<_, Error> = items.iter().map(|item| self.value(*item)).collect();
                self.leave();
                Ok(Value::Array(values?))
            }
            Kind::Mapping(entries) => {
                self.enter(index)?;
                let mut map = Map::new();
                let filled = self.fill(&mut map, entries);
                self.leave();
                filled.map(|()| Value::Object(map))
            }
        }
    }

    fn alias(&mut self, anchor: &str, target: usize) -> Result<Value, Error> {
        if self.under_way.contains(&target) {
            return Err(Error::ContainsItself { anchor: anchor.to_owned() });
        }
        self.inside_aliases += 1;
        let value = self.value(target);
        self.inside_aliases -= 1;
        value
    }

    /// Counts a value. Aliases can make a short text a large document, so theirs count apart.
    fn spend(&mut self) -> Result<(), Error> {
        self.decoded += 1;
        if self.decoded > self.limits.nodes {
            return Err(Error::TooLarge { what: "nodes", limit: self.limits.nodes });
        }
        if self.inside_aliases > 0 {
            self.aliased += 1;
            if self.aliased > self.limits.aliased_nodes {
                // Go's words for the same thing.
                let problem = "document contains excessive aliasing".to_owned();
                return Err(Error::Syntax { line: None, problem });
            }
        }
        Ok(())
    }

    fn enter(&mut self, index: usize) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(Error::TooLarge { what: "levels", limit: self.limits.depth });
        }
        self.under_way.push(index);
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.under_way.pop();
    }

    fn fill(
        &mut self,
        map: &mut Map<String, Value>,
        entries: &[(usize, usize)],
    ) -> Result<(), Error> {
        let mut lines: HashMap<String, u64> = HashMap::new();
        let mut merges = Vec::new();
        for (key, value) in entries {
            if self.is_merge(*key) {
                match self.dialect {
                    // Flux: the merge takes place where it stands, and what follows overwrites it,
                    // as does the merge what stands before (goyaml v2).
                    Dialect::Sigs => self.merge(map, *value, true)?,
                    Dialect::Kyaml => merges.push(*value),
                }
                continue;
            }
            let line = self.tree.nodes[*key].line;
            let key = self.key(*key, *value)?;
            let value = self.value(*value)?;
            match (self.dialect, lines.insert(key.clone(), line)) {
                (Dialect::Kyaml, Some(first)) => {
                    return Err(Error::DuplicateKey { key, line, first });
                }
                (Dialect::Sigs, _) if map.contains_key(&key) => {
                    self.duplicates.push(Duplicate { line, key: key.clone() });
                }
                _ => {}
            }
            map.insert(key, value);
        }
        for merge in merges {
            self.merge(map, merge, false)?;
        }
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        let Node { kind, tag, .. } = &self.tree.nodes[key];
        let tagged = tag.as_deref().and_then(|tag| tag.strip_prefix(PREFIX)) == Some("merge");
        matches!(kind, Kind::Scalar { value, plain } if value == "<<" && (*plain || tagged))
    }

    fn merge(
        &mut self,
        map: &mut Map<String, Value>,
        index: usize,
        overwrite: bool,
    ) -> Result<(), Error> {
        let target = self.resolved(index);
        let sources = match &self.tree.nodes[target].kind {
            Kind::Mapping(_) => vec![index],
            // Of several, the first counts most.
            Kind::Sequence(items) if overwrite => items.iter().rev().copied().collect(),
            Kind::Sequence(items) => items.clone(),
            Kind::Scalar { .. } | Kind::Alias { .. } => return Err(Error::Merge),
        };
        for source in sources {
            let Kind::Mapping(_) = self.tree.nodes[self.resolved(source)].kind else {
                return Err(Error::Merge);
            };
            let line = self.tree.nodes[self.resolved(source)].line;
            let Value::Object(merged) = self.value(source)? else { return Err(Error::Merge) };
            for (key, value) in merged {
                if !map.contains_key(&key) {
                    map.insert(key, value);
                } else if overwrite {
                    self.duplicates.push(Duplicate { line, key: key.clone() });
                    map.insert(key, value);
                }
            }
        }
        Ok(())
    }

    /// The node that an alias stands for.
    fn resolved(&self, index: usize) -> usize {
        match self.tree.nodes[index].kind {
            Kind::Alias { target, .. } => target,
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) => index,
        }
    }

    fn scalar(&self, node: &Node, text: &str, plain: bool) -> Result<Value, Error> {
        let resolved = self.meaning(node, text, plain)?;
        Ok(match resolved {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Integer(value) => integer(value)?,
            Scalar::Float(value) => Value::Number(number::json(value).map_err(Error::Number)?),
            Scalar::Timestamp if self.dialect == Dialect::Kyaml && plain => {
                Value::String(timestamp(text))
            }
            Scalar::Timestamp | Scalar::Text => {
                if node.tag.as_deref().and_then(|tag| tag.strip_prefix(PREFIX)) == Some("binary") {
                    return binary(text);
                }
                Value::String(text.to_owned())
            }
        })
    }

    /// What a scalar means, its tag included.
    fn meaning(&self, node: &Node, text: &str, plain: bool) -> Result<Scalar, Error> {
        let tag = match node.tag.as_deref() {
            None if plain => return Ok(self.dialect.resolve(text)),
            None | Some(STR | "!") => return Ok(Scalar::Text),
            Some(tag) => tag,
        };
        let Some(short) = tag.strip_prefix(PREFIX) else { return Ok(Scalar::Text) };
        let resolved = self.dialect.resolve(text);
        let fits = match (short, &resolved) {
            ("null", Scalar::Null)
            | ("bool", Scalar::Bool(_))
            | ("int", Scalar::Integer(_))
            | ("float", Scalar::Float(_))
            | ("timestamp", Scalar::Timestamp) => true,
            ("float", Scalar::Integer(value)) => {
                #[expect(clippy::cast_precision_loss, reason = "a float is what is asked for")]
                return Ok(Scalar::Float(*value as f64));
            }
            ("null" | "bool" | "int" | "float" | "timestamp", _) => false,
            // A tag that says nothing about scalars.
            _ => return Ok(Scalar::Text),
        };
        if fits {
            return Ok(resolved);
        }
        Err(Error::Tag {
            found: short_tag(&resolved),
            value: text.to_owned(),
            wanted: format!("!!{short}"),
        })
    }

    /// A key as JSON has it: text.
    fn key(&mut self, index: usize, value: usize) -> Result<String, Error> {
        self.spend()?;
        let node = &self.tree.nodes[self.resolved(index)];
        let Kind::Scalar { value: text, plain } = &node.kind else {
            let key = self.value(index)?;
            return Err(Error::CollectionKey { key: go_syntax(&key) });
        };
        Ok(match self.meaning(node, text, *plain)? {
            Scalar::Text | Scalar::Timestamp => text.clone(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Integer(value) => value.to_string(),
            Scalar::Float(value) if value.is_nan() => ".nan".to_owned(),
            Scalar::Float(value) if value.is_infinite() => {
                if value > 0.0 {
                    ".inf".to_owned()
                } else {
                    "-.inf".to_owned()
                }
            }
            Scalar::Float(value) => number::general32(value),
            Scalar::Null => {
                let value = go_syntax(&self.value(value)?);
                return Err(Error::Key { type_: "%!s(<nil>)", key: "<nil>".to_owned(), value });
            }
        })
    }
}

fn integer(value: i128) -> Result<Value, Error> {
    if let Ok(small) = i64::try_from(value) {
        return Ok(small.into());
    }
    u64::try_from(value).map(Value::from).map_err(|_out_of_range| Error::Number("integer"))
}

fn binary(text: &str) -> Result<Value, Error> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let Ok(bytes) = STANDARD.decode(compact) else { return Err(Error::Binary) };
    // As Go's JSON does it: what is no text becomes the replacement character.
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A date as Go's JSON prints the time that kustomize makes of it.
fn timestamp(text: &str) -> String {
    if text.contains(['T', 't', ' ', ':']) {
        return text.to_owned();
    }
    let mut parts = text.split('-');
    let mut part = || parts.next().unwrap_or_default();
    format!("{}-{:0>2}-{:0>2}T00:00:00Z", part(), part(), part())
}

const fn short_tag(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Null => "!!null",
        Scalar::Bool(_) => "!!bool",
        Scalar::Integer(_) => "!!int",
        Scalar::Float(_) => "!!float",
        Scalar::Timestamp => "!!timestamp",
        Scalar::Text => "!!str",
    }
}

/// A value as Go prints it with `%#v`.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{key:?}:{}", go_syntax(value))).collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
