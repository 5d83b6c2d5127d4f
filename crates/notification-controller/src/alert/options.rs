//! What an alert asks for that Flux does not know: annotations, since a field would be lost where Flux's
//! own definitions are installed.

use std::time::Duration;

use alert_incident::{Grouping, Incidents};
use crd_types::notification::Alert;
use reconcile_loop::controller::{OWN_ANNOTATIONS, own_annotations};

use super::template::{self, MessageTemplate};

/// Failures with one cause are told once, and their end is told once.
const INCIDENTS: &str = "incidents";
/// How long a failure must last to be told.
const FOR: &str = "for";
/// What becomes of the message of an event.
const MESSAGE_TEMPLATE: &str = "message-template";
/// Nothing is sent; what would be is told at the alert.
const DRY_RUN: &str = "dry-run";

/// What an alert asks for that Flux does not know.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) grouping: Option<Grouping>,
    pub(crate) hold: Duration,
    pub(crate) template: Option<MessageTemplate>,
    pub(crate) dry_run: bool,
}

/// What is wrong with an option; the alert does without it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidOption {
    #[error("annotation {OWN_ANNOTATIONS}{name}: {value:?} is neither \"true\" nor \"false\"")]
    Boolean { name: &'static str, value: String },
    #[error("annotation {OWN_ANNOTATIONS}{FOR}: {value:?} is no duration, such as \"2m\"")]
    Duration { value: String },
    #[error("annotation {OWN_ANNOTATIONS}{MESSAGE_TEMPLATE}")]
    Template(#[source] template::Error),
    #[error("annotation {name} is not known to Alerts")]
    Unknown { name: String },
}

impl Options {
    /// The options of an alert, and what is wrong with others.
    pub(crate) fn of(alert: &Alert) -> (Self, Vec<InvalidOption>) {
        let (mut options, mut invalid) = (Self::default(), Vec::new());
        for (name, value) in own_annotations(alert) {
            let known = name.strip_prefix(OWN_ANNOTATIONS).unwrap_or_default();
            if let Err(error) = options.set(known, value) {
                invalid.push(error);
            }
        }
        (options, invalid)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidOption> {
        match name {
            INCIDENTS => {
                self.grouping = boolean(INCIDENTS, value)?.then_some(Grouping::ByCause);
            }
            FOR => {
                let no_duration = |_| InvalidOption::Duration { value: value.to_owned() };
                let hold = go_duration::parse(value).map_err(no_duration)?;
                self.hold = hold
                    .try_into()
                    .map_err(|_negative| InvalidOption::Duration { value: value.to_owned() })?;
            }
            MESSAGE_TEMPLATE => {
                self.template =
                    Some(MessageTemplate::parse(value).map_err(InvalidOption::Template)?);
            }
            DRY_RUN => self.dry_run = boolean(DRY_RUN, value)?,
            _ => {
                let name = format!("{OWN_ANNOTATIONS}{name}");
                return Err(InvalidOption::Unknown { name });
            }
        }
        Ok(())
    }

    /// Whether what is told depends on what happened before.
    pub(crate) fn has_memory(&self) -> bool {
        self.grouping.is_some() || !self.hold.is_zero()
    }

    /// The memory to begin with.
    pub(crate) fn incidents(&self) -> Incidents {
        Incidents::new(self.grouping.unwrap_or(Grouping::ByObject), self.hold)
    }

    /// Whether another alert's memory goes on with these options.
    pub(crate) fn remembers_like(&self, other: &Self) -> bool {
        (self.grouping, self.hold) == (other.grouping, other.hold)
    }
}

fn boolean(name: &'static str, value: &str) -> Result<bool, InvalidOption> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(InvalidOption::Boolean { name, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(name: &str, value: &str) -> (Options, Vec<String>) {
        let alert = json!({
            "metadata": {"name": "a", "annotations": {format!("ferroflux.dev/{name}"): value, "x": "y"}},
            "spec": {"providerRef": {"name": "p"}, "eventSources": []},
        });
        let alert: Alert = serde_json::from_value(alert).unwrap();
        let (options, invalid) = Options::of(&alert);
        (options, invalid.iter().map(|error| reconcile_loop::chain(error)).collect())
    }

    #[test]
    fn annotations_become_options() {
        assert_eq!(of("incidents", "true").0.grouping, Some(Grouping::ByCause));
        assert_eq!(of("for", "1m30s").0.hold, Duration::from_secs(90));
        assert!(of("message-template", "{{ .message }}").0.template.is_some());
        assert!(of("dry-run", "true").0.dry_run);
        let (none, invalid) = of("incidents", "false");
        assert!(!none.has_memory() && invalid.is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_and_left_out() {
        for (name, value, said) in [
            ("incidents", "yes", r#""yes" is neither "true" nor "false""#),
            ("for", "soon", r#""soon" is no duration, such as "2m""#),
            ("for", "-1m", r#""-1m" is no duration"#),
            ("message-template", "{{ .message", "unclosed action"),
            ("incident", "true", "annotation ferroflux.dev/incident is not known to Alerts"),
        ] {
            let (options, invalid) = of(name, value);
            assert!(!options.has_memory() && options.template.is_none());
            assert!(invalid.len() == 1 && invalid[0].contains(said), "{invalid:?}");
        }
    }
}
