//! Why a patch cannot be applied.

use serde_json::{Map, Value};

use crate::go_print::{directive, printed, type_name};

/// Objects are merged this deep.
pub(crate) const MAX_DEPTH: usize = 256;
/// Lists with items that no order names are sorted by the square of their length.
pub(crate) const MAX_UNORDERED: usize = 4096;

/// Why a patch cannot be applied, in apimachinery's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The object or the patch is no object.
    #[error("invalid JSON document")]
    NotAnObject,
    /// `$patch` holds something else than `replace` or `delete`.
    #[error("unknown patch type: {directive} in map: {map}")]
    UnknownDirective {
        /// What it holds.
        directive: String,
        /// Where it stands.
        map: String,
    },
    /// `$patch: merge` in a list.
    #[error("merging lists cannot yet be specified in the patch")]
    MergeDirective,
    /// `$retainKeys` is no list, or the patch has fields that it does not name.
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    /// `$setElementOrder` names no field.
    #[error("invalid patch format of setElementOrder list")]
    SetElementOrder,
    /// `$deleteFromPrimitiveList` names no field.
    #[error("invalid patch format of primitive list")]
    PrimitiveList,
    /// A list in the patch is ordered otherwise than its `$setElementOrder`.
    #[error("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")]
    OrderDiffers {
        /// The list.
        patch: String,
        /// The order.
        order: String,
    },
    /// A value has another type.
    #[error("expected a {expected}, but received a {found}")]
    WrongType {
        /// Go's name of what is wanted.
        expected: &'static str,
        /// Go's name of what is there.
        found: &'static str,
    },
    /// An item of a list lacks the key by which the list merges.
    #[error("map: {map} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The item.
        map: String,
        /// The key.
        key: String,
    },
    /// An item of a list is no object.
    #[error("value for key {place} is not a map")]
    ItemNotAMap {
        /// Its place.
        place: usize,
    },
    /// A list of lists.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// The items of two lists are of several types.
    #[error("list element types are not identical: {lists}")]
    MixedList {
        /// Both lists.
        lists: String,
    },
    /// Two lists that are ordered are empty.
    #[error("no elements in any of the given slices")]
    NoElements,
    /// A list of objects merges, but nothing says by which key.
    #[error("cannot merge lists without merge key for {kind}")]
    NoKeyKnown {
        /// Go's kind of the items.
        kind: &'static str,
    },
    /// A field that the type does not have.
    #[error("unable to find api field in struct {name} for the json field {field:?}")]
    UnknownField {
        /// The type.
        name: &'static str,
        /// The field.
        field: String,
    },
    /// An object stands where the kind has none.
    #[error("merging an object in json but data type is not struct, instead is: {kind}")]
    NotAStruct {
        /// Go's kind of what the field holds.
        kind: &'static str,
    },
    /// A list stands where the kind has none.
    #[error("expected slice or array type, but got: {kind}")]
    NotASlice {
        /// Go's kind of the object around it.
        kind: &'static str,
    },
    /// The kind has a list of lists.
    #[error("unexpected slice of slice")]
    SliceOfSlice,
    /// The objects nest too deeply.
    #[error("objects that nest deeper than {MAX_DEPTH} levels cannot be merged")]
    TooDeep,
    /// A list whose order is unknown is too long.
    #[error("a list of {length} items that no order names cannot be merged")]
    ListTooLong {
        /// Its items.
        length: usize,
    },
}

impl MergeError {
    pub(crate) fn unknown_directive(found: &Value, map: &Map<String, Value>) -> Self {
        Self::UnknownDirective { directive: directive(found), map: go_map(map) }
    }

    pub(crate) fn no_merge_key(map: &Map<String, Value>, key: &str) -> Self {
        Self::NoMergeKey { map: go_map(map), key: key.to_owned() }
    }

    pub(crate) fn no_list(found: &Value) -> Self {
        Self::WrongType { expected: "[]interface {}", found: type_name(found) }
    }

    pub(crate) fn no_map(found: &Value) -> Self {
        Self::WrongType { expected: "map[string]interface {}", found: type_name(found) }
    }
}

fn go_map(map: &Map<String, Value>) -> String {
    printed(&Value::Object(map.clone()))
}
