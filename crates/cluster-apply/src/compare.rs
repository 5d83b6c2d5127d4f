//! Whether two states of an object differ in what we care about.
//!
//! Flux: labels, annotations and all top-level content other than metadata and status count;
//! null and empty collections are equal (`apiequality.Semantic`).

use std::hash::{DefaultHasher, Hash as _, Hasher};

use manifest::Object;
use serde_json::{Map, Value};

use crate::ignore::without;

/// How deep a value is followed. What is parsed from JSON is never deeper.
const MAX_DEPTH: usize = 192;

/// Whether the dry run would change the live object, fields aside that are left to others.
pub(crate) fn has_drifted(live: &Object, dry_run: &Object, ignored: &[String]) -> bool {
    if content_digest(live.fields()) == content_digest(dry_run.fields()) {
        return false;
    }
    let rest = |object: &Object| content_digest(&without(object.fields(), ignored));
    ignored.is_empty() || rest(live) != rest(dry_run)
}

/// A number over labels, annotations and content; equal for objects that do not differ in these.
///
/// Not stable across versions of this program, and no match for an adversary: it stands for
/// objects that the API server has answered, within this process.
pub(crate) fn content_digest(object: &Map<String, Value>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let metadata = object.get("metadata");
    for map in ["labels", "annotations"] {
        hash_value(metadata.and_then(|m| m.get(map)).unwrap_or(&Value::Null), &mut hasher);
    }
    let is_autoscaler =
        object.get("kind").and_then(Value::as_str) == Some("HorizontalPodAutoscaler");
    for (key, value) in object {
        if key == "metadata" || key == "status" {
            continue;
        }
        key.hash(&mut hasher);
        match value {
            Value::Object(spec) if is_autoscaler && key == "spec" => {
                hash_value(&Value::Object(without_repeated_metrics(spec)), &mut hasher);
            }
            other => hash_value(other, &mut hasher),
        }
    }
    hasher.finish()
}

/// Flux: a dry run of an autoscaler may answer each metric twice
/// (kubernetes/kubernetes#118626), so repetitions do not count.
fn without_repeated_metrics(spec: &Map<String, Value>) -> Map<String, Value> {
    let mut spec = spec.clone();
    if let Some(Value::Array(metrics)) = spec.get_mut("metrics") {
        let mut once: Vec<Value> = Vec::with_capacity(metrics.len().min(64));
        // More metrics than anybody has are compared as they are: the search is quadratic.
        if metrics.len() <= 256 {
            for metric in metrics.drain(..) {
                if !once.contains(&metric) {
                    once.push(metric);
                }
            }
            *metrics = once;
        }
    }
    spec
}

/// Feeds a value to a hasher so that equal values give the same and others do not.
pub(crate) fn hash_value(value: &Value, hasher: &mut impl Hasher) {
    hash_to_depth(value, hasher, MAX_DEPTH);
}

fn hash_to_depth(value: &Value, hasher: &mut impl Hasher, depth: usize) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(truth) => (1_u8, truth).hash(hasher),
        Value::Number(number) => (2_u8, number).hash(hasher),
        Value::String(text) => (3_u8, text).hash(hasher),
        Value::Array(items) if items.is_empty() => 0_u8.hash(hasher),
        Value::Array(items) => {
            (4_u8, items.len()).hash(hasher);
            for item in items {
                hash_to_depth(item, hasher, depth - 1);
            }
        }
        Value::Object(fields) if fields.is_empty() => 0_u8.hash(hasher),
        Value::Object(fields) => {
            (5_u8, fields.len()).hash(hasher);
            for (key, below) in fields {
                key.hash(hasher);
                hash_to_depth(below, hasher, depth - 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drifted(live: &Value, dry_run: &Value) -> bool {
        content_digest(live.as_object().unwrap()) != content_digest(dry_run.as_object().unwrap())
    }

    #[test]
    fn status_and_bookkeeping_do_not_count() {
        let live = json!({"kind": "A", "metadata": {"resourceVersion": "1", "generation": 3},
                          "spec": {"a": []}, "status": {"ready": true}});
        let same = json!({"kind": "A", "metadata": {"resourceVersion": "2"}, "spec": {"a": null}});
        assert!(!drifted(&live, &same));
        let labelled = json!({"kind": "A", "metadata": {"labels": {"x": "y"}}, "spec": {"a": []}});
        assert!(drifted(&live, &labelled));
        let other = json!({"kind": "A", "metadata": {}, "spec": {"a": [1]}});
        assert!(drifted(&live, &other));
        let more = json!({"kind": "A", "metadata": {}, "spec": {"a": []}, "data": {}});
        assert!(drifted(&live, &more));
    }

    #[test]
    fn values_of_different_shape_differ() {
        let of = |v: Value| {
            let mut hasher = DefaultHasher::new();
            hash_value(&v, &mut hasher);
            hasher.finish()
        };
        let values = [
            json!(null),
            json!(false),
            json!(true),
            json!(0),
            json!(1),
            json!(1.5),
            json!(""),
            json!("1"),
            json!([0]),
            json!([[0]]),
            json!([0, 0]),
            json!({"a": 0}),
            json!({"a": [0]}),
            json!({"b": 0}),
            json!({"a": 0, "b": 0}),
        ];
        let mut digests: Vec<_> = values.into_iter().map(of).collect();
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }

    #[test]
    fn a_metric_counts_once() {
        let hpa = |metrics: Value| json!({"kind": "HorizontalPodAutoscaler", "spec": {"metrics": metrics}});
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu"}});
        assert!(!drifted(&hpa(json!([cpu])), &hpa(json!([cpu, cpu]))));
        assert!(drifted(&hpa(json!([cpu])), &hpa(json!([]))));
    }
}
