//! Which list fields merge by key: the built-in kinds, and what an `openapi` field adds.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A place in a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(usize);

/// What is known of a value: how it merges, and what lies below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// The keys by which a list merges, none for a list of scalars; absent for a list that does not.
    pub(crate) merge_by: Option<Vec<String>>,
    pub(crate) fields: HashMap<String, NodeId>,
    /// The values of a map with free keys.
    pub(crate) values: Option<NodeId>,
    pub(crate) elements: Option<NodeId>,
}

/// The kinds that are known. Cloning shares the nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    nodes: Arc<Vec<Node>>,
    kinds: Arc<HashMap<(String, String), NodeId>>,
}

static BUILT_IN: LazyLock<Schema> = LazyLock::new(|| from_table(include_str!("merge_keys.txt")));

impl Schema {
    /// Kubernetes' own kinds.
    pub(crate) fn built_in() -> Self {
        BUILT_IN.clone()
    }

    pub(crate) fn kind(&self, api_version: &str, kind: &str) -> Option<NodeId> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned())).copied()
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    /// What is known of a field of the object at `id`.
    pub(crate) fn field(&self, id: NodeId, name: &str) -> Option<NodeId> {
        let node = self.node(id)?;
        node.fields.get(name).copied().or(node.values)
    }

    pub(crate) fn elements(&self, id: NodeId) -> Option<NodeId> {
        self.node(id)?.elements
    }

    /// This schema with the kinds of another; the other's win.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let mut builder = Builder { nodes: (*self.nodes).clone(), kinds: (*self.kinds).clone() };
        let shift = builder.nodes.len();
        let moved = |id: NodeId| NodeId(id.0 + shift);
        builder.nodes.extend(other.nodes.iter().map(|node| Node {
            merge_by: node.merge_by.clone(),
            fields: node.fields.iter().map(|(name, id)| (name.clone(), moved(*id))).collect(),
            values: node.values.map(moved),
            elements: node.elements.map(moved),
        }));
        builder.kinds.extend(other.kinds.iter().map(|(kind, id)| (kind.clone(), moved(*id))));
        builder.build()
    }
}

/// Makes a schema.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    nodes: Vec<Node>,
    kinds: HashMap<(String, String), NodeId>,
}

impl Builder {
    /// A place for a node that is described later.
    pub(crate) fn reserve(&mut self) -> NodeId {
        self.add(Node::default())
    }

    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    pub(crate) fn set(&mut self, id: NodeId, node: Node) {
        if let Some(slot) = self.nodes.get_mut(id.0) {
            *slot = node;
        }
    }

    pub(crate) fn kind(&mut self, api_version: String, kind: String, id: NodeId) {
        self.kinds.insert((api_version, kind), id);
    }

    pub(crate) fn build(self) -> Schema {
        Schema { nodes: Arc::new(self.nodes), kinds: Arc::new(self.kinds) }
    }
}

/// Reads the format that the head of `merge_keys.txt` describes.
fn from_table(table: &str) -> Schema {
    let mut builder = Builder::default();
    let mut types: HashMap<&str, NodeId> = HashMap::new();
    let lines = || table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in lines().filter(|line| !line.starts_with('!')) {
        if let Some(name) = line.split(' ').next() {
            types.insert(name, builder.reserve());
        }
    }
    for line in lines() {
        let mut words = line.split(' ');
        let Some(first) = words.next() else { continue };
        if let Some(api_version) = first.strip_prefix('!') {
            if let (Some(kind), Some(id)) = (words.next(), words.next().and_then(|t| types.get(t)))
            {
                builder.kind(api_version.to_owned(), kind.to_owned(), *id);
            }
            continue;
        }
        let mut node = Node::default();
        for word in words {
            let (name, id) = field(word, &types, &mut builder);
            node.fields.insert(name.to_owned(), id);
        }
        if let Some(id) = types.get(first) {
            builder.set(*id, node);
        }
    }
    builder.build()
}

/// Reads one field: `name=Type`, `name[]=Type@key,key`, `name{}=Type`.
fn field<'a>(
    word: &'a str,
    types: &HashMap<&str, NodeId>,
    builder: &mut Builder,
) -> (&'a str, NodeId) {
    let (word, keys) = word.split_once('@').map_or((word, None), |(word, keys)| (word, Some(keys)));
    let (name, below) =
        word.split_once('=').map_or((word, None), |(name, below)| (name, Some(below)));
    let below = below.and_then(|below| types.get(below)).copied();
    let merge_by =
        keys.map(|keys| keys.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect());
    if let Some(name) = name.strip_suffix("[]") {
        return (name, builder.add(Node { merge_by, elements: below, ..Node::default() }));
    }
    if let Some(name) = name.strip_suffix("{}") {
        return (name, builder.add(Node { values: below, ..Node::default() }));
    }
    (name, below.unwrap_or_else(|| builder.reserve()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_merge_by_name_and_ports_by_two_keys() {
        let schema = Schema::built_in();
        let mut at = schema.kind("apps/v1", "Deployment").unwrap();
        for step in ["spec", "template", "spec", "containers"] {
            at = schema.field(at, step).unwrap();
        }
        assert_eq!(schema.node(at).unwrap().merge_by.as_deref(), Some(&["name".to_owned()][..]));
        let ports = schema.field(schema.elements(at).unwrap(), "ports").unwrap();
        assert_eq!(schema.node(ports).unwrap().merge_by.as_ref().unwrap().len(), 2);
        assert!(schema.kind("example.com/v1", "Deployment").is_none());
    }
}
