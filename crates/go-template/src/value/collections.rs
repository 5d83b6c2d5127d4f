//! Lists and maps, shared by reference as Go's are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::{Elem, Str, Value};

/// A Go slice. Cloning shares it. All that a template can do to it is to sort it.
#[derive(Clone)]
pub struct List(Arc<ListBody>);

struct ListBody {
    elem: Elem,
    is_nil: bool,
    items: Vec<Value>,
    /// The items once the slice was sorted in place.
    sorted: OnceLock<Vec<Value>>,
}

impl List {
    /// A `[]interface {}` of these items.
    pub fn new(items: Vec<Value>) -> Self {
        Self::typed(Elem::Any, items)
    }

    /// A `[]elem`; the caller vouches that the items are of that kind.
    pub fn typed(elem: Elem, items: Vec<Value>) -> Self {
        Self::body(elem, false, items)
    }

    /// A nil slice: empty, and `null` where it is written as JSON or YAML.
    pub fn nil(elem: Elem) -> Self {
        Self::body(elem, true, Vec::new())
    }

    fn body(elem: Elem, is_nil: bool, items: Vec<Value>) -> Self {
        Self(Arc::new(ListBody { elem, is_nil, items, sorted: OnceLock::new() }))
    }

    /// A `[]string`.
    pub fn of_strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::typed(Elem::String, items.into_iter().map(|s| Value::Str(s.into())).collect())
    }

    /// What it is declared to hold.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    /// Sorts the strings of a `[]string` by their bytes, for every holder of this slice, as Go's
    /// `sort.Strings` does.
    ///
    /// Limit: what `slice` made of it before is a list of its own, which in Go shares the strings.
    pub fn sort_strings(&self) {
        self.0.sorted.get_or_init(|| {
            let mut items = self.0.items.clone();
            items.sort_by(|a, b| string_bytes(a).cmp(string_bytes(b)));
            items
        });
    }

    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether it is Go's nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }
}

impl std::ops::Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.0.sorted.get().unwrap_or(&self.0.items)
    }
}

fn string_bytes(value: &Value) -> &[u8] {
    match value {
        Value::Str(text) => text.as_bytes(),
        _ => &[],
    }
}

impl Drop for ListBody {
    fn drop(&mut self) {
        dismantle(std::mem::take(&mut self.items));
    }
}

/// The pairs of a map at one moment, sorted by key as Go prints and ranges over them.
pub type Entries = BTreeMap<Str, Value>;

/// A Go map with string keys. Cloning shares it, and a change made through one clone is seen
/// through all, which is what `set`, `unset` and `merge` are used for.
#[derive(Clone)]
pub struct Map(Arc<MapBody>);

struct MapBody {
    elem: Elem,
    is_nil: bool,
    /// Readers that walk the map take the inner `Arc` and let go of the lock, so a template may
    /// change a map while it ranges over it; the writer then copies.
    entries: RwLock<Arc<Entries>>,
}

impl Map {
    /// A `map[string]interface {}`.
    pub fn new(entries: Entries) -> Self {
        Self::typed(Elem::Any, entries)
    }

    /// A `map[string]elem`; the caller vouches that the values are of that kind.
    pub fn typed(elem: Elem, entries: Entries) -> Self {
        Self::body(elem, false, entries)
    }

    /// A nil map: empty, `null` where it is written as JSON or YAML, and nothing can be put into it.
    pub fn nil(elem: Elem) -> Self {
        Self::body(elem, true, Entries::new())
    }

    fn body(elem: Elem, is_nil: bool, entries: Entries) -> Self {
        Self(Arc::new(MapBody { elem, is_nil, entries: RwLock::new(Arc::new(entries)) }))
    }

    /// Whether it is Go's nil map.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// What it is declared to hold.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    /// The pairs as they are now; later changes do not show.
    pub fn entries(&self) -> Arc<Entries> {
        Arc::clone(&self.0.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it has no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a value under a key, for every holder of this map. Where it is nil, Go panics, and the
    /// caller has to complain before.
    ///
    /// A map may be put into itself. Such a ring is never freed by itself: register the map with
    /// [`Call::note_change`](crate::Call::note_change) so that the session opens it when it ends.
    pub fn insert(&self, key: Str, value: Value) {
        self.change(|entries| entries.insert(key, value));
    }

    /// Takes a key away, for every holder of this map.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.change(|entries| entries.remove(key))
    }

    /// Whether both are one and the same map.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn clear(&self) {
        // The old content is dropped after the lock is released: it may hold this very map.
        let _old =
            std::mem::take(&mut *self.0.entries.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// A lone value that goes out is returned, so that it is dropped after the lock is released.
    fn change<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut entries))
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new(Entries::new())
    }
}

impl Drop for MapBody {
    fn drop(&mut self) {
        let entries = self.entries.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = Arc::get_mut(entries) {
            dismantle(std::mem::take(entries).into_values().collect());
        }
    }
}

/// Drops a tree of values without recursion: a template can nest a list a million deep.
fn dismantle(mut doomed: Vec<Value>) {
    while let Some(value) = doomed.pop() {
        match value {
            Value::List(List(body)) => {
                if let Some(mut body) = Arc::into_inner(body) {
                    doomed.append(&mut body.items);
                }
            }
            Value::Map(Map(body)) => {
                if let Some(mut body) = Arc::into_inner(body) {
                    let entries = body.entries.get_mut().unwrap_or_else(PoisonError::into_inner);
                    if let Some(entries) = Arc::get_mut(entries) {
                        doomed.extend(std::mem::take(entries).into_values());
                    }
                }
            }
            Value::Object(object) if Arc::strong_count(&object) == 1 => {
                let view = object.view_of();
                drop(object);
                doomed.extend(view.map(Value::Map));
            }
            _ => {}
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries().iter()).finish()
    }
}
