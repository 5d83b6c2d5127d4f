//! The HelmChart of an object: made from `spec.chart`, and gone when it is not wanted any more.

use crd_types::helm::{ChartTemplate, HelmRelease};
use crd_types::metadata::helm::{OWNER_NAME, OWNER_NAMESPACE};
use crd_types::source::{HelmChart, HelmChartSpec};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource as _, ResourceExt as _};
use reconcile_loop::controller::api_error;
use reconcile_loop::events::{Event, Severity};
use serde_json::{Value, json};

use super::halt::Halt;
use crate::NAME;
use crate::context::Context;
use crate::sources::{Source, Sourced as _};

/// What became of the HelmChart.
pub(super) struct Synced {
    /// What `status.helmChart` is to say.
    pub(super) name: Option<String>,
    /// The HelmChart as a write of ours left it, which the watch may not know yet.
    pub(super) written: Option<Source>,
}

/// Makes the HelmChart as the specification says, and deletes one that it does not name any more.
/// Writes nothing if it is so already. May be repeated.
pub(super) async fn sync(hr: &HelmRelease, ctx: &Context) -> Result<Synced, Halt> {
    let recorded = hr.status.as_ref().and_then(|status| status.helm_chart.as_deref());
    let Some(template) = &hr.spec.chart else {
        remove(hr, ctx).await?;
        return Ok(Synced { name: None, written: None });
    };
    let (namespace, name) = chart_name(hr, template);
    let wanted = format!("{namespace}/{name}");
    if recorded.is_some_and(|recorded| recorded != wanted) {
        remove(hr, ctx).await?;
    }
    if ctx.settings.no_cross_namespace_refs && hr.namespace().is_some_and(|own| own != namespace) {
        return Err(Halt::ChartTemplate {
            message: format!(
                "cross-namespace references are not allowed: cannot access {}/{namespace}/{name}",
                HelmChart::kind(&()),
            ),
        });
    }
    let desired = desired(hr, template, &namespace, &name);
    let standing = ctx.sources.chart(&namespace, &name).await;
    let key = ObjectRef::from_obj(hr);
    let (generation, is_as_desired) =
        (hr.metadata.generation, standing.as_ref().map(|standing| says(standing, &desired)));
    let written_before = ctx.memory.is_templated(&key, generation);
    if is_as_desired == Some(true) && (observed(hr) || written_before) {
        return Ok(Synced { name: Some(wanted), written: None });
    }
    let written = apply(hr, ctx, &desired, &namespace, &name).await?;
    let source = &desired["spec"]["sourceRef"];
    let source = [&source["kind"], &source["name"]].map(|part| part.as_str().unwrap_or_default());
    let [kind, of] = source;
    let about = format!("HelmChart/{wanted} with SourceRef '{kind}/{namespace}/{of}'");
    if is_as_desired.is_none() && is_new(&written) && !written_before {
        tell(hr, ctx, "HelmChartCreated", format!("Created {about}")).await;
    } else if is_as_desired == Some(false) {
        tell(hr, ctx, "HelmChartConfigured", format!("Configured {about}")).await;
    }
    ctx.memory.template(&key, generation);
    Ok(Synced { name: Some(wanted), written: Some(written.source()) })
}

/// Deletes the HelmChart that the status names. May be repeated.
pub(super) async fn remove(hr: &HelmRelease, ctx: &Context) -> Result<(), Halt> {
    let recorded = hr.status.as_ref().and_then(|status| status.helm_chart.as_deref());
    let Some((namespace, name)) = recorded.and_then(|recorded| recorded.split_once('/')) else {
        return Ok(());
    };
    let api: Api<HelmChart> = Api::namespaced(ctx.runtime.client.clone(), namespace);
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => {
            let message = format!("deleted HelmChart '{namespace}/{name}'");
            tell(hr, ctx, "HelmChartDeleted", message).await;
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(Halt::ChartTemplate {
            message: format!(
                "failed to delete HelmChart '{namespace}/{name}': {}",
                api_error(&error)
            ),
        }),
    }
}

/// Namespace and name of the HelmChart.
pub(crate) fn chart_name(hr: &HelmRelease, template: &ChartTemplate) -> (String, String) {
    let own = hr.namespace().unwrap_or_default();
    let name = format!("{own}-{}", hr.name_any());
    (template.spec.source_ref.namespace.clone().unwrap_or(own), name)
}

/// Whether this generation has been dealt with: what labels were taken away is not seen otherwise.
fn observed(hr: &HelmRelease) -> bool {
    let observed = hr.status.as_ref().and_then(|status| status.observed_generation);
    observed == hr.metadata.generation
}

fn desired(hr: &HelmRelease, template: &ChartTemplate, namespace: &str, name: &str) -> Value {
    let metadata = template.metadata.clone().unwrap_or_default();
    let mut labels = metadata.labels;
    labels.insert(OWNER_NAME.to_owned(), hr.name_any());
    labels.insert(OWNER_NAMESPACE.to_owned(), hr.namespace().unwrap_or_default());
    let mut object = json!({
        "apiVersion": HelmChart::api_version(&()),
        "kind": HelmChart::kind(&()),
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": chart_spec(hr, template),
    });
    if !metadata.annotations.is_empty() {
        object["metadata"]["annotations"] = json!(metadata.annotations);
    }
    object
}

