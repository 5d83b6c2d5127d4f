//! Follows objects until they are healthy.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{SelectAll, Stream, StreamExt as _};
use manifest::{Gvk, Object};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

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

/// An object and how it does.
struct Tracked {
    target: HealthTarget,
    status: Option<HealthStatus>,
    error: Option<String>,
    /// Whether its pods are watched.
    has_pods: bool,
    failed_pods: usize,
}

/// What one watch is about.
enum Scope {
    /// Some of the tracked objects, by name.
    Objects {
        names: HashMap<String, usize>,
        /// While a list comes in: what it held so far.
        listed: Option<HashSet<usize>>,
    },
    /// The pods of one of the tracked objects: the names of those that have failed.
    Pods { of: usize, failed: HashSet<String> },
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
            let mut tracked =
                Tracked { target, status: None, error: None, has_pods: false, failed_pods: 0 };
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

    fn take_in(&mut self, scope: &mut Scope, sight: Sight) {
        match scope {
            Scope::Objects { names, listed } => self.take_in_object(names, listed, sight),
            Scope::Pods { of, failed } => {
                take_in_pod(failed, sight);
                self.tracked[*of].failed_pods = failed.len();
            }
        }
    }

    fn take_in_object(
        &mut self,
        names: &HashMap<String, usize>,
        listed: &mut Option<HashSet<usize>>,
        sight: Sight,
    ) {
        match sight {
            Sight::Restart => *listed = Some(HashSet::new()),
            Sight::There(object) => {
                let Ok(object) = Object::new(object) else { return };
                let Some(&index) = names.get(object.name()) else { return };
                self.tracked[index].judge(&object, self.evaluator.as_deref());
                self.tracked[index].keep(object);
                if let Some(listed) = listed {
                    listed.insert(index);
                }
            }
            Sight::Listed => {
                let listed = listed.take().unwrap_or_default();
                for index in names.values().filter(|index| !listed.contains(*index)) {
                    self.tracked[*index].lose();
                }
            }
            Sight::Following => {}
            Sight::Gone(object) => {
                if let Some(&index) = names.get(name_of(&object)) {
                    self.tracked[index].lose();
                }
            }
            Sight::Trouble(trouble) => {
                for &index in names.values() {
                    self.tracked[index].status = Some(HealthStatus::Unknown);
                    self.tracked[index].error = Some(crate::chain(&trouble));
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

fn take_in_pod(failed: &mut HashSet<String>, sight: Sight) {
    match sight {
        Sight::Restart => failed.clear(),
        Sight::There(pod) => {
            let Ok(pod) = Object::new(pod) else { return };
            if pods::has_failed(&pod) {
                failed.insert(pod.name().to_owned());
            } else {
                failed.remove(pod.name());
            }
        }
        Sight::Gone(pod) => {
            failed.remove(name_of(&pod));
        }
        // Who may not see the pods learns no more than the workload tells.
        Sight::Listed | Sight::Following | Sight::Trouble(_) => {}
    }
}

fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

impl Tracked {
    /// How it does. Flux: a workload on its way has failed if one of its pods has.
    fn status(&self) -> Option<HealthStatus> {
        match self.status {
            Some(HealthStatus::InProgress) if self.failed_pods > 0 => Some(HealthStatus::Failed),
            status => status,
        }
    }

    fn judge(&mut self, object: &Object, evaluator: Option<&dyn HealthEvaluator>) {
        let judged = evaluator
            .and_then(|evaluator| evaluator.evaluate(object))
            .unwrap_or_else(|| super::status(object).map_err(|error| error.to_string()));
        (self.status, self.error) = match judged {
            Ok(status) => (Some(status), None),
            Err(reason) => (Some(HealthStatus::Unknown), Some(reason)),
        };
    }

    /// It is not there. Flux: a Job that says how long it stays after its end has ended.
    fn lose(&mut self) {
        let has_ended = self.target.seen.as_ref().is_some_and(|seen| {
            let stays =
                seen.fields().get("spec").and_then(|spec| spec.get("ttlSecondsAfterFinished"));
            seen.kind() == "Job" && stays.is_some_and(|stays| !stays.is_null())
        });
        self.status = Some(if has_ended { HealthStatus::Current } else { HealthStatus::NotFound });
        self.error = None;
    }

    /// Remembers what is needed later: a Job that may vanish, a workload that has pods. A long wait
    /// keeps nothing else.
    fn keep(&mut self, object: Object) {
        self.target.seen = Some(object).filter(|seen| seen.kind() == "Job" || pods::has_pods(seen));
    }

    fn forget_content(&mut self) {
        if let Some(seen) = self.target.seen.take() {
            self.keep(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(kind: &str, name: &str) -> HealthTarget {
        let object = object(kind, name, &json!(null));
        HealthTarget { id: object.id(), gvk: object.gvk(), seen: None }
    }

    fn object(kind: &str, name: &str, conditions: &Value) -> Object {
        Object::new(json!({"apiVersion": "example.com/v1", "kind": kind,
            "metadata": {"name": name, "namespace": "shop", "resourceVersion": "5"},
            "status": {"conditions": conditions}}))
        .unwrap()
    }

    fn condition(kind: &str, status: &str) -> Value {
        json!([{"type": kind, "status": status}])
    }

    fn pod(name: &str, reason: &str) -> Sight {
        Sight::There(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "c", "state": {"waiting": {"reason": reason}}}]}}))
    }

    fn scope_of(wait: &Wait) -> Scope {
        wait.scope(&(0..wait.tracked.len()).collect::<Vec<_>>())
    }

    fn there(kind: &str, name: &str, conditions: &Value) -> Sight {
        Sight::There(object(kind, name, conditions).into_value())
    }

    #[test]
    fn a_wait_ends_when_all_are_current() {
        let mut wait = Wait::new(vec![target("A", "x"), target("A", "y")], true, None);
        let mut scope = scope_of(&wait);
        assert!(wait.verdict().is_none());
        wait.take_in(&mut scope, there("A", "x", &condition("Ready", "True")));
        wait.take_in(&mut scope, there("A", "other", &condition("Ready", "False")));
        assert!(wait.verdict().is_none());
        wait.take_in(&mut scope, there("A", "y", &condition("Ready", "True")));
        assert_eq!(wait.verdict(), Some(Ok(())));
    }

    #[test]
    fn it_fails_early_only_when_nothing_is_on_its_way() {
        let mut wait = Wait::new(vec![target("A", "x"), target("A", "y")], true, None);
        let mut scope = scope_of(&wait);
        wait.take_in(&mut scope, there("A", "x", &condition("Stalled", "True")));
        wait.take_in(&mut scope, there("A", "y", &condition("Ready", "False")));
        assert!(wait.verdict().is_none());
        wait.take_in(&mut scope, there("A", "y", &condition("Ready", "True")));
        let error = wait.verdict().unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed early due to stalled resources: [A/shop/x status: 'Failed']"
        );
        wait.fail_fast = false;
        assert!(wait.verdict().is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut wait = Wait::new(vec![target("A", "x"), target("A", "y")], true, None);
        let mut scope = scope_of(&wait);
        let unknown = HealthError::TimedOut(wait.unhealthy()).to_string();
        assert_eq!(
            unknown,
            "timeout waiting for: [can't determine status for A/shop/x, \
             can't determine status for A/shop/y]"
        );
        wait.take_in(&mut scope, Sight::Restart);
        wait.take_in(&mut scope, there("A", "y", &condition("Ready", "False")));
        wait.take_in(&mut scope, Sight::Listed);
        assert_eq!(
            HealthError::TimedOut(wait.unhealthy()).to_string(),
            "timeout waiting for: [A/shop/x status: 'NotFound', A/shop/y status: 'InProgress']"
        );
    }

    #[test]
    fn a_job_that_cleans_up_after_itself_has_ended() {
        let job = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "j", "namespace": "shop"}, "spec": {"ttlSecondsAfterFinished": 0}}));
        let job = job.unwrap();
        let seen = HealthTarget { id: job.id(), gvk: job.gvk(), seen: Some(job.clone()) };
        let mut wait = Wait::new(vec![seen], true, None);
        let mut scope = scope_of(&wait);
        wait.tracked[0].forget_content();
        wait.take_in(&mut scope, Sight::Gone(job.into_value()));
        assert_eq!(wait.verdict(), Some(Ok(())));
    }

    #[test]
    fn a_workload_on_its_way_fails_with_its_pods() {
        let mut wait = Wait::new(vec![target("A", "x")], true, None);
        let mut scope = scope_of(&wait);
        let mut pods = Scope::Pods { of: 0, failed: HashSet::new() };
        wait.take_in(&mut scope, there("A", "x", &condition("Ready", "False")));
        wait.take_in(&mut pods, pod("p", "CrashLoopBackOff"));
        assert!(wait.verdict().unwrap().is_err());
        wait.take_in(&mut pods, pod("p", "ContainerCreating"));
        assert!(wait.verdict().is_none());
    }

    #[test]
    fn a_watch_begins_where_the_oldest_object_was_seen() {
        let seen = |name: &str, version: &str| {
            let mut object = object("A", name, &condition("Ready", "False"));
            object.metadata_mut().insert("resourceVersion".to_owned(), json!(version));
            object.set_label("owner", "app");
            HealthTarget { seen: Some(object), ..target("A", name) }
        };
        let wait = Wait::new(vec![seen("x", "10"), seen("y", "9"), target("A", "z")], true, None);
        let both = wait.watched(&[0, 1], "owner");
        assert_eq!((both.from.as_deref(), both.labels.as_str()), (Some("9"), "owner=app"));
        let all = wait.watched(&[0, 1, 2], "owner");
        assert_eq!((all.from, all.labels.as_str()), (None, ""), "one has not been seen yet");
        let one = wait.watched(&[0], "owner");
        assert_eq!((one.fields.as_str(), one.namespace.as_str()), ("metadata.name=x", "shop"));
    }
}
