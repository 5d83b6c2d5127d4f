//! What a new process has to know of the incidents of the one before it: the objects that are not well.
//! Nothing is kept for that; the objects say it themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_incident::{Failure, is_wait};
use event_api::{Event, InvolvedObject, Severity};
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::DynamicObject;

use super::causes;
use super::listed::{Source, failing};
use crate::alert::rules::Rule;
use crate::context::Context;

/// How long it may take; events have to wait for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many lists are asked for at a time.
const AT_ONCE: usize = 8;
/// Conditions have no fractions of a second.
const PRECISION: Duration = Duration::from_secs(1);

/// Has alerts that tell incidents go on with those that are open. `alive` is when the process before
/// this one was last seen: what failed before that was told.
pub(crate) async fn restore(ctx: &Context, alive: Option<Timestamp>) {
    let restored = tokio::time::timeout(PATIENCE, async {
        for (rule, failures) in failures(ctx, alive).await {
            tracing::info!(alert = rule.alert.name_any(), objects = failures.len(), "not well yet");
            ctx.memory.restore(&rule, failures, Instant::now());
        }
    });
    if restored.await.is_err() {
        tracing::error!("the API server did not say in time which objects are not well");
    }
}

/// By alert.
async fn failures(ctx: &Context, alive: Option<Timestamp>) -> Vec<(Arc<Rule>, Vec<Failure>)> {
    let rules = ctx.alerts.current();
    let mut of: HashMap<_, (Arc<Rule>, Vec<Failure>)> = HashMap::new();
    let sources: Vec<_> =
        rules.remembered().filter_map(|(namespace, kind)| Source::of(namespace, kind)).collect();
    let lists = stream::iter(sources).map(async |source| {
        let mut objects = Vec::new();
        let unwell = |object: DynamicObject| {
            if failing(&object).is_some() {
                objects.push(object);
            }
        };
        if let Err(error) = source.each(&ctx.runtime.client, unwell).await {
            let Source { resource, namespace, .. } = &source;
            tracing::error!(
                error,
                kind = resource.kind,
                namespace,
                "nobody knows what is not well"
            );
        }
        (source, objects)
    });
    let mut lists = lists.buffer_unordered(AT_ONCE);
    while let Some((source, objects)) = lists.next().await {
        for object in objects {
            let Some(event) = event(&object, &source) else { continue };
            let since = event.timestamp.unwrap_or_else(Timestamp::now);
            let failure = Failure {
                causes: causes::of(&event, &object),
                age: Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default(),
                was_told: false,
                event,
            };
            for chosen in rules.choice(&failure.event).chosen {
                let options = &chosen.rule.options;
                if !options.has_memory() || !chosen.has_labels(object.labels()) {
                    continue;
                }
                let was_told = alive.is_some_and(|alive| was_told(since, options.hold, alive));
                let name = chosen.rule.name();
                let of = of.entry(name).or_insert_with(|| (chosen.rule, Vec::new()));
                of.1.push(Failure { was_told, ..failure.clone() });
            }
        }
    }
    of.into_values().collect()
}

/// Whether a process that was seen alive then told of what failed before, at a time that anybody may
/// have written, if it held it back that long.
fn was_told(since: Timestamp, hold: Duration, alive: Timestamp) -> bool {
    let known = since.checked_add(PRECISION).and_then(|known| known.checked_add(hold));
    known.is_ok_and(|known| known <= alive)
}

/// What is said of an object that is not well.
fn event(object: &DynamicObject, source: &Source) -> Option<Event> {
    let ready = failing(object)?;
    let text = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
    let reason = text("reason");
    Some(Event {
        involved_object: InvolvedObject {
            kind: source.resource.kind.clone(),
            namespace: source.namespace.clone(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            api_version: source.resource.api_version.clone(),
            ..InvolvedObject::default()
        },
        severity: if is_wait(&reason) { Severity::Info } else { Severity::Error },
        timestamp: text("lastTransitionTime").parse().ok(),
        message: text("message"),
        reason,
        metadata: std::collections::BTreeMap::new(),
        reporting_controller: source.controller.to_owned(),
        reporting_instance: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(spec: &Value, conditions: &[(&str, &str, &str)]) -> DynamicObject {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status, reason)| {
                json!({
                    "type": kind, "status": status, "reason": reason, "message": "said",
                    "lastTransitionTime": "2026-01-02T03:04:05Z",
                })
            })
            .collect();
        serde_json::from_value(json!({
            "metadata": {"name": "web", "uid": "1"}, "spec": spec,
            "status": {"conditions": conditions},
        }))
        .unwrap()
    }

    #[test]
    fn an_object_that_is_not_well_says_what_its_controller_told() {
        let source = Source::of("apps", "Kustomization").unwrap();
        let failed = [("Ready", "False", "BuildFailed")];
        let told = event(&object(&json!({}), &failed), &source).unwrap();
        let expected = json!({
            "involvedObject": {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                "name": "web", "namespace": "apps", "uid": "1",
            },
            "severity": "error", "reason": "BuildFailed", "message": "said",
            "timestamp": "2026-01-02T03:04:05Z", "reportingController": "kustomize-controller",
        });
        assert_eq!(serde_json::to_value(told).unwrap(), expected);
        let waits = [("Ready", "False", "DependencyNotReady")];
        assert!(!event(&object(&json!({}), &waits), &source).unwrap().is_error());
        assert!(Source::of("apps", "Pod").is_none());
    }

    #[test]
    fn what_was_held_back_was_not_told_and_no_time_is_too_strange() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (hold, alive) = (Duration::from_mins(2), at("2026-01-02T03:04:05Z"));
        for (since, by_hold, without) in [
            ("2026-01-02T03:02:04Z", true, true),
            ("2026-01-02T03:02:05Z", false, true),
            ("2026-01-02T03:04:05Z", false, false),
            ("9999-12-30T22:00:00Z", false, false),
            ("-009999-01-02T03:04:05Z", true, true),
        ] {
            assert_eq!(was_told(at(since), hold, alive), by_hold, "{since}");
            assert_eq!(was_told(at(since), Duration::ZERO, alive), without, "{since}");
        }
        assert!(!was_told(Timestamp::MAX, Duration::MAX, Timestamp::MAX));
    }

    #[test]
    fn only_what_will_be_heard_of_is_not_well() {
        let retry = ("Reconciling", "True", "ProgressingWithRetry");
        let unknown = ("Ready", "Unknown", "Progressing");
        for (spec, conditions, is_failing) in [
            (json!({}), vec![("Ready", "True", "Succeeded")], false),
            (json!({}), vec![("Ready", "False", "Failed")], true),
            (json!({"suspend": true}), vec![("Ready", "False", "Failed")], false),
            (json!({}), vec![unknown], false),
            (json!({}), vec![unknown, retry], true),
            (json!({}), vec![], false),
        ] {
            assert_eq!(
                failing(&object(&spec, &conditions)).is_some(),
                is_failing,
                "{conditions:?}"
            );
        }
    }
}
