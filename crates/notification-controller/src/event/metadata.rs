//! Metadata of events: what is taken in, and what an alert makes of it.

use std::collections::BTreeMap;

use crd_types::notification::AlertSpec;
use event_api::{Event, GROUP, key};

/// Keys of metadata that more than one source has, with their sources.
pub(crate) type Conflicts = BTreeMap<String, String>;

/// Leaves only the keys of the event API and of the object's own group, without the digests that
/// nobody is told of.
pub(crate) fn clean(event: &mut Event) {
    let own = own_prefix(event);
    let common = format!("{GROUP}/");
    event.metadata.retain(|name, _| match name.strip_prefix(&own) {
        Some(rest) => !is_digest(rest),
        // Flux: the two are left out in any case of letters.
        None => name.starts_with(&common) && !is_unprefixed_digest(name, &own),
    });
}

/// Leaves out what only tells two events apart.
pub(crate) fn forget_token(event: &mut Event) {
    let token = own_prefix(event) + key::TOKEN;
    event.metadata.remove(&token);
}

/// A value of the object's own group.
pub(crate) fn own<'e>(event: &'e Event, key: &str) -> Option<&'e str> {
    event.metadata.get(&(own_prefix(event) + key)).map(String::as_str)
}

/// A value of the event API's group, unless it is empty.
pub(crate) fn common<'e>(event: &'e Event, key: &str) -> Option<&'e str> {
    let value = event.metadata.get(&format!("{GROUP}/{key}"))?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

/// The metadata of an event as an alert sends it: later sources override earlier ones.
pub(crate) fn combined(event: &Event, alert: &AlertSpec) -> (BTreeMap<String, String>, Conflicts) {
    let (common, own) = (format!("{GROUP}/"), own_prefix(event));
    let stripped = |prefix: &str| -> Vec<(String, String)> {
        let of = |(name, value): (&String, &String)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
        };
        event.metadata.iter().filter_map(of).collect()
    };
    let of_alert = alert.event_metadata.iter().map(|(name, value)| (name.clone(), value.clone()));
    let summary = alert.summary.iter().filter(|summary| !summary.is_empty());
    let summary = summary.map(|summary| (key::SUMMARY.to_owned(), summary.clone()));
    let sources = [
        ("involved object annotations", stripped(&common)),
        ("Alert object .spec.eventMetadata", of_alert.collect()),
        ("Alert object .spec.summary", summary.collect()),
        ("involved object controller metadata", stripped(&own)),
    ];
    let mut metadata = BTreeMap::new();
    let mut origins: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (source, values) in sources {
        for (name, value) in values {
            origins.entry(name.clone()).or_default().push(source);
            metadata.insert(name, value);
        }
    }
    if metadata.is_empty() {
        metadata = event.metadata.clone();
    }
    let conflicts = origins.into_iter().filter(|(_, sources)| sources.len() > 1);
    (metadata, conflicts.map(|(name, sources)| (name, sources.join(", "))).collect())
}

fn own_prefix(event: &Event) -> String {
    format!("{}/", event.involved_object.group())
}

fn is_digest(rest: &str) -> bool {
    [key::CHECKSUM, key::DIGEST].iter().any(|key| rest.eq_ignore_ascii_case(key))
}

/// Whether a key is that of a digest but for the case of the group.
fn is_unprefixed_digest(name: &str, own: &str) -> bool {
    let (head, rest) = name.split_at_checked(own.len()).unwrap_or((name, ""));
    head.eq_ignore_ascii_case(own) && is_digest(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(metadata: &serde_json::Value) -> Event {
        let about = json!({"kind": "K", "name": "n", "apiVersion": "own.io/v1"});
        serde_json::from_value(json!({"involvedObject": about, "metadata": metadata})).unwrap()
    }

    fn alert(spec: &serde_json::Value) -> AlertSpec {
        let mut whole = json!({"providerRef": {"name": "p"}, "eventSources": []});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn only_metadata_of_the_object_and_of_the_api_is_taken_in() {
        let mut event = event(&json!({
            "own.io/revision": "r", "own.io/digest": "d", "own.io/Checksum": "c",
            "own.io/token": "t", "event.toolkit.fluxcd.io/env": "e", "other.io/x": "x", "y": "y",
        }));
        clean(&mut event);
        assert_eq!(own(&event, "token"), Some("t"));
        forget_token(&mut event);
        let left: Vec<_> = event.metadata.keys().map(String::as_str).collect();
        assert_eq!(left, ["event.toolkit.fluxcd.io/env", "own.io/revision"]);
    }

    #[test]
    fn the_controller_has_the_last_word_and_conflicts_are_told() {
        let event = event(&json!({
            "own.io/revision": "r", "event.toolkit.fluxcd.io/env": "annotation",
            "event.toolkit.fluxcd.io/revision": "forged",
        }));
        let alert = alert(&json!({
            "eventMetadata": {"env": "alert", "revision": "alert", "region": "eu"}, "summary": "s",
        }));
        let (metadata, conflicts) = combined(&event, &alert);
        assert_eq!(
            json!(metadata),
            json!({"env": "alert", "region": "eu", "revision": "r", "summary": "s"})
        );
        let keys: Vec<_> = conflicts.keys().map(String::as_str).collect();
        assert_eq!(keys, ["env", "revision"]);
        assert_eq!(
            conflicts["env"],
            "involved object annotations, Alert object .spec.eventMetadata"
        );
    }
}
