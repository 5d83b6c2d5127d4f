//! Strategic merge patches as Kubernetes applies them.
//!
//! [`patch()`] makes a patch of two revisions of an object. [`merge`] applies one; it is
//! `strategicpatch.StrategicMergePatch` of apimachinery v0.37 over the built-in kinds: what an API
//! server, or `kubectl apply` on the client's side, makes of a patch. The strategic merge of
//! kustomize has other rules, which `kustomize-build` follows.
//!
//! ```
//! use serde_json::json;
//! use strategic_merge::{Type, merge};
//!
//! let pod = Type::of("v1", "Pod").ok_or("unknown kind")?;
//! let live = json!({"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b"}]}});
//! let patch = json!({"spec": {"containers": [{"name": "a", "image": "a:2"}]}});
//! let merged = merge(live, patch, pod)?;
//! assert_eq!(merged["spec"]["containers"], json!([{"name": "a", "image": "a:2"}, {"name": "b"}]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod directive;
mod error;
mod go_print;
mod list;
mod map;
mod order;
mod patch;
mod schema;

pub use error::MergeError;
pub use schema::Type;

use serde_json::Value;

/// A patch that brings an object of a built-in kind from one revision to another: it sets all of
/// `to`, takes away what only `from` had, and leaves what others have set. As `kubectl apply` makes
/// it, but that nothing of `to` is left out for being there already.
///
/// Lists whose items cannot be told apart, such as ports of one number and two protocols, are
/// replaced as a whole.
pub fn patch(from: &Value, to: &Value, kind: Type) -> Value {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    Value::Object(patch::of_map(&fields(from), &fields(to), Some(kind)))
}

/// Applies a patch to an object of a built-in kind.
///
/// # Errors
/// If one of both is no object, if the patch contradicts itself or what is known of the kind, or if
/// they nest too deeply. The words are apimachinery's.
pub fn merge(object: Value, patch: Value, kind: Type) -> Result<Value, MergeError> {
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
        return Err(MergeError::NotAnObject);
    };
    map::merge(object, patch, kind, 0).map(Value::Object)
}
