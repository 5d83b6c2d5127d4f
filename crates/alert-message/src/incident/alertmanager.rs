//! Prometheus' Alertmanager.

use std::collections::BTreeMap;

use event_api::{Event, key};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::request::POST_FAILED;
use crate::{Error, Place, Provider, Request, Step, Thread, address, words};

/// Alertmanager then resolves the alert by its own `resolve_timeout`.
const NEVER: &str = words::ZERO_TIME;

/// What Alertmanager knows an alert by, and since when there is one.
#[derive(Serialize, Deserialize)]
struct Known {
    labels: BTreeMap<String, String>,
    since: String,
}

pub(crate) fn tell(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Alertmanager URL")?;
    let mut annotations = json!({"message": event.message});
    if let Some(summary) = event.metadata.get(key::SUMMARY) {
        annotations["summary"] = json!(summary);
    }
    let known = Known::told_before(place).unwrap_or_else(|| Known::of(event));
    let (status, ends) = match place {
        // An end before the beginning is refused.
        Place::Last(_) => ("resolved", words::time(event).max(known.since.clone())),
        Place::Alone | Place::First | Place::Within(_) => ("firing", NEVER.to_owned()),
    };
    let alerts = json!([{
        "status": status,
        "labels": known.labels,
        "annotations": annotations,
        "startsAt": known.since,
        "endsAt": ends,
    }]);
    let mut request = Request::post(url, &alerts);
    if !provider.username.is_empty() && !provider.password.is_empty() {
        request = request.basic(&provider.username, &provider.password);
    } else if !provider.token.is_empty() {
        request = request.bearer(&provider.token);
    }
    let begun = (place == Place::First).then(|| known.thread()).flatten();
    Ok(Step::ask(request, |answer| {
        answer.accepted(POST_FAILED).map(|()| begun.map_or(Step::Done, Step::Begun))
    }))
}

impl Known {
    fn of(event: &Event) -> Self {
        let about = &event.involved_object;
        let mut labels = event.metadata.clone();
        labels.remove(key::SUMMARY);
        for (label, value) in [
            ("alertname", format!("Flux{}{}", about.kind, title(&event.reason)).as_str()),
            ("severity", event.severity.as_str()),
            ("reason", &event.reason),
            ("kind", &about.kind),
            ("name", &about.name),
            ("namespace", &about.namespace),
            ("reportingcontroller", &event.reporting_controller),
        ] {
            labels.insert(label.to_owned(), value.to_owned());
        }
        Self { labels, since: words::time(event) }
    }

    /// The alert that goes on or ends. The server's answers name none: it is known by what it was told.
    fn told_before(place: Place<'_>) -> Option<Self> {
        serde_json::from_str(place.thread()?.as_str()).ok()
    }

    fn thread(&self) -> Option<Thread> {
        Thread::new(serde_json::to_string(self).ok()?)
    }
}

/// A reason as alert routes know it: one capital, then small letters.
fn title(reason: &str) -> String {
    let mut title = String::with_capacity(reason.len());
    let mut inside = false;
    for c in reason.chars() {
        if inside {
            title.extend(c.to_lowercase());
        } else {
            title.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '_';
    }
    title
}
