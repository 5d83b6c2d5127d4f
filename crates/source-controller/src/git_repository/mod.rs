//! One reconciliation of a GitRepository: storage, access, resolve, fetch, archive, conclude.

mod access;
mod archive;
mod conclude;
mod halt;
mod progress;
mod resolve;
mod spec;

use std::sync::Arc;

use crd_types::{
    Artifact,
    conditions::ARTIFACT_IN_STORAGE,
    metadata::REQUESTED_AT,
    source::{GitRepository, GitRepositoryStatus},
};
use git_client::Snapshot;
use jiff::Timestamp;
use kube::ResourceExt as _;
use reconcile_loop::{
    chain,
    conditions::is_true,
    controller::{Finalized, Reconciler, api_error},
    events::{Event, Severity},
    requeue::Next,
};
use tokio::time::Instant;

use self::{
    halt::Halt,
    progress::Progress,
    resolve::{Asked, Found},
    spec::Wish,
};
use crate::{
    context::Context,
    helm_chart::origin::wake_charts_of,
    source::{
        self,
        progress::{Outdated, Step},
        storage,
    },
};

/// The folder of its artifacts.
const FOLDER: &str = "gitrepository";

/// Reconciles GitRepositories.
#[derive(Debug)]
pub(crate) struct GitRepositories(pub(crate) Arc<Context>);

impl Reconciler for GitRepositories {
    type Kind = GitRepository;

    async fn reconcile(&self, object: Arc<GitRepository>) -> Next {
        self.0.secrets.cover_git(&object, &self.0);
        Attempt::new(object, &self.0).run().await
    }

    async fn finalize(&self, object: Arc<GitRepository>) -> Finalized {
        source::attempt::finalize(object, FOLDER, &self.0).await
    }
}

/// One attempt to offer what the repository has now.
struct Attempt<'a> {
    repository: Arc<GitRepository>,
    ctx: &'a Arc<Context>,
    progress: Progress,
}

/// How an attempt ended well.
#[derive(Clone, Debug, PartialEq)]
enum Reached {
    /// The server's answer alone showed that the artifact is current.
    Unchanged,
    /// The artifact is current.
    UpToDate,
    /// There is a new artifact.
    Stored {
        artifact: Box<Artifact>,
        /// The first line of the commit's message.
        subject: String,
    },
}

impl<'a> Attempt<'a> {
    fn new(repository: Arc<GitRepository>, ctx: &'a Arc<Context>) -> Self {
        Self { progress: Progress::resume(&repository), repository, ctx }
    }

    /// Attempt, conclude, record. Takes no decision of its own.
    async fn run(mut self) -> Next {
        if self.repository.spec.suspend {
            tracing::info!("reconciliation is suspended for this object");
            let status = conclude::suspended(&self.repository, Timestamp::now());
            return self.record(&status).await.err().unwrap_or(Next::Await);
        }
        let before = Arc::clone(&self.repository);
        // On the heap, because a conversation with a server is large.
        let end = Box::pin(self.advance()).await;
        let verdict =
            conclude::verdict(&before, &self.repository, &self.progress, &end, Timestamp::now());
        // Status before events: an alert never runs ahead of the object.
        if let Err(failed) = self.record_end(&verdict.status).await {
            return failed;
        }
        if let (Ok(_), Some(artifact)) = (&end, &verdict.status.artifact) {
            wake_charts_of(&*self.repository, &artifact.revision, self.ctx);
        }
        for event in verdict.events {
            self.publish(event).await;
        }
        if let Err(halt) = &end
            && halt.is_stalled()
        {
            tracing::error!(error = chain(halt), "reconciliation stalled");
        }
        verdict.next
    }

