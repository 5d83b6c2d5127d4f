//! Messages for NATS servers: real ones, and some that are none.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail as tests do"
)]

#[path = "../certificates/mod.rs"]
mod certificates;
mod login;
mod real_server;
mod stub;
mod subscriber;
mod tls;

use std::time::Duration;

use alert_message::{Kind, Provider};
use alert_send::{Error, Retries, Sender};
use event_api::Event;
use http_access::Access;

const SUBJECT: &str = "flux.events";

fn provider(address: impl Into<String>) -> Provider {
    Provider {
        channel: SUBJECT.to_owned(),
        uid: "uid".to_owned(),
        ..Provider::new(Kind::Nats, address)
    }
}

fn event() -> Event {
    serde_json::from_value(serde_json::json!({
        "involvedObject": {"kind": "Kustomization", "namespace": "apps", "name": "web"},
        "severity": "info", "message": "applied\r\nPUB über", "reason": "ReconciliationSucceeded",
        "metadata": {"revision": "main@sha1:f7f8d5e5ac3a1c1c0f7a7a1d9b0e6a2c7f1d2b3a"},
    }))
    .unwrap()
}

async fn tell(provider: &Provider) -> Result<(), Error> {
    tell_by(provider, &Access::default()).await
}

async fn tell_by(provider: &Provider, access: &Access) -> Result<(), Error> {
    let soon = Duration::from_millis(5);
    let sender = Sender::new(Retries { limit: 2, shortest: soon, longest: soon });
    sender.tell(provider, &event(), access, Duration::from_secs(10)).await
}

/// Why the provider was not told. No credential of a test is in it.
async fn refusal(provider: &Provider) -> String {
    refusal_by(provider, &Access::default()).await
}

async fn refusal_by(provider: &Provider, access: &Access) -> String {
    let error = tell_by(provider, access).await.unwrap_err();
    let first: &dyn std::error::Error = &error;
    let all = std::iter::successors(Some(first), |error| error.source());
    let text = all.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(!text.contains("canary"), "{text}");
    let begin = "error publishing event to subject flux.events: ";
    text.strip_prefix(begin).unwrap_or_else(|| panic!("{text}")).to_owned()
}
