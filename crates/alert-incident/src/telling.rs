//! What is told of an incident.

use std::collections::BTreeSet;
use std::time::Duration;

use event_api::{Event, GROUP, Severity};

use crate::incident::Incident;
use crate::kept::is_small;
use crate::object::ObjectKey;

/// The reason of the event that tells of more objects.
const ONGOING: &str = "IncidentOngoing";
/// The reason of the event that ends an incident.
const RESOLVED: &str = "IncidentResolved";
/// The metadata that all events of an incident have, in the group of the event API.
const INCIDENT: &str = "incident";
/// The metadata of an opening that says what else has failed.
const AFFECTED: &str = "affected";
/// How many objects a message names.
const NAMED: usize = 5;

/// The event that opened it, and what else is known to have failed by now.
pub(crate) fn opening(incident: &Incident) -> Event {
    let mut event = named(incident);
    if incident.concerned().len() > 1 {
        event.metadata.insert(key(AFFECTED), affected(incident));
    }
    event
}

/// More objects failed since it was told last.
pub(crate) fn news(incident: &Incident) -> Event {
    let mut event = named(incident);
    ONGOING.clone_into(&mut event.reason);
    event.timestamp = incident.latest;
    let (all, new) = (incident.concerned().len(), listed(incident.fresh()));
    event.message = format!("It lasts: {all} objects are affected by now. New: {new}");
    event
}

/// How the last object of an incident came to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'e> {
    /// The event that says so, if one does.
    pub(crate) event: Option<&'e Event>,
    pub(crate) at: Option<jiff::Timestamp>,
    /// `well again`, or what else has become of it.
    pub(crate) what: &'static str,
}

/// All is well again.
pub(crate) fn resolution(incident: &Incident, ending: Ending<'_>, lasted: Duration) -> Event {
    let mut event = incident.first.clone();
    event.severity = Severity::Info;
    RESOLVED.clone_into(&mut event.reason);
    event.timestamp = ending.at.or(incident.latest);
    let lasted = go_duration::format(Duration::from_secs(lasted.as_secs()));
    let what = match incident.concerned().len() {
        1 => format!("it is {}", ending.what),
        _ => format!("{} are well again", affected(incident)),
    };
    event.message =
        format!("Resolved after {lasted}: {what}. It began with: {}", incident.first.message);
    let is_its_own = |last: &&Event| last.involved_object == event.involved_object;
    if let Some(last) = ending.event.filter(is_its_own).filter(|last| is_small(last)) {
        event.metadata.clone_from(&last.metadata);
    }
    event.metadata.insert(key(INCIDENT), incident.name.clone());
    event
}

/// Whether what is told of an incident may pass for what is told of another one.
pub(crate) fn is_like(first: &Event, name: &str, other: &Event) -> bool {
    let (one, two) = (&first.involved_object, &other.involved_object);
    let same_object =
        (&one.kind, &one.namespace, &one.name) == (&two.kind, &two.namespace, &two.name);
    same_object || other.metadata.get(&key(INCIDENT)).is_some_and(|of| of == name)
}

/// The event that opened it, with its name.
fn named(incident: &Incident) -> Event {
    let mut event = incident.first.clone();
    event.metadata.insert(key(INCIDENT), incident.name.clone());
    event
}

fn key(name: &str) -> String {
    format!("{GROUP}/{name}")
}

/// `7 objects (a, b, c, d, e and 2 more)`
fn affected(incident: &Incident) -> String {
    let objects = incident.concerned();
    format!("{} objects ({})", objects.len(), listed(objects))
}

/// `a, b, c, d, e and 2 more`
fn listed(objects: &BTreeSet<ObjectKey>) -> String {
    let named: Vec<_> = objects.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match objects.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}
