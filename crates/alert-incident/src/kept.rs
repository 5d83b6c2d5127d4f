//! What is kept of an event: as much as is told of it later.

use event_api::Event;

/// As many bytes of a message as Flux lets its controllers say characters.
const MESSAGE: usize = 39_000;
/// As many as are enough to say what an incident was, once it was told.
const REMINDER: usize = 4 << 10;
/// Limit: bytes of all the rest, which is a few names and revisions.
const REST: usize = 16 << 10;

/// The event with as much of its message as is worth it; none if the rest of it is too large to be kept.
pub(crate) fn keep(event: &Event) -> Option<Event> {
    is_small(event).then(|| {
        // Not cloned: it may be far longer.
        let message = beginning(&event.message, MESSAGE);
        Event {
            involved_object: event.involved_object.clone(),
            severity: event.severity.clone(),
            timestamp: event.timestamp,
            message,
            reason: event.reason.clone(),
            metadata: event.metadata.clone(),
            reporting_controller: event.reporting_controller.clone(),
            reporting_instance: event.reporting_instance.clone(),
        }
    })
}

/// Whether an event is of a usual size, apart from its message.
pub(crate) fn is_small(event: &Event) -> bool {
    rest(event) <= REST
}

/// Keeps only as much of the message as reminds of it.
pub(crate) fn shorten(event: &mut Event) {
    if event.message.len() > REMINDER {
        event.message = beginning(&event.message, REMINDER);
    }
}

/// What an event takes in memory, about, in bytes.
pub(crate) fn weight(event: &Event) -> usize {
    size_of::<Event>() + event.message.len() + rest(event)
}

fn rest(event: &Event) -> usize {
    /// Besides its letters.
    const ENTRY: usize = 128;
    let about = &event.involved_object;
    let texts = [
        &about.kind,
        &about.namespace,
        &about.name,
        &about.uid,
        &about.api_version,
        &about.resource_version,
        &about.field_path,
        &event.reason,
        &event.reporting_controller,
        &event.reporting_instance,
    ];
    let texts: usize = texts.into_iter().map(String::len).sum();
    let entries = event.metadata.iter().map(|(key, value)| key.len() + value.len() + ENTRY);
    texts + event.severity.as_str().len() + entries.sum::<usize>()
}

fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}
