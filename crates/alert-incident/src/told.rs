//! What is to be told, and which part of an incident's story it is.

use event_api::Event;

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is said.
    pub event: Event,
    /// Which part of a story it is.
    pub part: Part,
}

/// Which part of an incident's story something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of none: an event as it came.
    Alone,
    /// Of none, as there is no memory left for it: an event as it came.
    Unremembered,
    /// An incident is open.
    Opening(IncidentId),
    /// It lasts, and concerns more objects than before.
    News(IncidentId),
    /// It is over.
    End(IncidentId),
}

/// One of the incidents that an [`Incidents`](crate::Incidents) ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncidentId(pub(crate) u64);

impl Told {
    pub(crate) fn unremembered(event: &Event) -> Self {
        Self { event: event.clone(), part: Part::Unremembered }
    }

    pub(crate) fn alone(event: &Event) -> Self {
        Self { event: event.clone(), part: Part::Alone }
    }
}
