//! The charts that a chart of a source tree needs, brought over and put into it.

use std::{io::Seek as _, sync::Arc};

use bytes::Bytes;
use chart_repository::{choice::Choice, normalized};
use crd_types::source::HelmRepository;
use file_tree::{FileTree, TreePath};
use helm_chart::{Chart, Dependency, directory, index::each};
use reconcile_loop::chain;
use semver_range::{Constraint, Version};

use super::{
    failure::{Failure, Stage},
    indexed::unreachable,
    package::Package,
    tree::confined,
};
use crate::{
    context::Context,
    helm_repository::access::{self, Reach},
    source::{Source as _, storage::in_thread},
};

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) tree: &'a FileTree,
    /// The folder of the chart that needs them.
    pub(super) folder: &'a TreePath,
    /// Where the objects are that may describe repositories.
    pub(super) namespace: &'a str,
}

/// Most charts that one may need.
const MAX_DEPENDENCIES: usize = 256;

/// What a chart needs and does not have. What its lock says goes before what it asks for.
///
/// Flux: if there are as many as needed, nobody looks which they are.
pub(super) fn missing(chart: &Chart) -> Vec<Dependency> {
    let wanted = match &chart.lock {
        Some(lock) => lock.dependencies.clone(),
        None => chart.metadata.dependencies.clone().unwrap_or_default(),
    };
    if wanted.len() == chart.dependencies.len() {
        return Vec::new();
    }
    let is_there = |name: &str| chart.dependencies.iter().any(|chart| chart.name() == name);
    wanted.into_iter().filter(|dependency| !is_there(&dependency.name)).collect()
}

/// Puts the charts that lack into `package`.
///
/// # Errors
/// If one cannot be found or brought over.
pub(super) async fn add(
    package: &mut Package,
    missing: &[Dependency],
    asked: &Asked<'_>,
    ctx: &Arc<Context>,
) -> Result<(), Failure> {
    if missing.len() > MAX_DEPENDENCIES {
        let message = format!("the chart needs more than {MAX_DEPENDENCIES} charts");
        return Err(Stage::Dependencies.failed(message));
    }
    for dependency in missing {
        let (kind, found) = if is_local(&dependency.repository) {
            ("local", local(dependency, asked, ctx))
        } else {
            ("remote", remote(dependency, asked, ctx).await)
        };
        let mut chart = found.map_err(|message| {
            let name = &dependency.name;
            let message = format!("failed to add {kind} dependency '{name}': {message}");
            Stage::Dependencies.failed(message)
        })?;
        if !dependency.alias.is_empty() {
            chart.set_name(&dependency.alias)?;
        }
        let name = chart.metadata.name.clone();
        for file in chart.files {
            package.put(&format!("charts/{name}/{}", file.name), file.bytes);
        }
    }
    Ok(())
}

fn is_local(repository: &str) -> bool {
    repository.is_empty() || repository.starts_with("file://")
}

/// A chart of the same tree.
fn local(dependency: &Dependency, asked: &Asked<'_>, ctx: &Context) -> Result<Package, String> {
    let folder = asked.folder.as_str();
    let repository = &dependency.repository;
    let place = match repository.strip_prefix("file://") {
        Some(path) => confined(&format!("{folder}/{path}")),
        None => confined(&format!("{folder}/charts/{}", dependency.name)),
    };
    let (tree, limits, shown) = (asked.tree, ctx.settings.helm, place.as_str());
    let opened = if tree.is_directory(&place) {
        let files = directory::files(tree, &place).map_err(|error| chain(&error))?;
        Package::of(files, limits)
    } else {
        let file = tree
            .file(&place)
            .ok_or_else(|| format!("no chart found at '/{shown}' (reference '{repository}')"))?;
        Package::open(&file.bytes, limits)
    };
    let chart = opened.map_err(|error| {
        let why = chain(&error);
        format!("failed to load chart from '/{shown}' (reference '{repository}'): {why}")
    })?;
    let range = &dependency.version;
    let wanted = Constraint::parse(range)
        .map_err(|error| format!("invalid version/constraint format '{range}': {error}"))?;
    let is_wanted = Version::parse(&chart.metadata.version).is_ok_and(|it| wanted.check(&it));
    if is_wanted {
        Ok(chart)
    } else {
        Err(format!("can't get a valid version for constraint '{range}'"))
    }
}

