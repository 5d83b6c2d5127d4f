//! The messages of one incident: what others of it are told below.

use std::sync::{Arc, Mutex, PoisonError};

use alert_incident::Part;
use alert_message::{Place, Thread};
use crd_types::notification::Provider;
use event_api::Event;
use kube::ResourceExt as _;

/// What is known of the first message of an incident. It lasts as long as there is something to tell.
#[derive(Debug, Default)]
pub(crate) struct Tale(Mutex<Option<(Told, Thread)>>);

/// One of the messages of an incident.
#[derive(Clone, Debug)]
pub(crate) struct Chapter {
    pub(crate) tale: Arc<Tale>,
    pub(crate) part: Part,
    /// What it says.
    pub(crate) event: Arc<Event>,
    /// How often it was told in vain.
    pub(crate) tries: u32,
}

/// A provider as it was when it was told: a thread is of use only where it began.
type Told = (Option<String>, Option<i64>);

/// Where a chapter is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Alone,
    First,
    Within(Thread),
    Last(Thread),
}

impl Chapter {
    /// Where the chapter is told. News are not told at all where they cannot be told below the first
    /// message: a channel has enough of those.
    pub(super) fn whereabouts(&self, provider: &Provider) -> Option<Whereabouts> {
        let begun = self.tale.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let thread = begun.filter(|(told, _)| *told == version(provider)).map(|(_, thread)| thread);
        match (self.part, thread) {
            (Part::Opening(_), _) => Some(Whereabouts::First),
            (Part::News(_), thread) => thread.map(Whereabouts::Within),
            (Part::End(_), Some(thread)) => Some(Whereabouts::Last(thread)),
            (Part::End(_) | Part::Alone | Part::Unremembered, _) => Some(Whereabouts::Alone),
        }
    }

    /// The provider was told, and what follows can be told below that.
    pub(super) fn begun(&self, provider: &Provider, thread: Thread) {
        let begun = Some((version(provider), thread));
        *self.tale.0.lock().unwrap_or_else(PoisonError::into_inner) = begun;
    }
}

impl Whereabouts {
    pub(super) const fn place(&self) -> Place<'_> {
        match self {
            Self::Alone => Place::Alone,
            Self::First => Place::First,
            Self::Within(thread) => Place::Within(thread),
            Self::Last(thread) => Place::Last(thread),
        }
    }
}

fn version(provider: &Provider) -> Told {
    (provider.uid(), provider.metadata.generation)
}
