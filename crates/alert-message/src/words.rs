//! What messages are made of: names of objects, reasons in words, revisions of commits.

use event_api::Event;

use crate::Error;

/// Go's zero time.
pub(crate) const ZERO_TIME: &str = "0001-01-01T00:00:00Z";
const ZERO_SECOND: i64 = -62_135_596_800;

/// `kind/name.namespace`.
pub(crate) fn object(event: &Event) -> String {
    let about = &event.involved_object;
    format!("{}/{}.{}", about.kind.to_lowercase(), about.name, about.namespace)
}

/// `kind/name`.
pub(crate) fn short_object(event: &Event) -> String {
    let about = &event.involved_object;
    format!("{}/{}", about.kind, about.name).to_lowercase()
}

/// `Kind: namespace/name`.
pub(crate) fn kind_and_path(event: &Event) -> String {
    let about = &event.involved_object;
    format!("{}: {}/{}", about.kind, about.namespace, about.name)
}

/// When it happened, as RFC 3339 has it.
pub(crate) fn time(event: &Event) -> String {
    event.timestamp.map_or_else(|| ZERO_TIME.to_owned(), |time| format!("{time:.0}"))
}

/// When it happened, in seconds since 1970.
pub(crate) fn unix_seconds(event: &Event) -> i64 {
    event.timestamp.map_or(ZERO_SECOND, jiff::Timestamp::as_second)
}

/// Whether the event only says that work goes on.
pub(crate) fn is_progress(event: &Event) -> bool {
    event.reason == "Progressing"
}

/// The reason as lower-case words: `HealthCheckFailed` is `health check failed`.
pub(crate) fn reason(event: &Event) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for c in event.reason.chars() {
        let class = Some(Class::of(c));
        match words.last_mut() {
            Some(word) if class == last => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = class;
    }
    // The last capital of a run belongs to the word that it begins: `HTTPRequest`.
    for n in 1..words.len() {
        let begins_upper = words[n - 1].starts_with(char::is_uppercase);
        if begins_upper
            && words[n].starts_with(char::is_lowercase)
            && let Some(initial) = words[n - 1].pop()
        {
            words[n].insert(0, initial);
        }
    }
    words.retain(|word| !word.is_empty());
    words.join(" ").to_lowercase()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            c if c.is_lowercase() => Self::Lower,
            c if c.is_uppercase() => Self::Upper,
            c if c.is_numeric() => Self::Digit,
            _ => Self::Other,
        }
    }
}

/// The commit that the event is about, as hexadecimal digits.
///
/// Revisions look like `main@sha1:…`, `sha1:…`, and formerly `main/…` or a bare commit.
pub(crate) fn commit(event: &Event) -> Result<String, Error> {
    let revision = event.commit_revision().ok_or(Error::NoRevision)?;
    let digest = revision.rsplit_once('@').map_or(revision, |(_, digest)| digest);
    let hex = match digest.split_once(':') {
        Some((_, hex)) => hex,
        None => digest.rsplit_once('/').map_or(digest, |(_, hex)| hex),
    };
    let is_commit = hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit
        .then(|| hex.to_owned())
        .ok_or_else(|| Error::NoCommit { revision: revision.to_owned() })
}

/// A message in Markdown, for comments and Zulip.
pub(crate) fn markdown(event: &Event) -> String {
    use std::fmt::Write as _;
    let about = &event.involved_object;
    let sign = if event.is_error() { "⚠️" } else { "ℹ️" };
    let mut text = format!(
        "## Flux Status\n\n{sign} {}/{}/{}\n\n{}\n\nMetadata:\n",
        about.kind, about.namespace, about.name, event.message
    );
    for (key, value) in &event.metadata {
        if key != event_api::key::CHANGE_REQUEST {
            // Writing to a String cannot fail.
            _ = writeln!(text, "* `{key}`: {value}");
        }
    }
    text
}