fn chart_spec(hr: &HelmRelease, template: &ChartTemplate) -> Value {
    let spec = &template.spec;
    // Before `v2`, a reference without a kind meant a HelmRepository.
    let kind = match spec.source_ref.kind.as_str() {
        "" => "HelmRepository",
        kind => kind,
    };
    let mut values_files = spec.values_files.clone();
    values_files.extend(spec.values_file.clone().filter(|_| spec.values_files.is_empty()));
    let interval = spec.interval.as_ref().unwrap_or(&hr.spec.interval);
    // As Go prints it: a HelmChart that Flux made is not to be written again.
    let interval =
        interval.to_duration().map_or_else(|_| interval.to_string(), |parsed| parsed.to_string());
    let mut chart = json!({
        "chart": spec.chart,
        "interval": interval,
        "reconcileStrategy": spec.reconcile_strategy.as_deref().unwrap_or("ChartVersion"),
        "sourceRef": {"kind": kind, "name": spec.source_ref.name},
        "version": spec.version.as_deref().unwrap_or("*"),
    });
    if !values_files.is_empty() {
        chart["valuesFiles"] = json!(values_files);
    }
    if spec.ignore_missing_values_files {
        chart["ignoreMissingValuesFiles"] = json!(true);
    }
    if let Some(verify) = &spec.verify {
        chart["verify"] = json!(verify);
    }
    chart
}

/// Whether a HelmChart is as desired, as far as that can be seen on it.
fn says(standing: &HelmChart, desired: &Value) -> bool {
    let held = |field: &str, found: &std::collections::BTreeMap<String, String>| {
        let wanted = desired["metadata"][field].as_object();
        wanted.is_none_or(|wanted| {
            wanted.iter().all(|(key, value)| found.get(key).map(String::as_str) == value.as_str())
        })
    };
    let plain = |spec: &HelmChartSpec| {
        let mut spec = spec.clone();
        // What the API server or the source controller's other users may have set.
        spec.suspend = false;
        spec.access_from = None;
        serde_json::to_value(&spec).unwrap_or(Value::Null)
    };
    held("labels", standing.labels())
        && held("annotations", standing.annotations())
        && plain(&standing.spec) == desired["spec"]
}

async fn apply(
    hr: &HelmRelease,
    ctx: &Context,
    desired: &Value,
    namespace: &str,
    name: &str,
) -> Result<HelmChart, Halt> {
    let api: Api<HelmChart> = Api::namespaced(ctx.runtime.client.clone(), namespace);
    let params = PatchParams::apply(NAME).force();
    match api.patch(name, &params, &Patch::Apply(desired)).await {
        Ok(written) => Ok(written),
        Err(error) => {
            let message = format!("failed to run server-side apply: {}", api_error(&error));
            tell(hr, ctx, "HelmChartSyncErr", message.clone()).await;
            Err(Halt::ChartTemplate { message })
        }
    }
}

/// Whether nobody has looked at a HelmChart yet.
fn is_new(chart: &HelmChart) -> bool {
    let observed = chart.status.as_ref().and_then(|status| status.observed_generation);
    chart.finalizers().is_empty() && observed.is_none_or(|observed| observed < 0)
}

async fn tell(hr: &HelmRelease, ctx: &Context, reason: &str, message: String) {
    ctx.runtime.events.publish(hr, Event::new(Severity::Trace, reason, message)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_copied_field_by_field() {
        let template = json!({
            "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
            "spec": {
                "chart": "podinfo",
                "version": "6.x",
                "sourceRef": {"kind": "GitRepository", "name": "apps", "namespace": "infra"},
                "interval": "2m",
                "reconcileStrategy": "Revision",
                "valuesFiles": ["a.yaml"],
                "valuesFile": "ignored.yaml",
                "ignoreMissingValuesFiles": true,
                "verify": {"provider": "cosign", "secretRef": {"name": "keys"}},
            },
        });
        let of = |template: Value| {
            let spec = json!({"interval": "1h", "chart": template});
            let mut hr = HelmRelease::new("app", serde_json::from_value(spec).unwrap());
            hr.metadata.namespace = Some("web".to_owned());
            let template = hr.spec.chart.clone().unwrap();
            let (namespace, name) = chart_name(&hr, &template);
            assert_eq!(name, "web-app");
            desired(&hr, &template, &namespace, &name)
        };
        let chart = of(template);
        assert_eq!(chart["metadata"]["namespace"], "infra");
        assert_eq!(chart["metadata"]["labels"]["a"], "b");
        assert_eq!(chart["metadata"]["labels"][OWNER_NAMESPACE], "web");
        assert_eq!(chart["metadata"]["annotations"], json!({"c": "d"}));
        assert_eq!(
            chart["spec"],
            json!({
                "chart": "podinfo",
                "version": "6.x",
                "sourceRef": {"kind": "GitRepository", "name": "apps"},
                "interval": "2m0s",
                "reconcileStrategy": "Revision",
                "valuesFiles": ["a.yaml"],
                "ignoreMissingValuesFiles": true,
                "verify": {"provider": "cosign", "secretRef": {"name": "keys"}},
            })
        );
        let old = of(json!({"spec": {
            "chart": "podinfo", "sourceRef": {"name": "apps"}, "valuesFile": "prod.yaml",
        }}));
        assert_eq!(old["spec"]["valuesFiles"], json!(["prod.yaml"]));
        assert_eq!(old["spec"]["interval"], "1h0m0s");
        assert_eq!(old["spec"]["sourceRef"]["kind"], "HelmRepository");
    }
}
