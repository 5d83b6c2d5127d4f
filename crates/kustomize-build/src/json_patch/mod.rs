//! JSON patches (RFC 6902) and merge patches (RFC 7386), as evanphx/json-patch applies them.

mod apply;
mod merge_patch;

pub use merge_patch::merge_patch;

use serde_json::{Map, Value};

/// How a patch is applied. Versions 4 and 5 of evanphx/json-patch differ in places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the library")]
pub struct Options {
    /// As version 4 does it, which kustomize uses: a map answers null for a key that it lacks.
    pub version4: bool,
    /// `add` makes the maps and lists on its way.
    pub ensure_path: bool,
    /// `remove` of what is not there does nothing.
    pub allow_missing_remove: bool,
    /// A negative index counts from the end.
    pub negative_indices: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version4: false,
            ensure_path: false,
            allow_missing_remove: false,
            negative_indices: true,
        }
    }
}

impl Options {
    /// As kustomize applies patches.
    pub fn kustomize() -> Self {
        Self { version4: true, ..Self::default() }
    }
}

/// Why a patch cannot be read or applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// The patch is no list of operations.
    #[error("json: cannot unmarshal {found} into Go value of type jsonpatch.{wanted}")]
    NotAPatch {
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The operation lacks something, or does not exist.
    #[error("invalid operation {operation}: {problem}")]
    InvalidOperation {
        /// The operation as JSON.
        operation: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The operation does not exist.
    #[error("Unexpected kind: {kind}")]
    UnknownKind {
        /// What it is called.
        kind: String,
    },
    /// The operation lacks a path.
    #[error("{operation} operation failed to decode {field}: {detail}missing value")]
    NoPath {
        /// The operation.
        operation: &'static str,
        /// `path` or `from`.
        field: &'static str,
        /// More words.
        detail: &'static str,
    },
    /// There is nothing where the path leads.
    #[error("{operation} operation does not apply: {what}: {path}: missing value")]
    NothingThere {
        /// The operation.
        operation: &'static str,
        /// What is missing.
        what: &'static str,
        /// The path, in quotes where they are printed.
        path: String,
    },
    /// The last step of the path fails.
    #[error("error in {operation} for {field}: '{path}': {problem}")]
    LastStep {
        /// The operation.
        operation: &'static str,
        /// `path` or `from`.
        field: &'static str,
        /// The path.
        path: String,
        /// What is wrong.
        problem: StepError,
    },
    /// A copy cannot be put where it should.
    #[error("error while adding value during copy: {0}")]
    Copy(StepError),
    /// A value is not what it was expected to be.
    #[error("testing value {path} failed: test failed")]
    TestFailed {
        /// The path.
        path: String,
    },
    /// The whole document cannot become a scalar.
    #[error("replace operation value must be object or array")]
    ReplaceRoot,
    /// The whole document cannot be moved.
    #[error("unable to move entire document to another path: invalid state detected")]
    MoveRoot,
    /// A path cannot be made.
    #[error("Unable to ensure path for {what}: {index}: invalid index referenced")]
    EnsurePath {
        /// What is wrong.
        what: &'static str,
        /// The index.
        index: i64,
    },
    /// Copies make the document too large.
    #[error("the patch copies more than {limit_bytes} bytes")]
    CopiesTooMuch {
        /// How much it may copy.
        limit_bytes: usize,
    },
}

/// Why the last step of a path fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A key that is not there.
    #[error("{verb} nonexistent key: {key}: missing value")]
    NoKey {
        /// What was tried.
        verb: &'static str,
        /// The key.
        key: String,
    },
    /// An index that is not there.
    #[error("Unable to access invalid index: {index}: invalid index referenced")]
    NoIndex {
        /// The index.
        index: i64,
    },
    /// A list has no such name.
    #[error("{prefix}strconv.Atoi: parsing {text:?}: invalid syntax")]
    NotAnIndex {
        /// More words.
        prefix: String,
        /// The name.
        text: String,
    },
}

/// A patch: operations that are applied in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch(Vec<Map<String, Value>>);

impl Patch {
    /// Reads a patch from its JSON.
    ///
    /// # Errors
    /// If it is no list of operations, or (version 5) an operation is incomplete.
    pub fn new(patch: Value, options: Options) -> Result<Self, JsonPatchError> {
        let found = crate::kustomization::json_type(&patch);
        let operations = match patch {
            Value::Array(operations) => operations,
            Value::Null => Vec::new(),
            _ => return Err(JsonPatchError::NotAPatch { found, wanted: "Patch" }),
        };
        let mut patch = Vec::with_capacity(operations.len());
        for operation in operations {
            match operation {
                Value::Object(operation) => patch.push(operation),
                other => {
                    let found = crate::kustomization::json_type(&other);
                    return Err(JsonPatchError::NotAPatch { found, wanted: "Operation" });
                }
            }
        }
        if !options.version4 {
            patch.iter().try_for_each(validate)?;
        }
        Ok(Self(patch))
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies the operations in order.
    ///
    /// # Errors
    /// If an operation does not apply.
    pub fn apply(&self, document: Value, options: Options) -> Result<Value, JsonPatchError> {
        apply::apply(&self.0, document, options)
    }
}

fn validate(operation: &Map<String, Value>) -> Result<(), JsonPatchError> {
    let is_text = |field: &str| operation.get(field).is_some_and(Value::is_string);
    let problem = match operation.get("op").and_then(Value::as_str).unwrap_or_default() {
        "add" | "replace" if !operation.contains_key("value") => {
            "failed to decode 'value': operation, missing value field: missing value"
        }
        "move" | "copy" if !is_text("from") => {
            "failed to decode 'from': operation, missing from field: missing value"
        }
        "add" | "replace" | "move" | "copy" | "remove" | "test" if !is_text("path") => {
            "failed to decode 'path': operation missing path field: missing value"
        }
        "add" | "replace" | "move" | "copy" | "remove" | "test" => return Ok(()),
        _ => "unsupported operation",
    };
    let operation = Value::Object(operation.clone()).to_string();
    Err(JsonPatchError::InvalidOperation { operation, problem })
}
