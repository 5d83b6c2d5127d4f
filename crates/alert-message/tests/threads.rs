//! Several messages of one matter, with the answers that each service documents: what the first one's
//! answer gives, and how the others refer to it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what tests share fails as tests do")]

use alert_message::{Answer, Kind, Place, Provider, Step, Thread, begin};
use event_api::Event;
use secret_text::Secret;
use serde_json::{Value, json};

const SLACK: &str = "https://slack.com/api/chat.postMessage";

fn provider(kind: Kind, address: &str) -> Provider {
    Provider {
        channel: "channel/topic".to_owned(),
        username: "user".to_owned(),
        password: Secret::new("password"),
        token: Secret::new("token"),
        status_id: "id".to_owned(),
        uid: "uid".to_owned(),
        ..Provider::new(kind, address)
    }
}

fn event(severity: &str, message: &str, minute: u8) -> Event {
    serde_json::from_value(json!({
        "involvedObject": {"kind": "GitRepository", "namespace": "apps", "name": "fleet"},
        "severity": severity, "reason": "GitOperationFailed", "message": message,
        "timestamp": format!("2026-01-02T03:{minute:02}:05Z"),
        "metadata": {"incident": "fleet-1", "summary": "s"}, "reportingController": "source-controller",
    }))
    .unwrap()
}

/// The URL and the body of a message, and what follows an answer.
fn told(
    provider: &Provider,
    event: &Event,
    place: Place<'_>,
    answer: &str,
) -> (String, Value, Step) {
    let Step::Ask(request, then) = begin(provider, event, place).unwrap() else {
        panic!("{} has nothing to ask", provider.kind.name())
    };
    let body = request.body.map(|(_, body)| serde_json::from_slice(&body).unwrap_or_default());
    let answer = Answer { status: 200, body: answer.as_bytes().to_vec() };
    (request.url.to_string(), body.unwrap_or_default(), then(&answer).unwrap())
}

fn begun(provider: &Provider, answer: &str) -> Option<Thread> {
    let event = event("error", "no such host", 4);
    let (url, body, end) = told(provider, &event, Place::First, answer);
    let (same_url, same, alone) = told(provider, &event, Place::Alone, answer);
    assert_eq!((url, body), (same_url, same), "the first is told as if it were alone");
    assert!(matches!(alone, Step::Done), "one that is alone has nothing below it");
    match end {
        Step::Begun(thread) => Some(thread),
        Step::Done => None,
        Step::Ask(..) | Step::Publish(_) => panic!("it goes on"),
    }
}

#[test]
fn what_follows_is_told_below_the_first() {
    let replies = |thread: &str| json!({"thread_ts": thread, "reply_broadcast": false});
    let chat = "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t";
    let chat_reply = "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";
    let below = json!({
        "rel_type": "m.thread", "event_id": "$first", "is_falling_back": true,
        "m.in_reply_to": {"event_id": "$first"},
    });
    for (kind, address, answer, adds_to_url, within) in [
        (
            Kind::Slack,
            SLACK,
            r#"{"ok": true, "channel": "C1", "ts": "1503435956.000247"}"#,
            "",
            replies("1503435956.000247"),
        ),
        (
            Kind::Telegram,
            "",
            r#"{"ok": true, "result": {"message_id": 42, "chat": {"id": -1}}}"#,
            "",
            json!({"reply_parameters": {"message_id": 42, "allow_sending_without_reply": true}}),
        ),
        (
            Kind::Matrix,
            "https://matrix.example.org",
            r#"{"event_id": "$first"}"#,
            "",
            json!({"m.relates_to": below}),
        ),
        (
            Kind::Webex,
            "https://webexapis.com/v1/messages",
            r#"{"id": "Y2lzY2", "roomId": "r", "created": "2026-01-02T03:04:05Z"}"#,
            "",
            json!({"parentId": "Y2lzY2"}),
        ),
        (
            Kind::GoogleChat,
            chat,
            r#"{"name": "spaces/A/messages/B.B", "thread": {"name": "spaces/A/threads/B"}}"#,
            chat_reply,
            json!({"thread": {"name": "spaces/A/threads/B"}}),
        ),
    ] {
        let provider = provider(kind, address);
        let thread = begun(&provider, answer).unwrap();
        let event = event("info", "well again", 9);
        let (alone_url, mut body, _) = told(&provider, &event, Place::Alone, answer);
        body.as_object_mut().unwrap().extend(within.as_object().unwrap().clone());
        let (url, got, end) = told(&provider, &event, Place::Within(&thread), answer);
        assert_eq!((got, matches!(end, Step::Done)), (body.clone(), true), "{}", kind.name());
        assert_eq!(url, format!("{alone_url}{adds_to_url}"));
        if kind == Kind::Slack {
            body["reply_broadcast"] = json!(true);
        }
        let (_, got, _) = told(&provider, &event, Place::Last(&thread), answer);
        assert_eq!(got, body, "the last of {}", kind.name());
    }
}

#[test]
fn alertmanager_knows_an_alert_by_its_labels() {
    let provider = provider(Kind::Alertmanager, "https://alerts.example.org/api/v2/alerts");
    let thread = begun(&provider, "").unwrap();
    let (_, first, _) = told(&provider, &event("error", "no host", 4), Place::Alone, "");
    let (over, late) = (event("info", "well again", 9), event("info", "a clock is wrong", 1));
    let (_, last, _) = told(&provider, &over, Place::Last(&thread), "");
    assert_eq!(last[0]["labels"], first[0]["labels"]);
    assert_eq!(last[0]["startsAt"], "2026-01-02T03:04:05Z");
    assert_eq!(last[0]["endsAt"], "2026-01-02T03:09:05Z");
    assert_eq!(last[0]["status"], "resolved");
    assert_eq!(last[0]["annotations"], json!({"message": "well again", "summary": "s"}));
    let (_, last, _) = told(&provider, &late, Place::Last(&thread), "");
    assert_eq!(last[0]["endsAt"], "2026-01-02T03:04:05Z", "not before it began");
    let (_, within, _) = told(&provider, &over, Place::Within(&thread), "");
    assert_eq!(
        (&within[0]["labels"], &within[0]["endsAt"]),
        (&first[0]["labels"], &first[0]["endsAt"])
    );
}

#[test]
fn answers_that_name_nothing_begin_no_thread() {
    let hook = "https://hooks.slack.com/services/T/B/x";
    for (kind, address, answer) in [
        (Kind::Slack, hook, "ok"),
        (Kind::Slack, hook, r#"{"ts": ""}"#),
        (Kind::Slack, hook, r#"{"ts": {"a": 1}}"#),
        (Kind::Discord, "https://discord.com/api/webhooks/1/x", "ok"),
        (Kind::Matrix, "https://matrix.example.org", "[1, 2"),
        (Kind::Webex, "https://webexapis.com/v1/messages", ""),
        (Kind::Rocket, "https://rocket.example.org/hooks/1", r#"{"success": true}"#),
    ] {
        assert_eq!(begun(&provider(kind, address), answer), None, "{} {answer}", kind.name());
    }
    let endless = format!(r#"{{"ts": "{}"}}"#, "1".repeat(20 << 10));
    assert_eq!(begun(&provider(Kind::Slack, hook), &endless), None);
}
