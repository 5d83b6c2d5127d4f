//! One reconciliation of a HelmChart: storage, origin, build, store, conclude.

mod build;
mod dependencies;
mod failure;
mod indexed;
mod kind;
pub(crate) mod origin;
mod package;
mod registry;
mod tree;
mod values;

use std::sync::Arc;

use artifact::pack;
use bytes::Bytes;
use crd_types::{Artifact, reasons, source::HelmChart};
use kube::ResourceExt as _;
use reconcile_loop::{
    chain,
    controller::{Finalized, Reconciler},
    requeue::Next,
};

use self::{
    build::{Build, Wish},
    failure::{Failure, Stage},
    origin::Origin,
    tree::Archive,
};
use crate::{
    context::Context,
    source::{
        self, Attempt, Reached, Source as _, Stop, Stored,
        conclude::Told,
        progress::Outdated,
        storage::{self, in_thread},
    },
};

/// Reconciles objects of the kind `HelmChart`.
#[derive(Debug)]
pub(crate) struct HelmCharts(pub(crate) Arc<Context>);

impl Reconciler for HelmCharts {
    type Kind = HelmChart;

    async fn reconcile(&self, object: Arc<HelmChart>) -> Next {
        let mut attempt = match Attempt::begin(object, &self.0).await {
            Ok(attempt) => attempt,
            Err(next) => return next,
        };
        let end = Box::pin(advance(&mut attempt)).await;
        let is_new = end.as_ref().is_ok_and(|reached| reached.unchanged.is_none());
        let next = attempt.end(end).await;
        if is_new {
            // Flux: a third version is followed by word of the first one's removal.
            attempt.tidy().await;
        }
        next
    }

    async fn finalize(&self, object: Arc<HelmChart>) -> Finalized {
        source::attempt::finalize(object, HelmChart::FOLDER, &self.0).await
    }
}

/// Offers the chart that the object asks for, as its source has it now.
async fn advance(attempt: &mut Attempt<HelmChart>) -> Result<Reached, Stop> {
    attempt.look_into_storage().await?;
    let (object, ctx) = (Arc::clone(&attempt.object), Arc::clone(&attempt.ctx));
    if object.spec.verify.is_some() {
        // Limit: a signature that is asked for and not looked at would be worse than no chart.
        let failure = Stage::Support.failed("spec.verify is not supported yet, remove it");
        return Err(failure.into_stop());
    }
    let origin = origin::resolve(&object, &ctx)?;
    attempt.progress.outdated = Outdated::Cleared;
    attempt.progress.status.observed_source_artifact_revision = origin.revision();
    let mut wish = Wish::of(&object, origin.tree_revision());
    if attempt.progress.artifact().is_none() {
        wish.current = None;
    }
    let namespace = object.namespace().unwrap_or_default();
    let building = Box::pin(chart(&wish, &origin, &namespace, &ctx));
    let build = attempt.while_telling(building).await.map_err(Failure::into_stop)?;
    attempt.progress.fetched = true;
    let status = &mut attempt.progress.status;
    let is_same_name = status.observed_chart_name.as_deref() == Some(build.name.as_str());
    if !is_same_name || !attempt.progress.has(&build.version) {
        attempt.progress.news("NewChart", build.news());
        attempt.tell().await;
    }
    let is_up_to_date = build.archive.is_none();
    if let Some(archive) = build.archive.clone() {
        let storing = store(Arc::clone(&object), build.clone(), archive, Arc::clone(&ctx));
        let artifact = attempt.while_telling(storing).await?;
        attempt.offer(artifact);
    }
    let status = &mut attempt.progress.status;
    status.observed_chart_name = Some(build.name.clone());
    let is_lenient = object.spec.ignore_missing_values_files;
    status.observed_values_files = if is_lenient { build.values_files.clone() } else { Vec::new() };
    Ok(reached(&build, is_up_to_date))
}

async fn chart(
    wish: &Wish,
    origin: &Origin,
    namespace: &str,
    ctx: &Arc<Context>,
) -> Result<Build, Failure> {
    match origin {
        Origin::Index(repository, artifact) => {
            indexed::build(wish, repository, artifact, ctx).await
        }
        Origin::Registry(repository) => registry::build(wish, repository, ctx).await,
        Origin::Tree(artifact) => {
            tree::build(wish, Archive::Stored(artifact.clone()), namespace, ctx).await
        }
        Origin::Remote(artifact) => {
            let archive = tree::fetch(artifact, ctx).await?;
            tree::build(wish, archive, namespace, ctx).await
        }
    }
}

async fn store(
    object: Arc<HelmChart>,
    build: Build,
    archive: Bytes,
    ctx: Arc<Context>,
) -> Result<Artifact, Stop> {
    let write = move || {
        let not_stored = |error: &dyn std::error::Error| {
            let message = format!("unable to copy Helm chart to storage: {}", chain(error));
            Stop::not_stored(reasons::ARCHIVE_OPERATION_FAILED, message)
        };
        let file = format!("{}-{}.tgz", build.name, build.version);
        let path = storage::path(&*object, &file).map_err(|error| not_stored(&error))?;
        storage::write::<HelmChart>(&path, &build.version, &ctx, |output| {
            output.write_all(&archive).map_err(pack::Error::Write)
        })
        .map_err(|error| not_stored(&error))
    };
    in_thread(write).await
}

fn reached(build: &Build, is_up_to_date: bool) -> Reached {
    let (reason, message) = (build.reason(), build.summary());
    Reached {
        in_storage: Told { reason, message: message.clone() },
        stored: Stored { when_new: reason, when_recovered: reason, message },
        unchanged: is_up_to_date.then(|| Told::up_to_date(&build.version)),
    }
}

impl Origin {
    /// The revision of the artifact that the chart is made of.
    fn revision(&self) -> Option<String> {
        match self {
            Self::Index(_, artifact) | Self::Tree(artifact) | Self::Remote(artifact) => {
                Some(artifact.revision.clone())
            }
            Self::Registry(_) => None,
        }
    }

    /// The revision that a chart made of a source tree may be named after.
    fn tree_revision(&self) -> Option<&str> {
        match self {
            Self::Tree(artifact) | Self::Remote(artifact) => Some(&artifact.revision),
            Self::Index(..) | Self::Registry(_) => None,
        }
    }
}
