//! Leader election on a Lease, with a fence against a leader that slept.
//!
//! The algorithm is that of client-go: the holder renews, the others watch the record and take it
//! over when it has not changed for the lease duration *by their own clock*, so that a skewed clock
//! steals nothing. Every write is a replacement that names the version it saw; a lost race is a
//! conflict, which is all the agreement that is needed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

use crate::metrics::Metrics;

/// How a Lease is held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespace of the Lease.
    pub namespace: String,
    /// The name of the Lease.
    pub lease: String,
    /// Who we are.
    pub identity: String,
    /// How long others wait before they take over.
    pub lease_duration: Duration,
    /// How long we go on without a renewal.
    pub renew_deadline: Duration,
    /// How long between two looks.
    pub retry_period: Duration,
}

/// Whether this process may write.
///
/// A process that was stopped and goes on later must not write with what it knew before, so every
/// write asks, and the answer depends on the time of the last renewal.
#[derive(Clone, Debug)]
pub struct Leadership(Arc<Mutex<State>>);

#[derive(Debug)]
enum State {
    /// There is no election; this process is alone.
    Alone,
    /// Another process leads, or nobody does.
    Follower,
    /// We lead until then, unless we renew.
    Leader { until: Instant },
}

impl Leadership {
    /// The leadership of a process that has no rivals.
    pub fn alone() -> Self {
        Self(Arc::new(Mutex::new(State::Alone)))
    }

    /// Whether this process may write now.
    pub fn held(&self) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Alone => true,
            State::Follower => false,
            State::Leader { until } => Instant::now() < until,
        }
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// A campaign for a Lease.
#[derive(Debug)]
pub struct Election {
    api: Api<Lease>,
    settings: Settings,
    leadership: Leadership,
    seen: Option<Seen>,
}

/// The record as it was last seen to change.
#[derive(Debug)]
struct Seen {
    version: Option<String>,
    at: Instant,
}

impl Election {
    /// Prepares a campaign; nothing is written yet.
    pub fn new(client: Client, settings: Settings) -> Self {
        let api = Api::namespaced(client, &settings.namespace);
        let leadership = Leadership(Arc::new(Mutex::new(State::Follower)));
        Self { api, settings, leadership, seen: None }
    }

    /// The leadership that this campaign is about.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Comes back when the Lease is ours.
    pub async fn win(&mut self, metrics: &Metrics) {
        metrics.leads(&self.settings.lease, false);
        while !self.attempt().await {
            tokio::time::sleep(self.settings.retry_period).await;
        }
        tracing::info!(lease = self.settings.lease, "became leader");
        metrics.leads(&self.settings.lease, true);
    }

    /// Renews the Lease for as long as that works; comes back when it is lost.
    pub async fn hold(&mut self) {
        loop {
            tokio::time::sleep(self.settings.retry_period).await;
            if !self.attempt().await && !self.leadership.held() {
                self.leadership.set(State::Follower);
                return;
            }
        }
    }

    /// Gives the Lease back, so that the next leader need not wait for it to run out.
    pub async fn release(&mut self) {
        self.leadership.set(State::Follower);
        let Ok(Some(mut lease)) = self.api.get_opt(&self.settings.lease).await else { return };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.settings.identity) {
            return;
        }
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        if let Err(error) =
            self.api.replace(&self.settings.lease, &PostParams::default(), &lease).await
        {
            tracing::debug!(%error, "the lease was not given back");
        }
    }

    /// Takes or renews the Lease; whether it is ours now.
    async fn attempt(&mut self) -> bool {
        // The answer may be slow: what counts is when we asked.
        let asked = Instant::now();
        let limit = self.settings.renew_deadline;
        let answer = tokio::time::timeout(limit, self.acquire(asked)).await;
        let Ok(answer) = answer else {
            tracing::debug!(lease = self.settings.lease, "no answer for the lease in time");
            return false;
        };
        match answer {
            Ok(true) => {
                self.leadership.set(State::Leader { until: asked + self.settings.renew_deadline });
                true
            }
            Ok(false) => {
                self.leadership.set(State::Follower);
                false
            }
            Err(error) => {
                tracing::debug!(%error, lease = self.settings.lease, "no answer for the lease");
                false
            }
        }
    }

    async fn acquire(&mut self, now: Instant) -> Result<bool, kube::Error> {
        let Some(lease) = self.api.get_opt(&self.settings.lease).await? else {
            self.api.create(&PostParams::default(), &self.record(None)).await?;
            return Ok(true);
        };
        if !self.may_take(&lease, now) {
            return Ok(false);
        }
        let record = self.record(Some(lease));
        // A lost race is no answer: the next look says who leads.
        self.api.replace(&self.settings.lease, &PostParams::default(), &record).await?;
        Ok(true)
    }

    /// Whether the record is ours, free, or has not changed for the lease duration.
    fn may_take(&mut self, lease: &Lease, now: Instant) -> bool {
        let version = lease.metadata.resource_version.clone();
        if self.seen.as_ref().is_none_or(|seen| seen.version != version) {
            self.seen = Some(Seen { version, at: now });
        }
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        let unchanged_for = self.seen.as_ref().map_or(Duration::ZERO, |seen| now - seen.at);
        match holder {
            None | Some("") => true,
            Some(holder) if holder == self.settings.identity => true,
            Some(_) => unchanged_for > self.settings.lease_duration,
        }
    }

    fn record(&self, old: Option<Lease>) -> Lease {
        let (metadata, spec) = old.map_or_else(
            || {
                let name = Some(self.settings.lease.clone());
                (ObjectMeta { name, ..ObjectMeta::default() }, LeaseSpec::default())
            },
            |lease| (lease.metadata, lease.spec.unwrap_or_default()),
        );
        let now = MicroTime(jiff::Timestamp::now());
        let ours = spec.holder_identity.as_deref() == Some(&self.settings.identity);
        let transitions = spec.lease_transitions.unwrap_or(0) + i32::from(!ours);
        let seconds = i32::try_from(self.settings.lease_duration.as_secs()).unwrap_or(i32::MAX);
        let spec = LeaseSpec {
            holder_identity: Some(self.settings.identity.clone()),
            lease_duration_seconds: Some(seconds),
            acquire_time: if ours { spec.acquire_time } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..spec
        };
        Lease { metadata, spec: Some(spec) }
    }
}
