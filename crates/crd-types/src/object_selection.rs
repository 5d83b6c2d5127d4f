//! Choosing objects of a build, and what is done to the chosen ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Chooses objects by group, kind, name, namespace and labels; an absent part matches everything.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// Selector over annotations, in the notation of label selectors.
    pub annotation_selector: Option<String>,
    /// API group.
    pub group: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Label selector.
    pub label_selector: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// API version.
    pub version: Option<String>,
}

/// A patch given inline, and the objects to which it applies.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patch {
    /// YAML text of a strategic merge patch or of a list of JSON 6902 operations.
    pub patch: String,
    /// Objects to patch; for a strategic merge patch the object that it names by default.
    pub target: Option<Selector>,
}

/// JSON 6902 operations and the objects to which they apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Json6902Patch {
    /// Operations, carried out in order.
    pub patch: Vec<Json6902>,
    /// Objects to patch.
    pub target: Selector,
}

/// One operation of a JSON 6902 patch.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Json6902 {
    /// JSON pointer that `move` and `copy` read from.
    pub from: Option<String>,
    /// What to do.
    #[schemars(extend("enum" = ["test", "remove", "add", "replace", "move", "copy"]))]
    pub op: String,
    /// JSON pointer to the place.
    pub path: String,
    /// Operand of `test`, `add` and `replace`.
    pub value: Option<Value>,
}

/// Replaces the name, tag or digest of a container image.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Digest that replaces the original tag or digest.
    pub digest: Option<String>,
    /// Image name to look for, without tag.
    pub name: String,
    /// Name that replaces the original one.
    pub new_name: Option<String>,
    /// Tag that replaces the original one.
    pub new_tag: Option<String>,
}

/// Fields of objects that are left to others.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IgnoreRule {
    /// JSON pointers of the fields.
    pub paths: Vec<String>,
    /// Objects concerned; all of them by default.
    pub target: Option<Selector>,
}