/// A chart of a repository, with the credentials of the object that describes it, if one does.
async fn remote(
    dependency: &Dependency,
    asked: &Asked<'_>,
    ctx: &Arc<Context>,
) -> Result<Package, String> {
    let url = &dependency.repository;
    match url.split_once("://") {
        Some(("http" | "https" | "oci", _)) => {}
        Some(_) | None if url.starts_with('@') || url.starts_with("alias:") => {
            return Err(format!("aliased repository dependency is not supported: {url}"));
        }
        Some(_) | None => return Err(format!("invalid dependency repository URL: {url}")),
    }
    let url = normalized(url);
    let described = described(&url, asked.namespace, ctx);
    let reach = match &described {
        Some(object) => access::resolve(object, ctx).await.map_err(|error| chain(&error))?,
        None => Reach::anonymous(ctx),
    };
    let archive = if url.starts_with("oci://") {
        if let Some(object) = &described {
            super::registry::check_provider(object).map_err(|error| error.to_string())?;
        }
        let insecure = described.is_some_and(|object| object.spec.insecure);
        super::registry::dependency(dependency, &url, &reach, insecure, ctx).await?
    } else {
        indexed(dependency, &url, &reach, ctx).await?
    };
    let limits = ctx.settings.helm;
    let opened = in_thread(move || Package::open(&archive, limits)).await;
    opened.map_err(|error| {
        let version = &dependency.version;
        let why = chain(&error);
        format!("failed to load downloaded archive of version '{version}': {why}")
    })
}

/// The archive of a chart of a repository with an index.
async fn indexed(
    dependency: &Dependency,
    url: &str,
    reach: &Reach,
    ctx: &Arc<Context>,
) -> Result<Bytes, String> {
    let name = &dependency.name;
    let no_index = |error: &dyn std::error::Error| {
        format!("failed to load index for '{name}': {}", chain(error))
    };
    let repository = reach.repository(url).map_err(|error| unreachable(&error).to_string())?;
    let mut file = tempfile::tempfile_in(&ctx.scratch).map_err(|error| no_index(&error))?;
    let limits = ctx.settings.helm;
    repository
        .index(&mut file, limits.index, reach.deadline())
        .await
        .map_err(|error| no_index(&error))?;
    file.rewind().map_err(|error| no_index(&error))?;
    let (chart, range) = (name.clone(), dependency.version.clone());
    let chosen = in_thread(move || {
        let input = std::io::BufReader::with_capacity(64 * 1024, file);
        let mut choice = Choice::new(&chart, &range);
        each(input, &chart, |entry| choice.look_at(entry)).map(|()| choice.end())
    });
    let chosen = chosen.await.map_err(|error| no_index(&error))?;
    let entry = chosen.map_err(|error| error.to_string())?;
    repository.archive(name, &entry, limits.chart, reach.deadline()).await.map_err(|error| {
        format!("chart download of version '{}' failed: {}", entry.version, chain(&error))
    })
}

/// The object of the namespace that describes the repository at a URL.
fn described(url: &str, namespace: &str, ctx: &Context) -> Option<Arc<HelmRepository>> {
    let is_it = |object: &Arc<HelmRepository>| {
        object.metadata.namespace.as_deref() == Some(namespace)
            && normalized(&object.spec.url) == url
    };
    HelmRepository::of(ctx).objects.state().into_iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use helm_chart::{Lock, Metadata};

    fn dependency(name: &str) -> Dependency {
        Dependency { name: name.to_owned(), ..Dependency::default() }
    }

    #[test]
    fn what_is_there_is_not_brought_over() {
        let has = |name: &str| Chart {
            metadata: Metadata { name: name.to_owned(), ..Metadata::default() },
            ..Chart::default()
        };
        let mut chart = has("app");
        chart.metadata.dependencies = Some(vec![dependency("a"), dependency("b")]);
        chart.dependencies = vec![has("a")];
        assert_eq!(missing(&chart), [dependency("b")]);
        chart.lock = Some(Lock { dependencies: vec![dependency("c")], ..Lock::default() });
        assert_eq!(missing(&chart), []);
        chart.dependencies.clear();
        assert_eq!(missing(&chart), [dependency("c")]);
    }
}
