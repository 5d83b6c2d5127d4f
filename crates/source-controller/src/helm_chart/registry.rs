//! A chart of an OCI registry.

use std::sync::Arc;

use bytes::Bytes;
use chart_repository::choice::{self, exact};
use crd_types::source::HelmRepository;
use helm_chart::Dependency;
use http_access::Login;
use kube::ResourceExt as _;
use reconcile_loop::chain;
use registry_client::{Registry, login};

use super::{
    build::{Build, Wish},
    failure::{Failure, Stage},
    indexed::{check_name, made, reused, short_name, unreachable},
};
use crate::{
    context::Context,
    helm_repository::access::{self, Reach},
};

/// The layer that is the chart.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Brings over the chart that the object asks for, unless it is there already.
///
/// # Errors
/// If the registry has no such chart, cannot be reached, or the chart is none.
pub(super) async fn build(
    wish: &Wish,
    repository: &HelmRepository,
    ctx: &Arc<Context>,
) -> Result<Build, Failure> {
    check_name(&wish.chart)?;
    check_provider(repository)?;
    let reach = access::resolve(repository, ctx).await.map_err(|error| unreachable(&error))?;
    let spec = &repository.spec;
    let url = format!("{}/{}", spec.url.trim_end_matches('/'), wish.chart.trim_matches('/'));
    let registry = registry(&url, &reach, spec.insecure)?;
    let version = version(&registry, &wish.chart, &wish.range, &reach).await.map_err(|error| {
        Stage::Reference
            .failed(format!("failed to get chart version for remote reference: {error}"))
    })?;
    if let Some(reused) = reused(wish, &version)? {
        return Ok(reused);
    }
    let limits = ctx.settings.helm;
    let archive = archive(&registry, &version, limits.chart, &reach).await.map_err(|error| {
        Stage::Pull.failed(format!("failed to download chart for remote reference: {error}"))
    })?;
    let name = short_name(&wish.chart);
    let wish = Wish { chart: name.to_owned(), ..wish.clone() };
    made(&wish, &version, archive, limits).await
}

/// The archive of a chart that another one needs.
///
/// # Errors
/// What is wrong, in words.
pub(super) async fn dependency(
    dependency: &Dependency,
    url: &str,
    reach: &Reach,
    insecure: bool,
    ctx: &Context,
) -> Result<Bytes, String> {
    let name = &dependency.name;
    let registry = registry(&format!("{url}/{name}"), reach, insecure);
    let registry = registry.map_err(|error| error.to_string())?;
    let version = version(&registry, name, &dependency.version, reach).await?;
    let limits = ctx.settings.helm;
    let archive = archive(&registry, &version, limits.chart, reach).await;
    archive.map_err(|error| format!("chart download of version '{version}' failed: {error}"))
}

/// Flux: for one version, nobody is asked which there are.
async fn version(
    registry: &Registry,
    chart: &str,
    range: &str,
    reach: &Reach,
) -> Result<String, String> {
    if exact(range).is_some() {
        return Ok(range.to_owned());
    }
    let tags = registry
        .tags(reach.deadline())
        .await
        .map_err(|error| format!("could not get tags for \"{chart}\": {}", chain(&error)))?;
    if tags.is_empty() {
        return Err(format!("unable to locate any tags in provided repository: {chart}"));
    }
    // A tag has no room for a plus.
    let versions: Vec<String> = tags.iter().map(|tag| tag.replace('_', "+")).collect();
    match choice::tag(&versions, chart, range) {
        Ok(version) => Ok(version.to_owned()),
        Err(choice::NoVersion::NoMatch { .. } | choice::NoVersion::NoChart) => {
            Err(format!("could not locate a version matching provided version string {range}"))
        }
        Err(error @ choice::NoVersion::Range(_)) => Err(error.to_string()),
    }
}

async fn archive(
    registry: &Registry,
    version: &str,
    limit_bytes: u64,
    reach: &Reach,
) -> Result<Bytes, String> {
    let (tag, deadline) = (version.replace('+', "_"), reach.deadline());
    let manifest = registry.manifest(&tag, deadline).await.map_err(|error| chain(&error))?;
    let layer = manifest.layers.iter().find(|layer| layer.media_type == CHART_LAYER);
    let layer = layer
        .ok_or_else(|| format!("manifest does not contain a layer with mediatype {CHART_LAYER}"))?;
    registry.blob(layer, limit_bytes, deadline).await.map_err(|error| chain(&error))
}

/// Limit: the logins of clouds are not there yet. Without them the registry would be asked by nobody
/// in particular, and its answer would mislead.
pub(super) fn check_provider(repository: &HelmRepository) -> Result<(), Failure> {
    match repository.spec.provider.as_deref() {
        None | Some("" | "generic") => Ok(()),
        Some(provider) => Err(Stage::Support.failed(format!(
            "spec.provider '{provider}' of HelmRepository '{}' is not supported yet, use \
             'generic' and a secretRef",
            repository.name_any()
        ))),
    }
}

fn registry(url: &str, reach: &Reach, insecure: bool) -> Result<Registry, Failure> {
    let client = reach.client().map_err(|error| unreachable(&error))?;
    let who = who(url, reach)?;
    Registry::new(url, insecure, client, who).map_err(|error| {
        Stage::Other { reason: crd_types::reasons::URL_INVALID, needs_edit: true }
            .because("", &error)
    })
}

/// Who we are to the registry, by the Secret that the object refers to.
fn who(url: &str, reach: &Reach) -> Result<Option<Login>, Failure> {
    let stage =
        Stage::Other { reason: crd_types::reasons::AUTHENTICATION_FAILED, needs_edit: false };
    let Some(secret) = &reach.secret else { return Ok(None) };
    let name = secret.name.rsplit('/').next().unwrap_or_default();
    if let Some(config) = secret.value(".dockerconfigjson") {
        let host = Registry::host(url).unwrap_or_default();
        let found = login(&config, host).map_err(|error| stage.because("", &error))?;
        return match found {
            Some(found) => Ok(Some(found)),
            None => Err(stage.failed(format!(
                "no auth config for '{host}' in the docker-registry Secret '{name}'"
            ))),
        };
    }
    match secret.login() {
        Ok(Some(login)) => Ok(Some(login)),
        Ok(None) | Err(_) => Err(stage.failed(format!(
            "invalid '{name}' secret data: required fields 'username' and 'password'"
        ))),
    }
}
