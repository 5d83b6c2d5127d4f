//! Whatever an event or a provider says, telling it ends in requests or in an error.

use std::collections::BTreeMap;

use alert_message::{Answer, Kind, Place, Provider, Step, begin};
use event_api::{Event, InvolvedObject, Severity};
use proptest::prelude::*;
use secret_text::Secret;

/// No conversation is longer.
const STEPS: usize = 4;

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "https://[a-z]{1,8}\\.example\\.org/.{0,30}",
        "(ssh://)?git@[a-z.]{1,10}[:/].{0,20}",
        "Endpoint=sb://.{0,10};SharedAccessKeyName=.{0,5};SharedAccessKey=.{0,5};EntityPath=.{0,5}",
    ]
}

proptest! {
    #[test]
    fn telling_ends(
        address in address(),
        texts in proptest::collection::vec(".{0,30}", 8),
        metadata in proptest::collection::btree_map("(revision|commit|change_request|summary|.{0,8})", ".{0,50}", 0..5),
        severity in ".{0,6}",
        status in 100_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let event = Event {
            involved_object: InvolvedObject { kind: texts[0].clone(), name: texts[1].clone(), ..InvolvedObject::default() },
            severity: Severity::Other(severity),
            timestamp: None,
            message: texts[2].clone(),
            reason: texts[3].clone(),
            metadata,
            reporting_controller: texts[4].clone(),
            reporting_instance: String::new(),
        };
        for kind in Kind::all() {
            for severity in [Severity::Info, Severity::Error, event.severity.clone()] {
                let event = Event { severity, ..event.clone() };
                let provider = Provider {
                    channel: texts[5].clone(),
                    username: texts[6].clone(),
                    password: Secret::new("password"),
                    token: Secret::new(texts[7].as_str()),
                    headers: BTreeMap::from([("X".to_owned(), Secret::new("y"))]),
                    status_id: "id".to_owned(),
                    uid: "uid".to_owned(),
                    ..Provider::new(kind, address.as_str())
                };
                let mut step = begin(&provider, &event, Place::First);
                for _ in 0..STEPS {
                    step = match step {
                        Ok(Step::Ask(_, then)) => then(&Answer { status, body: body.clone() }),
                        ended => ended,
                    };
                }
                prop_assert!(!matches!(step, Ok(Step::Ask(..))), "{} goes on", kind.name());
                if let Ok(Step::Begun(thread)) = step {
                    prop_assert!(begin(&provider, &event, Place::Last(&thread)).is_ok());
                }
            }
        }
    }

    #[test]
    fn no_error_shows_the_address(path in "[a-zA-Z0-9]{20}") {
        for kind in Kind::all() {
            let provider = Provider {
                channel: "channel/topic".to_owned(),
                username: "user".to_owned(),
                password: Secret::new("password"),
                token: Secret::new("user:token"),
                status_id: "id".to_owned(),
                uid: "uid".to_owned(),
                ..Provider::new(kind, path.as_str())
            };
            let event: Event = serde_json::from_str(r#"{"involvedObject":{},"severity":"info"}"#).unwrap();
            if let Err(error) = begin(&provider, &event, Place::First) {
                prop_assert!(!error.to_string().contains(&path), "{error}");
            }
        }
    }
}
