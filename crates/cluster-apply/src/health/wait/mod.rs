//! Follows objects until they are healthy.

mod sights;
#[cfg(test)]
mod tests;
mod tracked;

use std::collections::{BTreeMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{SelectAll, Stream, StreamExt as _};
use manifest::Gvk;
use tokio::time::{Instant, sleep_until};

use self::sights::Scope;
use self::tracked::Tracked;
use super::pods;
use super::{HealthError, HealthEvaluator, HealthStatus, HealthTarget, Unhealthy};
use crate::cluster::TenantClient;
use crate::records::resource_version;
use crate::watch::{Sight, Watched, watch};

/// Up to how many objects of one kind and namespace are watched by name, each by itself. More of
/// them share one watch of the whole namespace.
const MAX_BY_NAME: usize = 2;

/// How long a workload may be on its way before its pods are looked at.
const PODS_AFTER: Duration = Duration::from_secs(5);

/// A wait under way.
pub(super) struct Wait {
    tracked: Vec<Tracked>,
    fail_fast: bool,
    evaluator: Option<Arc<dyn HealthEvaluator>>,
}

type Sights = Pin<Box<dyn Stream<Item = (usize, Sight)> + Send>>;

impl Wait {
    pub(super) fn new(
        targets: Vec<HealthTarget>,
        fail_fast: bool,
        evaluator: Option<Arc<dyn HealthEvaluator>>,
    ) -> Self {
        let mut wait = Self { tracked: Vec::new(), fail_fast, evaluator };
        for mut target in targets {
            let seen = target.seen.take();
            let mut tracked = Tracked::new(target);
            if let Some(seen) = seen {
                tracked.judge(&seen, wait.evaluator.as_deref());
                tracked.target.seen = Some(seen);
            }
            wait.tracked.push(tracked);
        }
        wait
    }

    /// Follows what is not healthy yet.
    pub(super) async fn run(
        mut self,
        tenant: &TenantClient,
        timeout: Duration,
    ) -> Result<(), HealthError> {
        if let Some(verdict) = self.verdict() {
            return verdict;
        }
        let deadline = Instant::now() + timeout;
        let mut pods_due = Instant::now() + PODS_AFTER;
        let (mut scopes, mut sights) = self.watches(tenant);
        for tracked in &mut self.tracked {
            tracked.forget_content();
        }
        loop {
            tokio::select! {
                next = sights.next() => {
                    // Watches do not end by themselves.
                    let Some((scope, sight)) = next else { continue };
                    self.take_in(&mut scopes[scope], sight);
                    if let Some(verdict) = self.verdict() {
                        return verdict;
                    }
                }
                () = sleep_until(pods_due) => {
                    self.watch_pods(tenant, &mut scopes, &mut sights).await;
                    pods_due = Instant::now() + PODS_AFTER;
                }
                () = sleep_until(deadline) => {
                    return Err(HealthError::TimedOut(self.unhealthy()));
                }
            }
        }
    }

    /// Whether there is nothing more to wait for.
    fn verdict(&self) -> Option<Result<(), HealthError>> {
        let is = |wanted| move |tracked: &&Tracked| tracked.status() == Some(wanted);
        let current = self.tracked.iter().filter(is(HealthStatus::Current)).count();
        let failed = self.tracked.iter().filter(is(HealthStatus::Failed)).count();
        if current == self.tracked.len() {
            return Some(Ok(()));
        }
        let is_over = self.fail_fast && failed > 0 && failed + current == self.tracked.len();
        is_over.then(|| Err(HealthError::Stalled(self.unhealthy())))
    }

    fn unhealthy(&self) -> Vec<Unhealthy> {
        let unhealthy = |tracked: &Tracked| Unhealthy {
            id: tracked.target.id.clone(),
            status: tracked.status(),
            error: tracked.error.clone(),
        };
        let is_current = |tracked: &&Tracked| tracked.status() == Some(HealthStatus::Current);
        self.tracked.iter().filter(|tracked| !is_current(tracked)).map(unhealthy).collect()
    }

    /// Opens a watch of the pods of each workload that takes its time.
    async fn watch_pods(
        &mut self,
        tenant: &TenantClient,
        scopes: &mut Vec<Scope>,
        sights: &mut SelectAll<Sights>,
    ) {
        for (index, tracked) in self.tracked.iter_mut().enumerate() {
            let is_due = tracked.status == Some(HealthStatus::InProgress) && !tracked.has_pods;
            let workload = tracked.target.seen.as_ref().filter(|seen| pods::has_pods(seen));
            let (true, Some(workload)) = (is_due, workload) else { continue };
            let Some(watched) = pods::of(tenant, workload).await else { continue };
            tracked.has_pods = true;
            let number = scopes.len();
            sights.push(watch(tenant.clone(), watched).map(move |sight| (number, sight)).boxed());
            scopes.push(Scope::Pods { of: index, failed: HashSet::new() });
        }
    }

    /// Opens one watch per kind and namespace of what is not healthy.
    fn watches(&self, tenant: &TenantClient) -> (Vec<Scope>, SelectAll<Sights>) {
        let owner_label = format!("{}/name", tenant.settings().key_prefix);
        let mut groups: BTreeMap<(&Gvk, &str), Vec<usize>> = BTreeMap::new();
        for (index, tracked) in self.tracked.iter().enumerate() {
            if tracked.status != Some(HealthStatus::Current) {
                let key = (&tracked.target.gvk, tracked.target.id.namespace.as_str());
                groups.entry(key).or_default().push(index);
            }
        }
        let mut scopes = Vec::new();
        let mut sights = SelectAll::new();
        for members in groups.values() {
            let size = if members.len() <= MAX_BY_NAME { 1 } else { members.len() };
            for members in members.chunks(size) {
                let number = scopes.len();
                let watched = watch(tenant.clone(), self.watched(members, &owner_label));
                sights.push(watched.map(move |sight| (number, sight)).boxed());
                scopes.push(self.scope(members));
            }
        }
        (scopes, sights)
    }

    fn scope(&self, members: &[usize]) -> Scope {
        let name = |&index: &usize| (self.tracked[index].target.id.name.clone(), index);
        Scope::Objects { names: members.iter().map(name).collect(), listed: None }
    }

    /// What to watch to see these objects, all of one kind and namespace. Begins where the oldest
    /// of them was seen, if all were: no list is needed then.
    fn watched(&self, members: &[usize], owner_label: &str) -> Watched {
        let targets = || members.iter().map(|&index| &self.tracked[index].target);
        let first = &self.tracked[members[0]].target;
        let seen = |target: &HealthTarget| {
            target.seen.as_ref().map_or(0, |seen| resource_version(seen.fields()))
        };
        let from = targets().map(seen).min().filter(|version| *version > 0);
        let what = if members.len() == 1 {
            Watched::one(first.gvk.clone(), &first.id)
        } else {
            Watched {
                namespace: first.id.namespace.clone(),
                labels: owner_selector(targets(), owner_label),
                ..Watched::all(first.gvk.clone())
            }
        };
        Watched { from: from.map(|version| version.to_string()), ..what }
    }
}

/// Selects the objects of their owner, if all of them have the same one: a namespace may hold many
/// objects of others.
fn owner_selector<'a>(
    targets: impl Iterator<Item = &'a HealthTarget>,
    owner_label: &str,
) -> String {
    let mut owners = targets.map(|target| target.seen.as_ref()?.label(owner_label));
    let first = owners.next().flatten();
    match first {
        Some(owner) if owners.all(|other| other == first) => format!("{owner_label}={owner}"),
        _ => String::new(),
    }
}
