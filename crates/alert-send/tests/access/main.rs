//! Servers that are reached through a proxy, and servers that look at certificates.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

#[path = "../certificates/mod.rs"]
mod certificates;
mod proxies;
mod proxy;
mod tls;
mod tls_sink;

use std::collections::BTreeMap;
use std::time::Duration;

use alert_message::{Kind, Provider};
use alert_send::{Error, Retries, Sender};
use http_access::{Access, Secret};

/// A provider with its token in a header.
fn provider(address: impl Into<String>) -> Provider {
    Provider {
        headers: BTreeMap::from([("Authorization".to_owned(), Secret::new("Bearer canary-token"))]),
        uid: "uid".to_owned(),
        ..Provider::new(Kind::Generic, address)
    }
}

async fn tell(provider: &Provider, access: &Access) -> Result<(), Error> {
    let event = serde_json::from_value(serde_json::json!({
        "involvedObject": {"kind": "Kustomization", "namespace": "apps", "name": "web"},
        "severity": "info", "message": "applied", "reason": "ReconciliationSucceeded",
    }));
    let soon = Duration::from_millis(5);
    let sender = Sender::new(Retries { limit: 2, shortest: soon, longest: soon });
    sender.tell(provider, &event.unwrap(), access, Duration::from_secs(10)).await
}

/// Why the provider was not told. No credential of a test is in it.
async fn refusal(provider: &Provider, access: &Access) -> String {
    let error = tell(provider, access).await.unwrap_err();
    let first: &dyn std::error::Error = &error;
    let all = std::iter::successors(Some(first), |error| error.source());
    let text = all.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(!text.contains("canary"), "{text}");
    text
}
