//! The objects of a release, and where they live.

use std::collections::HashSet;
use std::sync::Arc;

use cluster_apply::{DiscoveryError, HealthTarget, Resource, TenantClient};
use helm_chart::Chart;
use helm_release::Record;
use manifest::{Object, ObjectId};
use serde_json::Value;

use crate::error::{ActionError, BuildError};
use crate::target::Target;

/// How many objects a release may have.
const MAX_OBJECTS: usize = 10_000;

/// An object and what serves it.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub(crate) object: Object,
    pub(crate) resource: Arc<Resource>,
}

impl Built {
    pub(crate) fn id(&self) -> ObjectId {
        self.object.id()
    }

    /// As Helm names it in errors: `namespace/name group/version, Kind=Kind`.
    pub(crate) fn title(&self) -> String {
        let gvk = self.object.gvk();
        let (namespace, name) = (self.object.namespace(), self.object.name());
        format!("{namespace}/{name} {}/{}, Kind={}", gvk.group, gvk.version, gvk.kind)
    }

    pub(crate) fn health_target(&self, seen: Option<Object>) -> HealthTarget {
        HealthTarget { id: self.id(), gvk: self.object.gvk(), seen }
    }
}

/// Reads the documents of a manifest, in their order.
pub(crate) fn objects(manifest: &str) -> Result<Vec<Object>, BuildError> {
    let mut objects = Vec::new();
    for document in helm_render::split(manifest) {
        let value = yaml::parse(document.as_bytes()).map_err(BuildError::Yaml)?;
        push(&mut objects, value)?;
        if objects.len() > MAX_OBJECTS {
            return Err(BuildError::TooMany { limit: MAX_OBJECTS });
        }
    }
    Ok(objects)
}

/// A list counts as its items.
fn push(objects: &mut Vec<Object>, value: Value) -> Result<(), BuildError> {
    if value.is_null() {
        return Ok(());
    }
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    match value {
        Value::Object(mut fields)
            if is_list && fields.get("items").is_some_and(Value::is_array) =>
        {
            let Some(Value::Array(items)) = fields.remove("items") else { return Ok(()) };
            for item in items {
                objects.push(Object::new(item).map_err(BuildError::Object)?);
            }
        }
        value => objects.push(Object::new(value).map_err(BuildError::Object)?),
    }
    Ok(())
}

/// Finds out what serves each object, and puts those without a namespace into the release's.
pub(crate) async fn located(
    target: &Target,
    objects: Vec<Object>,
) -> Result<Vec<Built>, BuildError> {
    let mut located = Vec::with_capacity(objects.len());
    for object in objects {
        located.push(locate(&target.client, &target.namespace, object).await?);
    }
    Ok(located)
}

async fn locate(
    client: &TenantClient,
    namespace: &str,
    mut object: Object,
) -> Result<Built, BuildError> {
    let resource = client.resource(&object.gvk()).await.map_err(|source| BuildError::Kind {
        name: object.name().to_owned(),
        namespace: object.namespace().to_owned(),
        source: Box::new(source),
    })?;
    if resource.namespaced {
        if object.namespace().is_empty() {
            object.set_namespace(namespace);
        }
    } else {
        object.metadata_mut().remove("namespace");
    }
    Ok(Built { object, resource })
}

/// The objects of a manifest.
pub(crate) async fn build(
    target: &Target,
    manifest: &str,
    of: &'static str,
) -> Result<Vec<Built>, ActionError> {
    let error = |source| ActionError::Build { of, source };
    located(target, objects(manifest).map_err(error)?).await.map_err(error)
}

/// The objects of a manifest, without those whose kind is not served any more: they are gone.
pub(crate) async fn build_what_is_left(
    target: &Target,
    objects: Vec<Object>,
) -> Result<Vec<Built>, BuildError> {
    let mut left = Vec::with_capacity(objects.len());
    for mut object in objects {
        let resource = match target.client.resource_in_any_version(&object.gvk()).await {
            Ok(resource) => resource,
            Err(DiscoveryError::NoMatch(_)) => continue,
            Err(source) => {
                return Err(BuildError::Kind {
                    name: object.name().to_owned(),
                    namespace: object.namespace().to_owned(),
                    source: Box::new(source),
                });
            }
        };
        if resource.namespaced && object.namespace().is_empty() {
            object.set_namespace(&target.namespace);
        }
        left.push(Built { object, resource });
    }
    Ok(left)
}

/// The objects of a release as an inventory holds them, with their versions: those of the manifest,
/// then those of the chart's `crds/`. Hooks are none.
///
/// # Errors
/// If a document is no object, or the API server cannot be asked where a kind lives.
pub async fn inventory(
    target: &Target,
    record: &Record,
    chart: Option<&Chart>,
) -> Result<Vec<(ObjectId, String)>, ActionError> {
    let error = |source| ActionError::Build { of: "release manifest", source };
    let mut all = objects(&record.manifest).map_err(error)?;
    if let Some(chart) = chart {
        all.extend(definitions(chart).map_err(error)?);
    }
    let built = build_what_is_left(target, all).await.map_err(error)?;
    let mut seen = HashSet::new();
    let entries = built.into_iter().map(|built| (built.id(), built.object.gvk().version));
    Ok(entries.filter(|(id, _)| seen.insert(id.clone())).collect())
}

/// The objects in the `crds/` of a chart and its sub-charts.
pub(crate) fn definitions(chart: &Chart) -> Result<Vec<Object>, BuildError> {
    let mut texts = Vec::new();
    chart.visit_crds(&mut |crd| texts.push(String::from_utf8_lossy(&crd.file.bytes).into_owned()));
    let mut all = Vec::new();
    for text in texts {
        all.extend(objects(&text)?);
    }
    Ok(all)
}
