//! Logs in the shape of the Go controllers: one JSON object a line, with their keys.

use std::fmt;
use std::io::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::redact::redact;

/// Starts logging to standard error. Only the first call of a process counts.
///
/// `level` is one of the levels of `--log-level`. `RUST_LOG`, where set, decides instead. Libraries
/// log from `warn` up unless the level is `trace`.
pub fn start(level: &str, encoding: &str) {
    let own = match level {
        "trace" => Level::TRACE,
        "debug" => Level::DEBUG,
        "error" => Level::ERROR,
        _ => Level::INFO,
    };
    let console = encoding == "console";
    let registry = tracing_subscriber::registry();
    let started = if let Ok(filter) = EnvFilter::try_from_default_env() {
        registry.with(Lines { console }.with_filter(filter)).try_init()
    } else {
        let others = if own == Level::TRACE { Level::TRACE } else { Level::WARN.min(own) };
        let ours = [
            "reconcile_loop",
            "cluster_apply",
            "source_controller",
            "kustomize_controller",
            "helm_controller",
            "helm_action",
            "notification_controller",
        ];
        let filter = Targets::new()
            .with_default(others)
            .with_targets(ours.map(|name| (name, own)))
            // A watch that is cut and resumed is the normal course of things.
            .with_target("kube_client", Level::ERROR)
            .with_target("kube_runtime", Level::ERROR);
        registry.with(Lines { console }.with_filter(filter)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// Writes every event as a line.
struct Lines {
    console: bool,
}

/// The fields of a span, which its events repeat.
struct SpanFields(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                line.extend(fields.clone());
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        line.extend(fields.0);
        let level = event.metadata().level();
        let text = if self.console {
            let message = message.as_str().unwrap_or_default();
            format!("{}\t{level}\t{message}\t{}\n", jiff::Timestamp::now(), Value::Object(line))
        } else {
            line.insert("level".to_owned(), level.as_str().to_ascii_lowercase().into());
            line.insert("ts".to_owned(), format!("{:.3}", jiff::Timestamp::now()).into());
            line.insert("msg".to_owned(), message);
            format!("{}\n", Value::Object(line))
        };
        // A log that cannot be written has nowhere left to complain.
        drop(io::stderr().write_all(text.as_bytes()));
    }
}

/// Collects fields, with secrets taken out of their text.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), redact(value).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
