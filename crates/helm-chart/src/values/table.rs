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
///
/// Keys and everything but maps are borrowed from the values that are merged.
#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    Table(Table<'a>),
    Leaf(&'a Value),
}

/// A map. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table<'a>(Rc<RefCell<BTreeMap<&'a str, Node<'a>>>>);

impl<'a> Node<'a> {
    pub(crate) const NULL: Self = Self::Leaf(&Value::Null);

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(Value::Null))
    }

    pub(crate) const fn table(&self) -> Option<&Table<'a>> {
        match self {
            Self::Table(table) => Some(table),
            Self::Leaf(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Table(table) => Value::Object(table.to_map()),
            Self::Leaf(value) => (*value).clone(),
        }
    }
}

impl<'a> From<&'a Value> for Node<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Object(map) => Self::Table(map.into()),
            leaf => Self::Leaf(leaf),
        }
    }
}

impl<'a> From<&'a Map<String, Value>> for Table<'a> {
    fn from(map: &'a Map<String, Value>) -> Self {
        let nodes = map.iter().map(|(key, value)| (key.as_str(), value.into())).collect();
        Self(Rc::new(RefCell::new(nodes)))
    }
}

impl<'a> Table<'a> {
    /// A copy that shares nothing.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        self.0.borrow().iter().map(|(key, node)| ((*key).to_owned(), node.to_value())).collect()
    }

    /// A copy whose inner maps are shared.
    pub(crate) fn shallow_copy(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.0.borrow().get(key).cloned()
    }

    pub(crate) fn insert(&self, key: &'a str, node: Node<'a>) {
        self.0.borrow_mut().insert(key, node);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.0.borrow_mut().remove(key);
    }

    /// The entries as they are now, so that the table may change meanwhile.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        self.0.borrow().iter().map(|(key, node)| (*key, node.clone())).collect()
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
    pub(crate) fn leaf_at(&self, path: &str) -> Option<&'a Value> {
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
                Node::Leaf(Value::Null) => self.remove(key),
                Node::Leaf(_) => {}
            }
        }
    }
}
