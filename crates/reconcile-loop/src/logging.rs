//! Logs in the shape of the Go controllers: one JSON object a line, with their keys.

use std::fmt;
use std::io::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::redact::redact;

/// What of ours logs, beside the controllers.
const LIBRARIES: [&str; 3] = ["cluster_apply", "helm_action", "reconcile_loop"];

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
        let filter = FilterFn::new(move |event| *event.level() <= limit(event.target(), own));
        let filter = filter.with_max_level_hint(own);
        registry.with(Lines { console }.with_filter(filter)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// The last level at which a target is logged, where our own is `own`.
fn limit(target: &str, own: Level) -> Level {
    let name = target.split("::").next().unwrap_or_default();
    match name {
        // A watch that is cut and resumed is the normal course of things.
        "kube_client" | "kube_runtime" => Level::ERROR,
        _ if name.ends_with("_controller") || LIBRARIES.contains(&name) => own,
        _ if own == Level::TRACE => Level::TRACE,
        _ => Level::WARN.min(own),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_others_are_heard_where_they_warn() {
        for (target, own, wanted) in [
            ("any_controller::kind", Level::DEBUG, Level::DEBUG),
            ("cluster_apply::plan", Level::INFO, Level::INFO),
            ("hyper::client", Level::INFO, Level::WARN),
            ("hyper", Level::ERROR, Level::ERROR),
            ("hyper", Level::TRACE, Level::TRACE),
            ("kube_client::client", Level::TRACE, Level::ERROR),
        ] {
            assert_eq!(limit(target, own), wanted, "{target} at {own}");
        }
    }

    /// A library of ours that begins to log must not go unheard.
    #[test]
    fn all_that_logs_is_known() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for entry in std::fs::read_dir(crates).unwrap() {
            let folder = entry.unwrap();
            let manifest = std::fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
            if manifest.lines().any(|line| line.starts_with("tracing.")) {
                let name = folder.file_name().into_string().unwrap().replace('-', "_");
                assert_eq!(limit(&name, Level::DEBUG), Level::DEBUG, "{name}");
            }
        }
    }
}
