//! The chart, brought here and loaded. Reads the artifact server.

use std::sync::Arc;
use std::time::Duration;

use artifact::{Digest, fetch};
use crd_types::Artifact;
use helm_chart::Chart;
use helm_chart::LoadError;
use semver_range::Version;

use super::halt::Halt;
use super::resolve::ResolvedSource;
use crate::context::Context;
use crate::sources::SourceKind;

/// How many hexadecimal digits of a digest go into a version.
const DIGEST_LENGTH: usize = 12;

/// A chart as it takes part in a release.
#[derive(Clone, Debug)]
pub(crate) struct LoadedChart {
    pub(crate) chart: Arc<Chart>,
    /// The digest in the OCI registry, if it comes from one.
    pub(crate) oci_digest: Option<String>,
}

/// Why a chart could not be brought here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It could not be downloaded or verified.
    #[error("{}", said(.0))]
    Fetch(fetch::Error),
    /// It took longer than it may.
    #[error("failed to download archive: not done within {}", go_duration::format(*.limit))]
    TimedOut { limit: Duration },
    /// The source advertises a digest that is none.
    #[error("invalid artifact digest '{digest}'")]
    Digest { digest: String },
    /// What came is no chart.
    #[error("{}", reconcile_loop::chain(.0))]
    Load(LoadError),
    /// Loading it ended in a fault of ours.
    #[error("the chart loader broke down")]
    Panicked,
}

/// Why the version of a chart cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VersionError {
    /// The version in the chart is none.
    #[error("invalid semantic version")]
    Chart,
    /// The tag is a version, but not that of the chart.
    #[error("artifact revision {tag} does not match chart version {version}")]
    Mismatch { tag: String, version: String },
    /// The revision is none that a source from a registry has.
    #[error("invalid artifact revision {revision}")]
    Revision { revision: String },
}

/// Brings the chart of a source here, or takes it off the shelf. May be repeated.
pub(super) async fn load(source: &ResolvedSource, ctx: &Context) -> Result<LoadedChart, Halt> {
    let artifact = &source.artifact;
    let chart = ctx.charts.get(artifact, || archive(artifact, ctx)).await?;
    let versioned = match source.kind {
        SourceKind::HelmChart => false,
        SourceKind::OCIRepository => true,
        SourceKind::ExternalArtifact => artifact.revision.contains(':'),
    };
    if !versioned {
        return Ok(LoadedChart { chart, oci_digest: None });
    }
    let plain = ctx.settings.plain_chart_versions;
    let (version, digest) =
        version(&chart.metadata.version, &artifact.revision, plain).map_err(Halt::ChartVersion)?;
    let mut chart = Arc::unwrap_or_clone(chart);
    chart.metadata.version = version;
    Ok(LoadedChart { chart: Arc::new(chart), oci_digest: Some(digest) })
}

async fn archive(artifact: &Artifact, ctx: &Context) -> Result<Arc<Chart>, Halt> {
    let Ok(digest) = artifact.digest.parse::<Digest>() else {
        return Err(Error::Digest { digest: artifact.digest.clone() }.into());
    };
    let url = ctx.settings.artifact_url(&artifact.url);
    // Retries are for a server that comes back soon; a worker is not held for longer than this.
    let limit = ctx.fetch_patience;
    let Ok(fetched) = tokio::time::timeout(limit, ctx.fetcher.archive(&url, &digest)).await else {
        return Err(Error::TimedOut { limit }.into());
    };
    let bytes = match fetched {
        Ok(bytes) => bytes,
        Err(fetch::Error::NotFound) => {
            return Err(Halt::ArtifactGone { retry_in: ctx.runtime.flags.requeue_dependency });
        }
        Err(error) => return Err(Error::Fetch(error).into()),
    };
    let loaded = tokio::task::spawn_blocking(move || helm_chart::archive::load(&bytes)).await;
    let loaded = loaded.map_err(|_panic| Error::Panicked)?;
    loaded.map(Arc::new).map_err(|error| Error::Load(error).into())
}

/// Flux's words for a digest that does not fit.
fn said(error: &fetch::Error) -> String {
    match error {
        fetch::Error::Digest { advertised, .. } => {
            format!("integrity failure: computed digest doesn't match '{advertised}'")
        }
        other => reconcile_loop::chain(other),
    }
}

/// The version of a chart from an OCI registry, and the digest to record. Pure.
///
/// Flux: what a version says after `+` is replaced by the digest (`mutateOCIChartVersion`).
fn version(chart: &str, revision: &str, plain: bool) -> Result<(String, String), VersionError> {
    let own = Version::parse(chart).map_err(|_invalid| VersionError::Chart)?;
    let tag = revision.split_once('@').and_then(|(tag, digest)| {
        // Registries have no `+`, so tags say `_` for it.
        Some((Version::parse(&tag.replace('_', "+")).ok()?, tag, digest))
    });
    let (digest, short) = match tag {
        Some((version, tag, digest)) => {
            if version != own {
                let (tag, version) = (tag.to_owned(), chart.to_owned());
                return Err(VersionError::Mismatch { tag, version });
            }
            (digest.to_owned(), digest.rsplit(':').next().unwrap_or(digest))
        }
        None => match revision.split(':').collect::<Vec<_>>()[..] {
            [_, hex] if hex.len() >= DIGEST_LENGTH => (revision.to_owned(), hex),
            _ => return Err(VersionError::Revision { revision: revision.to_owned() }),
        },
    };
    if plain {
        return Ok((chart.to_owned(), digest));
    }
    let Some(short) = short.get(..DIGEST_LENGTH) else {
        return Err(VersionError::Revision { revision: revision.to_owned() });
    };
    let bare = chart.split('+').next().unwrap_or(chart);
    Ok((format!("{bare}+{short}"), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_chart_from_a_registry_carries_its_digest() {
        let digest = format!("sha256:{HEX}");
        let tagged = |tag: &str| format!("{tag}@{digest}");
        assert_eq!(
            version("1.0.0", &tagged("1.0.0"), false),
            Ok(("1.0.0+0123456789ab".to_owned(), digest.clone()))
        );
        assert_eq!(
            version("1.0.0+old", &tagged("1.0.0_old"), false),
            Ok(("1.0.0+0123456789ab".to_owned(), digest.clone()))
        );
        let latest = tagged("latest");
        assert_eq!(
            version("1.0.0", &latest, false),
            Ok(("1.0.0+0123456789ab".to_owned(), latest.clone()))
        );
        assert_eq!(version("1.0.0", &digest, true), Ok(("1.0.0".to_owned(), digest.clone())));
        assert_eq!(
            version("1.0.0", &tagged("2.0.0"), false).unwrap_err().to_string(),
            "artifact revision 2.0.0 does not match chart version 1.0.0"
        );
        assert!(version("1.0.0", "nothing", false).is_err());
    }
}
