//! From what is wanted to what is installed, in the eyes of one cluster.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster_apply::{DiscoveryError, TenantClient};
use helm_chart::Chart;
use helm_functions::{Helm, Hosts, Lookup, SystemEntropy};
use helm_render::{
    Capabilities, KubeVersion, Options as RenderOptions, PostRender, Release, Rendered,
};
use manifest::Gvk;
use serde_json::{Map, Value};

use crate::error::ActionError;
use crate::target::Target;

/// What a release shall be made of.
#[derive(Clone)]
pub struct Desired {
    /// The chart, as loaded.
    pub chart: Arc<Chart>,
    /// What the user sets beside the chart's values.
    pub values: Map<String, Value>,
    /// A step between templates and manifests.
    pub post_render: Option<Arc<dyn PostRender + Send + Sync>>,
    /// Parsed templates, kept between renderings.
    pub templates: Option<Arc<helm_render::TemplateCache>>,
}

impl fmt::Debug for Desired {
    /// Without values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version) = (self.chart.name(), &self.chart.metadata.version);
        f.debug_struct("Desired")
            .field("chart", &format_args!("{name}@{version}"))
            .finish_non_exhaustive()
    }
}

/// A chart rendered for a release.
pub(crate) struct Asked<'a> {
    pub(crate) target: &'a Target,
    pub(crate) desired: &'a Desired,
    /// What the user sets; for an upgrade perhaps over what was set before.
    pub(crate) values: Map<String, Value>,
    pub(crate) is_upgrade: bool,
    pub(crate) revision: i64,
    pub(crate) validate_values: bool,
    /// Whether templates may ask for addresses of hosts.
    pub(crate) dns_lookups: bool,
}

/// Renders a chart as the cluster of the target would have it. Templates may look things up there,
/// with the tenant's rights.
pub(crate) async fn render(asked: Asked<'_>) -> Result<Rendered, ActionError> {
    let Asked { target, desired, values, is_upgrade, revision, validate_values, dns_lookups } =
        asked;
    let capabilities = capabilities(&target.client).await?;
    let release = Release {
        name: target.name.clone(),
        namespace: target.namespace.clone(),
        is_upgrade,
        revision,
    };
    let desired = desired.clone();
    let runtime = tokio::runtime::Handle::current();
    let cluster = Cluster { client: target.client.clone(), runtime: runtime.clone() };
    // Rendering computes, and waits for the cluster in the middle of it.
    let rendering = tokio::task::spawn_blocking(move || {
        let mut host = Helm::new(jiff::Timestamp::now(), SystemEntropy).with_lookup(cluster);
        if dns_lookups {
            host = host.with_hosts(Network { runtime });
        }
        let options = RenderOptions {
            skip_schema_validation: !validate_values,
            cache: desired.templates.as_deref(),
            post_render: desired.post_render.as_deref().map(|step| step as &dyn PostRender),
            ..RenderOptions::default()
        };
        helm_render::render(&desired.chart, &values, &release, &capabilities, host, &options)
    });
    match rendering.await {
        Ok(rendered) => Ok(rendered?),
        Err(stopped) => match stopped.try_into_panic() {
            // A panic ends this reconciliation, as everywhere.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Err(ActionError::Interrupted),
        },
    }
}

/// How long the name of a host may take to be looked up.
const DNS_PATIENCE: Duration = Duration::from_secs(5);

/// The hosts that the controller can look up.
struct Network {
    runtime: tokio::runtime::Handle,
}

impl Hosts for Network {
    fn address(&self, host: &str) -> Option<String> {
        let found = async {
            let found = tokio::time::timeout(DNS_PATIENCE, tokio::net::lookup_host((host, 0)));
            found.await.ok()?.ok()?.next()
        };
        self.runtime.block_on(found).map(|address| address.ip().to_string())
    }
}

/// What templates find in the cluster.
struct Cluster {
    client: TenantClient,
    runtime: tokio::runtime::Handle,
}

