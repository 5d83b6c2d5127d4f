//! What follows the opening of an incident, at a server that answers as Slack's API does.

use std::time::Duration;

use crate::incidents::Notified;
use anyhow::ensure;
use serde_json::{Value, json};
use testbed::{Reply, eventually};

/// News are gathered for half a minute.
const PATIENCE: Duration = Duration::from_mins(2);
const SOURCE: &str = "GitRepository";

/// A server that answers as Slack's API does, each time later than the next message comes.
fn slack(first: &str) -> Reply {
    let answer = json!({"ok": true, "channel": "C1", "ts": first});
    Reply::Late(Duration::from_millis(500), answer.to_string())
}

/// The first words of each message, and where it was told.
async fn messages(notified: &Notified, count: usize) -> Vec<(String, Value, Value)> {
    let told = eventually(PATIENCE, || async {
        let told = notified.sink.received("/slack");
        let told: Vec<_> = told.into_iter().map(|request| request.body).collect();
        let text = |body: &Value| body["attachments"][0]["text"].as_str().unwrap().to_owned();
        // The probes are told on their own.
        let told: Vec<_> = told
            .into_iter()
            .map(|body| (text(&body), body["thread_ts"].clone(), body["reply_broadcast"].clone()))
            .filter(|(text, ..)| text.contains(' '))
            .collect();
        ensure!(told.len() >= count, "{} of {count} messages: {told:#?}", told.len());
        Ok(told)
    });
    told.await.unwrap()
}

#[tokio::test]
async fn an_incident_is_one_thread_whose_end_everybody_sees() {
    let notified = Notified::new("threads").await;
    notified.alert_by("slack", "slack", &json!({"ferroflux.dev/incidents": "true"}));
    notified.until_known(&["slack"]).await;
    let fails = async |name: &str| {
        notified.tell(SOURCE, name, "error", "failed to clone: no such host").await.unwrap();
    };
    let is_well = async |name: &str| {
        notified.tell(SOURCE, name, "info", &format!("stored artifact of {name}")).await.unwrap();
    };

    notified.sink.reply("/slack", Reply::Status(403));
    fails("a").await;
    let failed = eventually(PATIENCE, || async {
        let remarks = notified.remarks("slack", "NotificationDispatchFailed").await?;
        ensure!(remarks.iter().any(|remark| remark.contains("GitRepository/")), "{remarks:?}");
        Ok(())
    });
    failed.await.unwrap();
    notified.sink.reply("/slack", slack("1503435956.000247"));
    // What did not arrive is told again.
    fails("b").await;
    messages(&notified, 2).await;
    for name in ["c", "d"] {
        fails(name).await;
    }
    messages(&notified, 3).await;
    for name in ["a", "b", "c", "d"] {
        is_well(name).await;
    }
    let told = messages(&notified, 4).await;
    assert_eq!(told.len(), 4, "{told:#?}");
    let places: Vec<_> = told.iter().map(|(_, thread, to_all)| (thread, to_all)).collect();
    let thread = json!("1503435956.000247");
    assert_eq!(places[..2], [(&Value::Null, &Value::Null); 2]);
    assert_eq!(places[2..], [(&thread, &json!(false)), (&thread, &json!(true))]);
    let said: Vec<_> = told.iter().map(|(text, ..)| text.as_str()).collect();
    assert_eq!(said[0], said[1]);
    assert!(said[2].starts_with("It lasts: 4 objects are affected by now. New: "), "{}", said[2]);
    let last = format!("GitRepository/{}/d", notified.scene.namespace().name());
    assert!(said[2].ends_with(&last), "{}", said[2]);
    assert!(said[3].starts_with("Resolved after "), "{}", said[3]);
}

#[tokio::test]
async fn an_end_waits_for_the_answer_to_its_beginning_and_is_told_whatever_becomes_of_that() {
    let notified = Notified::new("ends").await;
    notified.alert_by("slack", "slack", &json!({"ferroflux.dev/incidents": "true"}));
    notified.until_known(&["slack"]).await;
    notified.sink.reply("/slack", slack("1.1"));
    notified.tell(SOURCE, "a", "error", "failed to clone").await.unwrap();
    // At once: neither the API server has said what it depends on, nor has the first message arrived.
    notified.tell(SOURCE, "a", "info", "stored artifact").await.unwrap();
    let told = messages(&notified, 2).await;
    assert_eq!((&told[0].1, &told[1].1), (&Value::Null, &json!("1.1")), "{told:#?}");

    notified.tell(SOURCE, "b", "error", "failed to verify").await.unwrap();
    messages(&notified, 3).await;
    notified.sink.reply_once("/slack", Reply::Status(404));
    notified.tell(SOURCE, "b", "info", "stored another").await.unwrap();
    let told = messages(&notified, 5).await;
    assert_eq!((&told[3].1, &told[4].1), (&json!("1.1"), &Value::Null), "{told:#?}");
    assert_eq!(told[3].0, told[4].0, "the same, on its own");
}
