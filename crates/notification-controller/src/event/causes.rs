//! What an object depends on: its source, its chart, and those it names.

use alert_incident::ObjectKey;
use event_api::Event;
use kube::core::DynamicObject;
use serde_json::Value;

use super::involved::involved;
use crate::context::Context;

/// Limit: how many an object may name; further ones are no cause of anything.
const MOST: usize = 100;

/// What the object of an event depends on, nearest first. Nothing if nobody can say: then its failures
/// are its own.
pub(super) async fn causes(ctx: &Context, event: &Event) -> Vec<ObjectKey> {
    match involved(ctx, event).await {
        Ok(involved) => involved.causes.clone(),
        Err(error) => {
            tracing::debug!(%error, "what the object of an event depends on is not known");
            Vec::new()
        }
    }
}

/// What an object says of it.
pub(super) fn of(event: &Event, object: &DynamicObject) -> Vec<ObjectKey> {
    let about = &event.involved_object;
    let spec = &object.data["spec"];
    let key = |reference: &Value, kind: &str| {
        let text = |name: &str| reference[name].as_str().filter(|text| !text.is_empty());
        let namespace = text("namespace").unwrap_or(&about.namespace);
        Some(ObjectKey::new(text("kind").unwrap_or(kind), namespace, text("name")?))
    };
    let mut causes = Vec::new();
    // The chart that is made for a release comes before the repository that the chart is from.
    if let Some((namespace, name)) =
        object.data["status"]["helmChart"].as_str().and_then(|chart| chart.split_once('/'))
    {
        causes.push(ObjectKey::new("HelmChart", namespace, name));
    }
    let sources = [&spec["sourceRef"], &spec["chartRef"], &spec["chart"]["spec"]["sourceRef"]];
    causes.extend(sources.into_iter().filter_map(|source| key(source, "")));
    let named = spec["dependsOn"].as_array().into_iter().flatten();
    causes.extend(named.take(MOST).filter_map(|named| key(named, &about.kind)));
    causes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sources_charts_and_dependencies_are_causes() {
        let about = json!({"kind": "HelmRelease", "namespace": "apps", "name": "web"});
        let event = serde_json::from_value(json!({"involvedObject": about})).unwrap();
        let object = serde_json::from_value(json!({
            "metadata": {"name": "web"},
            "spec": {
                "chart": {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "charts", "namespace": "flux"}}},
                "dependsOn": [{"name": "db"}, {"name": "base", "namespace": "infra"}],
            },
            "status": {"helmChart": "flux/apps-web"},
        }));
        let causes: Vec<_> = of(&event, &object.unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(
            causes,
            [
                "HelmChart/flux/apps-web",
                "HelmRepository/flux/charts",
                "HelmRelease/apps/db",
                "HelmRelease/infra/base",
            ]
        );
    }
}
