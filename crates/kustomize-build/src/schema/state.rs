//! The schema of one build, which the first `openapi` field decides.

use std::cell::{Cell, RefCell};

use super::Schema;
use crate::options::Mode;

/// The schema of one build.
#[derive(Debug)]
pub(crate) struct SchemaState {
    schema: RefCell<Schema>,
    mode: Mode,
    /// Whether something has been merged by it.
    used: Cell<bool>,
    /// Whether a kustomization has said which schema counts.
    decided: Cell<bool>,
}

impl SchemaState {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            schema: RefCell::new(Schema::built_in()),
            mode,
            used: Cell::new(false),
            decided: Cell::new(false),
        }
    }

    pub(crate) fn schema(&self) -> Schema {
        self.used.set(true);
        self.schema.borrow().clone()
    }

    /// Whether a further schema would be ignored.
    pub(crate) fn is_decided(&self) -> bool {
        self.decided.get()
    }

    /// Keeps to the built-in kinds.
    pub(crate) fn decide_built_in(&self) {
        self.decided.set(true);
    }

    /// Takes the schema that a kustomization brings.
    ///
    /// Flux: for the command it takes the place of what is known of Kubernetes' own kinds, unless
    /// these have been used already; in the controllers they always have.
    pub(crate) fn decide(&self, custom: Schema) {
        let adds = self.mode == Mode::Controller || self.used.get();
        let schema = if adds { self.schema.borrow().with(&custom) } else { custom };
        *self.schema.borrow_mut() = schema;
        self.decided.set(true);
    }
}
