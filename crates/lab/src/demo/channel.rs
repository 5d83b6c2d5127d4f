//! A channel of a chat server that is told what happens.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use testbed::{Received, Sink, eventually};

const PATH: &str = "/hooks/gitops";
const FIRST_WITHIN: Duration = Duration::from_secs(30);

/// Listens, and remembers what it has shown.
pub(super) struct Channel {
    sink: Sink,
    shown: usize,
}

impl Channel {
    pub(super) fn start() -> Result<Self> {
        Ok(Self { sink: Sink::start()?, shown: 0 })
    }

    /// The Provider, and an Alert of what happens to these kinds in these namespaces.
    pub(super) fn manifests(&self, namespace: &str, sources: &[(&str, &str)]) -> String {
        let object = |kind: &str, spec: Value| {
            json!({
                "apiVersion": "notification.toolkit.fluxcd.io/v1beta3", "kind": kind,
                "metadata": {"name": "channel", "namespace": namespace}, "spec": spec,
            })
        };
        let sources: Vec<_> = sources
            .iter()
            .map(|(kind, namespace)| json!({"kind": kind, "name": "*", "namespace": namespace}))
            .collect();
        let address = format!("{}{PATH}", self.sink.url());
        let provider = json!({"type": "slack", "channel": "gitops", "address": address});
        let alert = json!({"providerRef": {"name": "channel"}, "eventSources": sources});
        let items = [object("Provider", provider), object("Alert", alert)];
        json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
    }

    /// Waits until something was told that holds `part`.
    pub(super) async fn until_told(&self, part: &str) -> Result<()> {
        eventually(FIRST_WITHIN, || async {
            let told = self.sink.received(PATH);
            ensure!(told.iter().any(|it| line(it).contains(part)), "nobody told of `{part}`");
            Ok(())
        })
        .await
    }

    /// Shows what was told since the last time. Answers whether there was something.
    pub(super) fn show(&mut self) -> bool {
        let told = self.sink.received(PATH);
        let news = told.get(self.shown..).unwrap_or_default();
        if !news.is_empty() {
            println!("\nthe channel #gitops was told:");
            for message in news {
                println!("    {}", line(message));
            }
            println!();
        }
        self.shown = told.len();
        !news.is_empty()
    }
}

/// One line of a message.
fn line(message: &Received) -> String {
    let attachment = &message.body["attachments"][0];
    let text = |field: &str| attachment[field].as_str().unwrap_or_default();
    let said = text("text").lines().next().unwrap_or_default();
    let mark = if text("color") == "danger" { "✗" } else { "✓" };
    format!("{mark} {}: {said}", text("author_name"))
}