impl Lookup for Cluster {
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<go_template::Value, String> {
        let found = self.runtime.block_on(self.find(api_version, kind, namespace, name))?;
        Ok(go_template::Value::from_json(&found, go_template::Integers::Int64))
    }
}

impl Cluster {
    /// Flux: what is not there, or of a kind that is not served, is an empty map (Helm's
    /// `lookup_func.go`).
    async fn find(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, String> {
        let nothing = Value::Object(Map::new());
        let resource = match self.client.resource(&Gvk::new(api_version, kind)).await {
            Ok(resource) => resource,
            Err(DiscoveryError::NoMatch(_)) => return Ok(nothing),
            Err(error) => return Err(error_chain::chain(&error)),
        };
        let found = if name.is_empty() {
            self.client.list_objects(&resource, namespace, "").await.map(Some)
        } else {
            self.client.get_object(&resource, namespace, name).await
        };
        match found {
            Ok(found) => Ok(found.unwrap_or(nothing)),
            Err(error) if error.is_not_found() => Ok(nothing),
            Err(error) => Err(error_chain::chain(&error)),
        }
    }
}

/// How long what a cluster serves is taken as known. A release whose chart asks for a kind may follow
/// right after the one that defines it, and is never rendered again; so this only joins the requests
/// of releases that begin together.
const FRESH: Duration = Duration::from_secs(1);

/// What a cluster serves, and since when that is known.
#[derive(Default)]
struct Known(tokio::sync::Mutex<Option<(Instant, Capabilities)>>);

/// Forgets what the cluster serves: definitions were applied.
pub(crate) async fn forget_capabilities(client: &TenantClient) {
    *client.cluster().known::<Known>().0.lock().await = None;
}

/// What the cluster serves. Who asks while another asks waits for the same answer.
async fn capabilities(client: &TenantClient) -> Result<Capabilities, ActionError> {
    let known = client.cluster().known::<Known>();
    let mut known = known.0.lock().await;
    if let Some((at, capabilities)) = &*known
        && at.elapsed() < FRESH
    {
        return Ok(capabilities.clone());
    }
    let capabilities = served(client).await?;
    *known = Some((Instant::now(), capabilities.clone()));
    Ok(capabilities)
}

/// Asks the cluster for its version, and for all groups with their kinds in two requests
/// (aggregated discovery), however many definitions there are.
async fn served(client: &TenantClient) -> Result<Capabilities, ActionError> {
    let unknown = |error| ActionError::Capabilities(Box::new(error));
    let version = client.document("/version").await.map_err(unknown)?.unwrap_or_default();
    let version = version["gitVersion"].as_str().unwrap_or_default();
    let kube_version = KubeVersion::parse(version).map_err(ActionError::KubeVersion)?;
    let mut api_versions: Vec<Arc<str>> = Vec::new();
    for path in ["/api", "/apis"] {
        let groups = client.discovery_document(path).await.map_err(unknown)?;
        push_api_versions(&mut api_versions, &groups);
    }
    let mut capabilities = Capabilities::without_cluster();
    capabilities.kube_version = kube_version;
    capabilities.api_versions = api_versions.into();
    Ok(capabilities)
}

/// Takes `group/version` and `group/version/Kind` out of an `APIGroupDiscoveryList`.
fn push_api_versions(to: &mut Vec<Arc<str>>, groups: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for group in list(&groups["items"]) {
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        for version in list(&group["versions"]) {
            let version_name = version["version"].as_str().unwrap_or_default();
            let api_version = if name.is_empty() {
                version_name.to_owned()
            } else {
                format!("{name}/{version_name}")
            };
            to.push(api_version.as_str().into());
            for resource in list(&version["resources"]) {
                let kinds = std::iter::once(&resource)
                    .chain(resource["subresources"].as_array().into_iter().flatten());
                for kind in kinds.filter_map(|resource| resource["responseKind"]["kind"].as_str()) {
                    to.push(format!("{api_version}/{kind}").into());
                }
            }
        }
    }
    to.sort();
    to.dedup();
}