    /// Offers what the repository has now.
    ///
    /// A phase consumes the previous phase's output, so skipping or reordering one does not
    /// compile.
    async fn advance(&mut self) -> Result<Reached, Halt> {
        if self.progress.is_news {
            self.tell().await;
        }
        self.look_into_storage().await?;
        let wish = Wish::of(&self.repository)?;
        let access = access::resolve(&self.repository, self.ctx).await?;
        self.progress.outdated = Outdated::Cleared;
        let deadline = Instant::now() + wish.timeout;
        let asked = Asked { wish: &wish, may_be_unchanged: self.has_good_artifact() };
        let ctx = Arc::clone(self.ctx);
        let asking = Box::pin(resolve::found(&asked, access, deadline, &ctx));
        let found = self.while_telling(asking).await?;
        if self.is_current(&found) {
            self.progress.fetched = true;
            return Ok(if asked.may_be_unchanged && wish.is_seen_in_refs() {
                Reached::Unchanged
            } else {
                Reached::UpToDate
            });
        }
        let snapshot = self.fetch(&wish, &found).await?;
        self.progress.fetched = true;
        if self.progress.revision_of_artifact() != Some(&found.revision) {
            self.progress.news(&found.revision);
            self.tell().await;
        }
        let packed =
            self.while_telling(archive::pack(wish, found, snapshot, Arc::clone(&ctx))).await?;
        Ok(Reached::Stored { artifact: Box::new(packed.artifact), subject: packed.subject })
    }

    /// Checks what is advertised, and forgets it if it is not there any more.
    async fn look_into_storage(&mut self) -> Result<(), Halt> {
        let advertised = self.repository.status.as_ref().and_then(|it| it.artifact.clone());
        let had_one = advertised.is_some();
        let looked = storage::look(advertised, self.ctx).await.map_err(Halt::Storage)?;
        self.progress.events.extend(looked.events);
        self.progress.artifact = looked.artifact;
        if self.progress.artifact.is_none() {
            self.progress.step = if had_one { Step::Disappeared } else { Step::Building };
            self.tell().await;
        }
        Ok(())
    }

    async fn fetch(&mut self, wish: &Wish, found: &Found) -> Result<Snapshot, Halt> {
        let ctx = Arc::clone(self.ctx);
        let fetching = Box::pin(found.session.fetch(&found.target, &ctx.scratch));
        let fetched = self.while_telling(fetching).await;
        fetched.map_err(|error| resolve::fetch_failed(wish, error))
    }

    /// Whether the last attempt ended with the artifact that is advertised.
    fn has_good_artifact(&self) -> bool {
        let status = self.repository.status.as_ref();
        self.progress.artifact.is_some()
            && status.is_some_and(|status| is_true(&status.conditions, ARTIFACT_IN_STORAGE))
    }

    /// Whether the artifact is the one that would be made again.
    fn is_current(&self, found: &Found) -> bool {
        self.progress.revision_of_artifact() == Some(&found.revision)
            && !spec::content_changed(&self.repository)
    }

    /// Writes the step under way, where every step is to be seen.
    async fn tell(&mut self) {
        if self.ctx.settings.patience.is_none() {
            let status = conclude::under_way(&self.repository, &self.progress, Timestamp::now());
            // The end is written in any case; this only tells that it has not come yet.
            drop(self.record(&status).await);
        }
    }

    /// Does what may last, and writes the step under way if it does.
    async fn while_telling<T>(&mut self, work: impl Future<Output = T>) -> T {
        let patience = self.ctx.settings.patience;
        if patience.is_none() {
            return work.await;
        }
        let status = conclude::under_way(&self.repository, &self.progress, Timestamp::now());
        let mut object = Arc::clone(&self.repository);
        let report = async {
            if let Err(error) = self.ctx.writer.status(&mut object, &status).await {
                tracing::debug!(error = api_error(&error), "the step under way was not written");
            }
        };
        let done = patience.during(work, report).await;
        self.repository = object;
        done
    }

    /// Writes the end. Where every step is to be seen, conditions come first, as with Flux.
    async fn record_end(&mut self, status: &GitRepositoryStatus) -> Result<(), Next> {
        if self.ctx.settings.patience.is_none() {
            let mut first = self.repository.status.clone().unwrap_or_default();
            first.conditions.clone_from(&status.conditions);
            self.record(&first).await?;
        }
        self.record(status).await
    }

    async fn record(&mut self, status: &GitRepositoryStatus) -> Result<(), Next> {
        match self.ctx.writer.status(&mut self.repository, status).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Next::Backoff { error: api_error(&error) }),
        }
    }

    async fn publish(&self, event: Event) {
        match event.severity {
            Severity::Error => {}
            Severity::Trace | Severity::Info => {
                tracing::info!(reason = event.reason, "{}", event.message);
            }
        }
        self.ctx.runtime.events.publish(&*self.repository, event).await;
    }
}

/// The token of the last request for a reconciliation, if there was one.
fn requested_at(repository: &GitRepository) -> Option<&String> {
    repository.annotations().get(REQUESTED_AT)
}
