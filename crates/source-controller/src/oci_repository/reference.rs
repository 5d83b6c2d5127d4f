//! From what the object asks for to one manifest.

use crd_types::{
    conditions::FETCH_FAILED,
    reasons,
    source::{OCIRepository, OciLayerSelector},
};
use reconcile_loop::chain;
use registry_client::{Manifest, Registry};
use semver_range::{Constraint, Version};
use tokio::time::Instant;

use super::PULL_FAILED;
use crate::source::{Stop, conclude::Retry};

/// The layer of a Helm chart.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) manifest: Manifest,
    /// The tag with the digest, or only that.
    pub(super) revision: String,
    /// What stands behind the name of the repository: `:tag` or `@digest`.
    pub(super) suffix: String,
}

/// Asks the registry.
///
/// # Errors
/// If it has no such artifact or does not answer.
pub(super) async fn resolve(
    object: &OCIRepository,
    registry: &Registry,
    deadline: Instant,
) -> Result<Found, Stop> {
    let reference = object.spec.reference.clone().unwrap_or_default();
    let not_pulled = |error: &registry_client::Error| {
        let message = format!("failed to determine artifact digest: {}", chain(error));
        Stop::new(FETCH_FAILED, PULL_FAILED, message, Retry::Backoff)
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(digest) = given(&reference.digest) {
        let manifest = registry.manifest(&digest, deadline).await.map_err(|e| not_pulled(&e))?;
        return Ok(Found { manifest, suffix: format!("@{digest}"), revision: digest });
    }
    let tag = match given(&reference.semver) {
        Some(range) => {
            let unread = |why: String| {
                let url = &object.spec.url;
                let message = format!("failed to determine the artifact tag for '{url}': {why}");
                Stop::new(FETCH_FAILED, reasons::READ_OPERATION_FAILED, message, Retry::Backoff)
            };
            let tags = registry.tags(deadline).await.map_err(|error| unread(chain(&error)))?;
            newest(&tags, &range, is_chart(object.spec.layer_selector.as_ref())).map_err(unread)?
        }
        None => given(&reference.tag).unwrap_or_else(|| "latest".to_owned()),
    };
    let manifest = registry.manifest(&tag, deadline).await.map_err(|error| not_pulled(&error))?;
    let revision = format!("{tag}@{}", manifest.digest);
    Ok(Found { manifest, suffix: format!(":{tag}"), revision })
}

fn is_chart(selector: Option<&OciLayerSelector>) -> bool {
    selector.and_then(|it| it.media_type.as_deref()) == Some(CHART_LAYER)
}

/// The tag of the highest version in a range. A tag has no room for the plus of a chart's version.
fn newest(tags: &[String], range: &str, is_chart: bool) -> Result<String, String> {
    let wanted = Constraint::parse(range)
        .map_err(|error| format!("semver '{range}' parse error: {error}"))?;
    let version = |tag: &String| {
        let text = if is_chart { tag.replace('_', "+") } else { tag.clone() };
        Version::parse(&text).ok().filter(|version| wanted.check(version))
    };
    let best = tags.iter().filter_map(|tag| Some((version(tag)?, tag))).max();
    best.map(|(_, tag)| tag.clone()).ok_or_else(|| format!("no match found for semver: {range}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_in_the_range_is_taken() {
        let tags = ["latest", "1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "3.0.0_a"];
        let tags = tags.map(str::to_owned);
        assert_eq!(newest(&tags, "1.x", false).unwrap(), "1.10.0");
        assert_eq!(newest(&tags, ">=2.0.0-0", false).unwrap(), "2.0.0-rc.1");
        assert_eq!(newest(&tags, "3.x", true).unwrap(), "3.0.0_a");
        assert_eq!(newest(&tags, ">=9", false).unwrap_err(), "no match found for semver: >=9");
        assert!(newest(&tags, "x y", false).unwrap_err().starts_with("semver 'x y' parse error: "));
    }
}
