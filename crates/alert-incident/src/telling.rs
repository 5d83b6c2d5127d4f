//! What is told of an incident.

use std::time::Duration;

use event_api::{Event, Severity};

use crate::incident::Incident;

/// The reason of the event that ends an incident.
const RESOLVED: &str = "IncidentResolved";
/// The metadata that both events of an incident have.
const INCIDENT: &str = "incident";
/// How many objects a message names.
const NAMED: usize = 5;

/// The event that opened it, and what else is known to have failed by now.
pub(crate) fn opening(incident: &Incident) -> Event {
    let mut event = incident.first.clone();
    event.metadata.insert(INCIDENT.to_owned(), incident.name.clone());
    if incident.concerned() > 1 {
        event.metadata.insert("affected".to_owned(), affected(incident));
    }
    event
}

/// All is well again since `last`.
pub(crate) fn resolution(incident: &Incident, last: &Event, lasted: Duration) -> Event {
    let mut event = incident.first.clone();
    event.severity = Severity::Info;
    RESOLVED.clone_into(&mut event.reason);
    event.timestamp = last.timestamp;
    let lasted = go_duration::format(Duration::from_secs(lasted.as_secs()));
    let what = match incident.concerned() {
        1 => "it is well again".to_owned(),
        _ => format!("{} are well again", affected(incident)),
    };
    event.message =
        format!("Resolved after {lasted}: {what}. It began with: {}", incident.first.message);
    if last.involved_object == event.involved_object {
        event.metadata.clone_from(&last.metadata);
    }
    event.metadata.insert(INCIDENT.to_owned(), incident.name.clone());
    event
}

/// `7 objects (a, b, c, d, e and 2 more)`
fn affected(incident: &Incident) -> String {
    let count = incident.concerned();
    let named: Vec<_> = incident.named(NAMED).map(ToString::to_string).collect();
    let more = match count - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{count} objects ({}{more})", named.join(", "))
}
