//! One attempt to offer what upstream has now: what surrounds the phases of every kind.

use std::sync::Arc;

use crd_types::Artifact;
use jiff::Timestamp;
use reconcile_loop::{
    controller::{Finalized, api_error},
    events::{Event, Severity},
    requeue::Next,
    status::FluxKind,
};

use super::{
    Source, SourceStatus as _,
    conclude::{self, Reached, Stop},
    progress::{Progress, Step},
    storage,
};
use crate::context::Context;

/// One attempt to offer what upstream has now.
#[derive(Debug)]
pub(crate) struct Attempt<K: Source> {
    pub(crate) object: Arc<K>,
    pub(crate) ctx: Arc<Context>,
    pub(crate) progress: Progress<K::Status>,
    /// The object as the attempt found it.
    before: Arc<K>,
}

impl<K: Source> Attempt<K> {
    /// Begins. The answer is what comes next if the object is to be left alone.
    pub(crate) async fn begin(object: Arc<K>, ctx: &Arc<Context>) -> Result<Self, Next> {
        let (before, ctx) = (Arc::clone(&object), Arc::clone(ctx));
        let mut attempt = Self { progress: Progress::resume(&*object), object, ctx, before };
        if attempt.object.is_suspended() {
            tracing::info!("reconciliation is suspended for this object");
            let status = conclude::suspended(&*attempt.object, Timestamp::now());
            return Err(attempt.record(&status).await.err().unwrap_or(Next::Await));
        }
        Ok(attempt)
    }

    /// Tells what is under way, checks what is advertised, and forgets it if it is not there any
    /// more.
    ///
    /// # Errors
    /// If a damaged artifact cannot be removed.
    pub(crate) async fn look_into_storage(&mut self) -> Result<(), Stop> {
        if self.progress.is_news {
            self.tell().await;
        }
        let had_one = self.object.artifact().is_some();
        let looked = storage::look(self.object.artifact(), &self.ctx)
            .await
            .map_err(|e| Stop::storage(&e))?;
        self.progress.events.extend(looked.events);
        let is_missing = looked.artifact.is_none();
        self.advertise(looked.artifact);
        if is_missing {
            self.progress.step = if had_one { Step::Disappeared } else { Step::Building };
            self.tell().await;
        }
        Ok(())
    }

    /// Writes the step under way, where every step is to be seen.
    pub(crate) async fn tell(&mut self) {
        if self.ctx.settings.patience.is_none() {
            let status = conclude::under_way(&*self.object, &self.progress, Timestamp::now());
            // The end is written in any case; this only tells that it has not come yet.
            drop(self.record(&status).await);
        }
    }

    /// Does what may last, and writes the step under way if it does.
    pub(crate) async fn while_telling<T>(&mut self, work: impl Future<Output = T>) -> T {
        let patience = self.ctx.settings.patience;
        if patience.is_none() {
            return work.await;
        }
        let status = conclude::under_way(&*self.object, &self.progress, Timestamp::now());
        let mut object = Arc::clone(&self.object);
        let writer = &K::of(&self.ctx).writer;
        let report = async {
            if let Err(error) = writer.status(&mut object, &status).await {
                tracing::debug!(error = api_error(&error), "the step under way was not written");
            }
        };
        let done = patience.during(work, report).await;
        self.object = object;
        done
    }

    /// Takes a new artifact in.
    pub(crate) fn offer(&mut self, artifact: Artifact) {
        self.advertise(Some(artifact));
    }

    fn advertise(&mut self, artifact: Option<Artifact>) {
        let url = artifact.as_ref().and_then(|it| storage::alias_url::<K>(it, &self.ctx));
        let common = self.progress.status.common();
        *common.artifact = artifact;
        if let Some(field) = common.url {
            *field = url;
        }
    }

    /// Removes what the new artifact supersedes, now that the object advertises it.
    pub(crate) async fn tidy(&self) {
        if let Some(event) = storage::tidy(&*self.object, &self.ctx).await {
            self.publish(event).await;
        }
    }

    /// Concludes and records.
    pub(crate) async fn end(&mut self, end: Result<Reached, Stop>) -> Next {
        let now = Timestamp::now();
        let verdict =
            conclude::verdict(&*self.before, &*self.object, &mut self.progress, &end, now);
        // Status before events: an alert never runs ahead of the object.
        if let Err(failed) = self.record_end(&verdict.status).await {
            return failed;
        }
        for event in verdict.events {
            self.publish(event).await;
        }
        if let Err(stop) = &end
            && stop.is_stalled()
        {
            tracing::error!(error = stop.message, "reconciliation stalled");
        }
        verdict.next
    }

    /// Writes the end. Where every step is to be seen, conditions come first, as with Flux.
    async fn record_end(&mut self, status: &K::Status) -> Result<(), Next> {
        if self.ctx.settings.patience.is_none() {
            let mut first = self.object.status().cloned().unwrap_or_default();
            first.common().conditions.clone_from(status.clone().common().conditions);
            self.record(&first).await?;
        }
        self.record(status).await
    }

    async fn record(&mut self, status: &K::Status) -> Result<(), Next> {
        let writer = &K::of(&self.ctx).writer;
        match writer.status(&mut self.object, status).await {
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
        self.ctx.runtime.events.publish(&*self.object, event).await;
    }
}

/// Cleans up after an object that is being deleted, whose kind has this folder.
pub(crate) async fn finalize<K: FluxKind>(
    object: Arc<K>,
    folder: &'static str,
    ctx: &Arc<Context>,
) -> Finalized {
    let (event, end) = match storage::remove_all(&*object, folder, ctx).await {
        Ok(0) => return Finalized::Gone,
        Ok(_) => (conclude::removed(), Finalized::Gone),
        Err(error) => {
            let event = conclude::not_removed(&error);
            let error = event.message.clone();
            (event, Finalized::Retry { error })
        }
    };
    tracing::info!(reason = event.reason, "{}", event.message);
    ctx.runtime.events.publish(&*object, event).await;
    end
}
