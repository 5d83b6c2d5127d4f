//! One reconciliation of a GitRepository: storage, access, resolve, fetch, archive, conclude.

mod access;
mod archive;
mod halt;
mod kind;
mod resolve;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crd_types::{
    conditions::ARTIFACT_IN_STORAGE,
    reasons,
    source::{GitRepository, GitRepositoryStatus},
};
use reconcile_loop::{
    conditions::is_true,
    controller::{Finalized, Reconciler},
    requeue::Next,
};
use tokio::time::Instant;

use self::{resolve::Asked, spec::Wish};
use crate::{
    context::Context,
    helm_chart::origin::wake_charts_of,
    source::{
        self, Attempt, Reached, Source as _, Stop, Stored,
        conclude::Told,
        progress::{Outdated, Progress},
    },
    watches,
};

/// Reconciles GitRepositories.
#[derive(Debug)]
pub(crate) struct GitRepositories(pub(crate) Arc<Context>);

impl Reconciler for GitRepositories {
    type Kind = GitRepository;

    async fn reconcile(&self, object: Arc<GitRepository>) -> Next {
        watches::cover(&*object, &self.0);
        let mut attempt = match Attempt::begin(object, &self.0).await {
            Ok(attempt) => attempt,
            Err(next) => return next,
        };
        // On the heap, because a conversation with a server is large.
        let end = Box::pin(advance(&mut attempt)).await;
        let current = end.is_ok().then(|| attempt.progress.artifact().cloned()).flatten();
        let next = attempt.end(end).await;
        if let Some(artifact) = current {
            wake_charts_of(&*attempt.object, &artifact.revision, &self.0);
        }
        next
    }

    async fn finalize(&self, object: Arc<GitRepository>) -> Finalized {
        source::attempt::finalize(object, GitRepository::FOLDER, &self.0).await
    }
}

/// Offers what the repository has now.
///
/// A phase consumes the previous phase's output, so skipping or reordering one does not compile.
async fn advance(attempt: &mut Attempt<GitRepository>) -> Result<Reached, Stop> {
    attempt.look_into_storage().await?;
    let (object, ctx) = (Arc::clone(&attempt.object), Arc::clone(&attempt.ctx));
    let wish = Wish::of(&object)?;
    let access = access::resolve(&object, &ctx).await?;
    attempt.progress.outdated = Outdated::Cleared;
    let deadline = Instant::now() + wish.timeout;
    let asked = Asked { wish: &wish, may_be_unchanged: has_good_artifact(attempt) };
    let asking = Box::pin(resolve::found(&asked, access, deadline, &ctx));
    let found = attempt.while_telling(asking).await?;
    let revision = found.revision.clone();
    if attempt.progress.has(&revision) && !spec::content_changed(&object) {
        attempt.progress.fetched = true;
        let is_seen_in_refs = asked.may_be_unchanged && wish.is_seen_in_refs();
        return Ok(unchanged(&revision, is_seen_in_refs));
    }
    let fetching = Box::pin(found.session.fetch(&found.target, &ctx.scratch));
    let fetched = attempt.while_telling(fetching).await;
    let snapshot = fetched.map_err(|error| resolve::fetch_failed(&wish, error))?;
    attempt.progress.fetched = true;
    if !attempt.progress.has(&revision) {
        news(&mut attempt.progress, &revision);
        attempt.tell().await;
    }
    let packing = Box::pin(archive::pack(Arc::clone(&object), wish, found, snapshot, ctx));
    let packed = attempt.while_telling(packing).await?;
    attempt.offer(packed.artifact);
    spec::observe(&mut attempt.progress.status, &object.spec);
    Ok(stored(&revision, &packed.subject))
}

/// Whether the last attempt ended with the artifact that is advertised.
fn has_good_artifact(attempt: &mut Attempt<GitRepository>) -> bool {
    attempt.progress.artifact().is_some()
        && is_true(&attempt.object.conditions(), ARTIFACT_IN_STORAGE)
}

/// Notes that the repository has a new revision.
fn news(progress: &mut Progress<GitRepositoryStatus>, revision: &str) {
    progress.news(reasons::NEW_REVISION, format!("new upstream revision '{revision}'"));
}

/// The end of an attempt that has stored a commit, whose message begins with `subject`.
fn stored(revision: &str, subject: &str) -> Reached {
    Reached {
        in_storage: Told {
            reason: reasons::SUCCEEDED,
            message: format!("stored artifact for revision '{revision}'"),
        },
        stored: Stored {
            when_new: "NewArtifact",
            when_recovered: reasons::SUCCEEDED,
            message: format!("stored artifact for commit '{subject}'"),
        },
        unchanged: None,
    }
}

/// The end of an attempt that found the artifact to be current, by the list of references alone or
/// by the commit.
fn unchanged(revision: &str, is_seen_in_refs: bool) -> Reached {
    let told = if is_seen_in_refs {
        Told {
            reason: "GitOperationSucceeded",
            message: format!(
                "no changes since last reconciliation: observed revision '{revision}'"
            ),
        }
    } else {
        Told::up_to_date(revision)
    };
    // The message of the commit is not at hand.
    Reached { unchanged: Some(told), ..stored(revision, revision) }
}
