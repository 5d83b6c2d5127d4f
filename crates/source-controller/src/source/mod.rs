//! What all kinds of sources have in common: the storage, the progress of an attempt, its end.
//!
//! A kind brings an `advance` that goes from the specification to [`Reached`] or to a reason to stop
//! ([`Stop`]); everything around it is here: what is told while it lasts ([`attempt`]), what is
//! advertised ([`storage`]), and what becomes of it ([`conclude`], pure).

pub(crate) mod attempt;
pub(crate) mod conclude;
pub(crate) mod progress;
pub(crate) mod secrets;
pub(crate) mod storage;

use std::{sync::Arc, time::Duration};

use artifact::store::Alias;
use crd_types::{
    Artifact, Condition, GoDuration,
    metadata::REQUESTED_AT,
    source::{GitRepositoryStatus, HelmChartStatus, HelmRepositoryStatus, OCIRepositoryStatus},
};
use kube::{core::object::HasStatus, runtime::reflector::Store};
use reconcile_loop::{
    controller::Trigger,
    status::{FluxKind, Writer},
};

use crate::{context::Context, summary::Polarity};

pub(crate) use attempt::Attempt;
pub(crate) use conclude::{Reached, Stop, Stored};

/// What the loop of one kind works with.
#[derive(Debug)]
pub(crate) struct Loop<K: FluxKind> {
    /// The one writer of status.
    pub(crate) writer: Arc<Writer<K>>,
    /// The objects, as the watch last saw them.
    pub(crate) objects: Store<K>,
    /// The way to ask for a reconciliation.
    pub(crate) trigger: Trigger<K>,
}

/// A kind of source.
pub(crate) trait Source: FluxKind + HasStatus<Status: SourceStatus> {
    /// The folder of its artifacts.
    const FOLDER: &'static str;
    /// The unchanging name of its newest artifact, if it has one.
    const ALIAS: Option<Alias>;
    /// What `Ready` is made of, the most telling first.
    const READY_INPUTS: &'static [(&'static str, Polarity)];
    /// What tells that the last attempt failed.
    const FAILURES: &'static [&'static str];

    /// The loop of this kind.
    fn of(ctx: &Context) -> &Loop<Self>;
    /// Whether the object is to be left alone.
    fn is_suspended(&self) -> bool;
    /// How often upstream is looked at.
    fn interval(&self) -> Duration;
    /// The names of the Secrets that the object refers to.
    fn secrets(&self) -> Vec<&str>;

    /// The token of the last request for a reconciliation, if there was one.
    fn requested_at(&self) -> Option<&String> {
        self.meta().annotations.as_ref().and_then(|annotations| annotations.get(REQUESTED_AT))
    }

    /// The artifact that the object advertises.
    fn artifact(&self) -> Option<Artifact> {
        self.status().cloned().unwrap_or_default().common().artifact.clone()
    }

    /// The conditions as they stand.
    fn conditions(&self) -> Vec<Condition> {
        self.status().cloned().unwrap_or_default().common().conditions.clone()
    }

    /// Namespace and name.
    fn key(&self) -> (String, String) {
        let metadata = self.meta();
        (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
    }
}

/// What the statuses of all sources have.
pub(crate) trait SourceStatus: Clone + Default + Send + Sync {
    fn common(&mut self) -> Common<'_>;
}

/// The common fields of a status.
#[derive(Debug)]
pub(crate) struct Common<'a> {
    pub(crate) conditions: &'a mut Vec<Condition>,
    pub(crate) artifact: &'a mut Option<Artifact>,
    /// Where the newest artifact always is; none if the kind does not say so.
    pub(crate) url: Option<&'a mut Option<String>>,
    pub(crate) observed_generation: &'a mut Option<i64>,
    pub(crate) last_handled_reconcile_at: &'a mut Option<String>,
}

macro_rules! source_status {
    ($status:ty $(, $url:ident)?) => {
        impl SourceStatus for $status {
            fn common(&mut self) -> Common<'_> {
                Common {
                    conditions: &mut self.conditions,
                    artifact: &mut self.artifact,
                    url: None$(.or(Some(&mut self.$url)))?,
                    observed_generation: &mut self.observed_generation,
                    last_handled_reconcile_at: &mut self.last_handled_reconcile_at,
                }
            }
        }
    };
}

source_status!(GitRepositoryStatus);
source_status!(HelmChartStatus, url);
source_status!(HelmRepositoryStatus, url);
source_status!(OCIRepositoryStatus, url);

/// A duration of a specification; `otherwise` where there is none, or one that cannot be read,
/// which only an API server without our schema lets through.
pub(crate) fn duration(given: Option<&GoDuration>, otherwise: Duration) -> Duration {
    let read = given.and_then(|text| text.to_duration().ok());
    read.and_then(|it| it.try_into().ok()).unwrap_or(otherwise)
}
