//! Maps that several owners share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

/// A value whose maps can be shared.
///
/// Helm's merging works on Go maps, which are references: a map that one chart has taken from
/// another is changed for both by the next merge. Charts see the outcome (globals of a sub-chart
/// show up in its parent), so the sharing has to be copied, not only the merging.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Table(Table),
    Leaf(Value),
}

/// A map. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Rc<RefCell<BTreeMap<String, Node>>>);

impl Node {
    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(Value::Null))
    }

    pub(crate) const fn table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            Self::Leaf(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Table(table) => Value::Object(table.to_map()),
            Self::Leaf(value) => value.clone(),
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Object(map) => Self::Table(map.into()),
            leaf => Self::Leaf(leaf.clone()),
        }
    }
}

impl From<&Map<String, Value>> for Table {
    fn from(map: &Map<String, Value>) -> Self {
        let nodes = map.iter().map(|(key, value)| (key.clone(), value.into())).collect();
        Self(Rc::new(RefCell::new(nodes)))
    }
}

impl Table {
    /// A copy that shares nothing.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        self.0.borrow().iter().map(|(key, node)| (key.clone(), node.to_value())).collect()
    }

    /// A copy whose inner maps are shared.
    pub(crate) fn shallow_copy(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    pub(crate) fn get(&self, key: &str) -> Option<Node> {
        self.0.borrow().get(key).cloned()
    }

    pub(crate) fn insert(&self, key: &str, node: Node) {
        self.0.borrow_mut().insert(key.to_owned(), node);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.0.borrow_mut().remove(key);
    }

    /// The entries as they are now, so that the table may change meanwhile.
    pub(crate) fn entries(&self) -> Vec<(String, Node)> {
        self.0.borrow().iter().map(|(key, node)| (key.clone(), node.clone())).collect()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The table at a path of keys with dots between them.
    pub(crate) fn table_at(&self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self.clone(), |table, key| match table.get(key)? {
            Node::Table(inner) => Some(inner),
            Node::Leaf(_) => None,
        })
    }

    /// The value at a path, unless it is a table.
    pub(crate) fn leaf_at(&self, path: &str) -> Option<Value> {
        let (table, key) = match path.rsplit_once('.') {
            Some((above, key)) => (self.table_at(above)?, key),
            None => (self.clone(), path),
        };
        match table.get(key)? {
            Node::Leaf(value) => Some(value),
            Node::Table(_) => None,
        }
    }

    /// Takes out every null, however deep.
    pub(crate) fn remove_nulls(&self) {
        for (key, node) in self.entries() {
            match node {
                Node::Table(inner) => inner.remove_nulls(),
                Node::Leaf(Value::Null) => self.remove(&key),
                Node::Leaf(_) => {}
            }
        }
    }
}
