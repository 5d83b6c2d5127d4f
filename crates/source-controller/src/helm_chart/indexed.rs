//! A chart of a repository that has an index.

use std::{fs::File, io::BufReader, sync::Arc};

use bytes::Bytes;
use chart_repository::choice::{self, Choice, NoVersion};
use crd_types::{Artifact, source::HelmRepository};
use helm_chart::archive::cleaned;
use helm_chart::index::{IndexEntry, IndexError, each_json};

use super::{
    build::{Build, Wish},
    failure::{Failure, Stage},
    kind::is_defaults,
    package::Package,
    values,
};
use crate::{
    context::Context,
    helm_repository::access::{self, Reach},
    settings::HelmLimits,
    source::{Source as _, storage::in_thread},
};

/// Brings over the chart that the object asks for, unless it is there already.
///
/// # Errors
/// If the repository has no such chart, cannot be reached, or the chart is none.
pub(super) async fn build(
    wish: &Wish,
    repository: &HelmRepository,
    artifact: &Artifact,
    ctx: &Arc<Context>,
) -> Result<Build, Failure> {
    check_name(&wish.chart)?;
    let reach = access::resolve(repository, ctx).await.map_err(|error| unreachable(&error))?;
    let entry = entry(wish, repository, artifact, ctx).await?;
    if let Some(reused) = reused(wish, &entry.version)? {
        return Ok(reused);
    }
    let archive =
        download(&wish.chart, &entry, &reach, &repository.spec.url, ctx.settings.helm).await?;
    made(wish, &entry.version, archive, ctx.settings.helm).await
}

/// The entry of the index that the object asks for.
async fn entry(
    wish: &Wish,
    repository: &HelmRepository,
    artifact: &Artifact,
    ctx: &Arc<Context>,
) -> Result<IndexEntry, Failure> {
    let (artifact, of_wish, of_ctx) = (artifact.clone(), wish.clone(), Arc::clone(ctx));
    let repository = repository.key();
    let look = move || look(&of_wish, &repository, &artifact, &of_ctx);
    let found = in_thread(look).await.map_err(|error| {
        let stage = Stage::Other { reason: "Failed", needs_edit: false };
        stage.because("failed to load Helm repository index", &error)
    })?;
    found.map_err(|error| {
        Stage::Reference.because("failed to get chart version for remote reference", &error)
    })
}

/// Looks into the index: the one in memory, or the one on the disk as a stream.
fn look(
    wish: &Wish,
    repository: &(String, String),
    artifact: &Artifact,
    ctx: &Context,
) -> Result<Result<IndexEntry, NoVersion>, IndexError> {
    let open = || -> Result<_, IndexError> {
        let file = File::open(ctx.store.root().join(&artifact.path)).map_err(IndexError::Read)?;
        Ok(BufReader::with_capacity(64 * 1024, file))
    };
    let (chart, range) = (&wish.chart, &wish.range);
    if let Some(index) = ctx.indexes.get_or_read(&artifact.path, repository, open)? {
        return Ok(choice::version(index.versions(chart), chart, range).cloned());
    }
    let mut choice = Choice::new(chart, range);
    each_json(open()?, chart, |entry| choice.look_at(entry))?;
    Ok(choice.end())
}

/// Brings over the archive of an entry.
///
/// # Errors
/// If the repository does not answer, or sends something else.
pub(super) async fn download(
    chart: &str,
    entry: &IndexEntry,
    reach: &Reach,
    url: &str,
    limits: HelmLimits,
) -> Result<Bytes, Failure> {
    let from = reach.repository(url).map_err(|error| unreachable(&error))?;
    from.archive(chart, entry, limits.chart, reach.deadline()).await.map_err(|error| {
        Stage::Pull.because("failed to download chart for remote reference", &error)
    })
}

/// The current artifact, if it is the chart of this version.
///
/// # Errors
/// If the version is none.
pub(super) fn reused(wish: &Wish, version: &str) -> Result<Option<Build>, Failure> {
    let version = wish.version(version)?;
    Ok(wish.reused(short_name(&wish.chart), &version, wish.changes_chart()))
}

/// What becomes of an archive that was brought over.
///
/// # Errors
/// If it is no chart, or its values files cannot be merged.
pub(super) async fn made(
    wish: &Wish,
    version: &str,
    archive: Bytes,
    limits: HelmLimits,
) -> Result<Build, Failure> {
    let (wish, version) = (wish.clone(), wish.version(version)?);
    in_thread(move || make(&wish, version, archive, limits)).await
}

fn make(
    wish: &Wish,
    version: String,
    archive: Bytes,
    limits: HelmLimits,
) -> Result<Build, Failure> {
    let name = short_name(&wish.chart).to_owned();
    let opened = Package::open(&archive, limits);
    if !wish.changes_chart() {
        opened.map_err(|error| {
            Stage::Pull.because("failed to load chart metadata from written chart", &error)
        })?;
        let archive = Some(archive);
        return Ok(Build { name, version, values_files: Vec::new(), is_packaged: false, archive });
    }
    let mut chart = opened
        .map_err(|error| Stage::Package.because("failed to load downloaded chart", &error))?;
    let content = |path: &str| {
        let path = if is_defaults(path) { "values.yaml".to_owned() } else { cleaned(path) };
        match chart.file(&path) {
            Some(bytes) => Ok(bytes.to_vec()),
            // A chart without defaults has none to merge.
            None if path == "values.yaml" => Ok(Vec::new()),
            None => Err(format!("no values file found at path '{path}'")),
        }
    };
    let what = "failed to merge chart values";
    let merged = values::merge(&wish.values_files, wish.passes_over_missing, what, content)?;
    chart.set_version(&version)?;
    let has_changed = !wish.values_files.is_empty() && chart.set_values(merged.values);
    let values_files = if has_changed { merged.files } else { Vec::new() };
    let archive = Some(chart.archive(limits)?.into());
    Ok(Build { name, version, values_files, is_packaged: true, archive })
}

/// A repository that cannot be reached at all.
pub(super) fn unreachable(error: &access::Error) -> Failure {
    Stage::Other { reason: error.reason(), needs_edit: error.needs_edit() }.because("", error)
}

/// The name of a chart without the folders that a registry has it in.
pub(super) fn short_name(chart: &str) -> &str {
    chart.rsplit('/').next().unwrap_or(chart)
}

/// Flux: the name matches `^([-a-z0-9]+/?\.?)+$`.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    let mut is_after_word = false;
    let mut may_dot = false;
    let mut is_good = !name.is_empty();
    for byte in name.bytes() {
        match byte {
            b'-' | b'0'..=b'9' | b'a'..=b'z' => (is_after_word, may_dot) = (true, true),
            b'/' if is_after_word => is_after_word = false,
            b'.' if may_dot => (is_after_word, may_dot) = (false, false),
            _ => is_good = false,
        }
    }
    if is_good {
        return Ok(());
    }
    Err(Stage::Reference.failed(format!(
        "invalid chart name '{name}': a valid name must be lower case letters and numbers and MAY \
         be separated with dashes (-), slashes (/) or periods (.)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_charts_are_lower_case_words() {
        for good in ["podinfo", "a/b", "a.b", "a-1", "a/", "a/.b"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a//b", "/a", "..", "a..b", "a_b", "./a"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
