//! The columns that `kubectl get` prints.

use serde_json::{Value, json};

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    name: &'static str,
    path: &'static str,
    kind: &'static str,
    is_wide: bool,
}

/// When the object was created.
pub(super) const AGE: Column =
    Column { name: "Age", path: ".metadata.creationTimestamp", kind: "date", is_wide: false };
/// Status of the Ready condition.
pub(super) const READY: Column = text("Ready", r#".status.conditions[?(@.type=="Ready")].status"#);
/// Message of the Ready condition.
pub(super) const STATUS: Column =
    text("Status", r#".status.conditions[?(@.type=="Ready")].message"#);

/// A column that prints the text at a path.
pub(super) const fn text(name: &'static str, path: &'static str) -> Column {
    Column { name, path, kind: "string", is_wide: false }
}

impl Column {
    /// The same column, printed by `-o wide` only.
    pub(super) const fn wide(self) -> Self {
        Self { is_wide: true, ..self }
    }

    /// The column as the definition says it.
    pub(super) fn manifest(&self) -> Value {
        let mut column = json!({ "name": self.name, "jsonPath": self.path, "type": self.kind });
        if self.is_wide {
            column["priority"] = json!(1);
        }
        column
    }
}
