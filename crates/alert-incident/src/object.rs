//! Objects, as events and references name them.

use std::fmt;
use std::sync::Arc;

use event_api::Event;

/// An object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(Arc<Names>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Names {
    kind: String,
    namespace: String,
    name: String,
}

impl ObjectKey {
    /// Names an object.
    pub fn new(
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self(Arc::new(Names { kind: kind.into(), namespace: namespace.into(), name: name.into() }))
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it takes in memory, with a few places where it is found, about, in bytes.
    pub(crate) fn weight(&self) -> usize {
        /// Besides its letters.
        const ENTRY: usize = 256;
        ENTRY + self.kind().len() + self.namespace().len() + self.name().len()
    }

    /// The object that an event is about.
    pub fn of(event: &Event) -> Self {
        let about = &event.involved_object;
        Self::new(&about.kind, &about.namespace, &about.name)
    }
}

/// `Kind/namespace/name`.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind(), self.namespace(), self.name())
    }
}
