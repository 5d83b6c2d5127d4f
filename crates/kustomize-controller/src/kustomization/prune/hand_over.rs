//! Deletions that wait for their siblings, the Kustomizations of the same source: an object that one
//! of them is about to claim must not go.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cluster_apply::Stale;
use crd_types::conditions::{READY, RECONCILING, STALLED};
use crd_types::kustomize::Kustomization;
use kube::Resource as _;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;
use reconcile_loop::conditions::{find, is_true};

use crate::context::Context;
use crate::kustomization::resolve::source_key;

/// Which deletions wait, and for whom.
#[derive(Debug, Default)]
pub(crate) struct HandOvers(Mutex<HashMap<ObjectRef<Kustomization>, Waiting>>);

/// What one Kustomization does not want any more.
#[derive(Debug)]
struct Waiting {
    revision: String,
    /// How many objects it had when it began to wait.
    inventory: usize,
    /// Since when each of them has not been wanted.
    since: HashMap<ObjectId, Instant>,
    /// Who has not had its turn at this revision.
    behind: HashSet<ObjectRef<Kustomization>>,
}

/// What may be deleted now, and what waits for how long at most.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) ripe: Vec<Stale>,
    pub(super) waiting: Vec<Stale>,
    pub(super) retry_in: Duration,
    /// How many objects there were before any of them was not wanted.
    pub(super) inventory: usize,
}

/// Sorts what is not wanted any more at `revision`. Cheap if nothing is.
pub(super) fn sort(
    ks: &Kustomization,
    stale: Vec<Stale>,
    revision: &str,
    inventory: usize,
    ctx: &Context,
) -> Sorted {
    let patience = ctx.settings.hand_over_timeout;
    let mut behind = HashSet::new();
    if !stale.is_empty() && !patience.is_zero() {
        let all = ctx.store.state();
        behind.extend(
            all.iter()
                .filter(|sibling| may_claim(sibling, ks, revision))
                .map(|sibling| ObjectRef::from_obj(&**sibling)),
        );
    }
    let (siblings, key) = (behind.clone(), ObjectRef::from_obj(ks));
    let view = View { revision, inventory, behind, patience, now: Instant::now() };
    let sorted = ctx.hand_overs.sort(&key, stale, view);
    // Whoever had its turn in the meantime was seen before anybody waited for it.
    let had_its_turn = |sibling: &ObjectRef<Kustomization>| {
        ctx.store.get(sibling).is_none_or(|sibling| has_had_its_turn(&sibling, revision))
    };
    let done: HashSet<_> = siblings.into_iter().filter(had_its_turn).collect();
    if ctx.hand_overs.excuse(&key, &done) {
        ctx.trigger.reconcile(key);
    }
    sorted
}

/// What a run sees when it has objects to delete.
struct View<'a> {
    revision: &'a str,
    inventory: usize,
    behind: HashSet<ObjectRef<Kustomization>>,
    /// How long an object waits at most.
    patience: Duration,
    now: Instant,
}

/// Whether a Kustomization may still claim objects that `ks` had, because it is built from the same
/// source for the same cluster and has not had its turn at this revision. Pure.
fn may_claim(sibling: &Kustomization, ks: &Kustomization, revision: &str) -> bool {
    let same_cluster = match (&sibling.spec.kube_config, &ks.spec.kube_config) {
        (None, None) => true,
        (one, other) => one == other && sibling.metadata.namespace == ks.metadata.namespace,
    };
    let (Ok(one), Ok(other)) = (source_key(sibling), source_key(ks)) else { return false };
    same_cluster
        && one == other
        && ObjectRef::from_obj(sibling) != ObjectRef::from_obj(ks)
        && !has_had_its_turn(sibling, revision)
}

/// Whether a Kustomization has applied this revision, or will not soon. Pure.
///
/// Told by its status as the watch showed it, and by nothing else: the watch shows what an object
/// created before it shows that the object is done, so whoever is done has no unseen children.
fn has_had_its_turn(ks: &Kustomization, revision: &str) -> bool {
    if ks.spec.suspend || ks.meta().deletion_timestamp.is_some() {
        return true;
    }
    let Some(status) = &ks.status else { return false };
    let generation = ks.metadata.generation;
    let is = |recorded: &Option<String>| recorded.as_deref() == Some(revision);
    let observed = status.observed_generation == generation;
    if observed && (is(&status.last_applied_revision) || is_true(&status.conditions, STALLED)) {
        return true;
    }
    let current =
        |name| find(&status.conditions, name).filter(|said| said.observed_generation == generation);
    // The last step says its revision, also after a failure.
    let step = current(RECONCILING).map_or("", |said| &said.message);
    if step.starts_with(&format!("Running health checks for revision {revision} ")) {
        return true;
    }
    let tried =
        is(&status.last_attempted_revision) || step.contains(&format!(" for revision {revision} "));
    // Whoever failed may fail for ever, and has not claimed anything so far.
    let failed = current(READY)
        .is_some_and(|said| said.status == "False" && said.reason != "DependencyNotReady");
    tried && failed
}

impl HandOvers {
    fn sort(&self, key: &ObjectRef<Kustomization>, stale: Vec<Stale>, view: View<'_>) -> Sorted {
        let View { revision, inventory, behind, patience, now } = view;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.remove(key);
        let inventory = before.as_ref().map_or(inventory, |before| before.inventory);
        if behind.is_empty() {
            return Sorted {
                ripe: stale,
                waiting: Vec::new(),
                retry_in: Duration::ZERO,
                inventory,
            };
        }
        let known = before.map(|before| before.since).unwrap_or_default();
        let mut sorted =
            Sorted { ripe: Vec::new(), waiting: Vec::new(), retry_in: patience, inventory };
        let mut since = HashMap::new();
        for object in stale {
            let unwanted = known.get(&object.id).copied().unwrap_or(now);
            since.insert(object.id.clone(), unwanted);
            let left = patience.saturating_sub(now.saturating_duration_since(unwanted));
            if left.is_zero() {
                sorted.ripe.push(object);
            } else {
                sorted.retry_in = sorted.retry_in.min(left);
                sorted.waiting.push(object);
            }
        }
        if !since.is_empty() {
            let revision = revision.to_owned();
            all.insert(key.clone(), Waiting { revision, inventory, since, behind });
        }
        sorted
    }

    /// One need not wait for these any more. Whether it waited for them alone.
    fn excuse(
        &self,
        key: &ObjectRef<Kustomization>,
        done: &HashSet<ObjectRef<Kustomization>>,
    ) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = all.get_mut(key).filter(|waiting| !waiting.behind.is_empty()) else {
            return false;
        };
        waiting.behind.retain(|sibling| !done.contains(sibling));
        waiting.behind.is_empty()
    }

    /// An object changed: whoever waited for it alone need not wait any more. Answers who that is.
    pub(crate) fn seen(&self, ks: &Kustomization) -> Vec<ObjectRef<Kustomization>> {
        self.release(&ObjectRef::from_obj(ks), |revision| has_had_its_turn(ks, revision))
    }

    /// An object is gone, and with it what it waited for. Answers who waited for it alone.
    pub(crate) fn forget(&self, key: &ObjectRef<Kustomization>) -> Vec<ObjectRef<Kustomization>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.release(key, |_revision| true)
    }

    fn release(
        &self,
        key: &ObjectRef<Kustomization>,
        is_done: impl Fn(&str) -> bool,
    ) -> Vec<ObjectRef<Kustomization>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = Vec::new();
        for (waiting_for_it, waiting) in &mut *all {
            if waiting.behind.contains(key) && is_done(&waiting.revision) {
                waiting.behind.remove(key);
                if waiting.behind.is_empty() {
                    free.push(waiting_for_it.clone());
                }
            }
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const REVISION: &str = "main@sha1:b";

    fn ks(name: &str, spec: &Value, status: &Value) -> Kustomization {
        let mut full = json!({
            "interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"},
        });
        full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "ns", "generation": 2},
            "spec": full, "status": status,
        }))
        .unwrap()
    }

    fn source(kind: &str, name: &str) -> Value {
        json!({"sourceRef": {"kind": kind, "name": name}})
    }

    fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "observedGeneration": 2, "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    }

    #[test]
    fn only_who_is_built_from_the_same_source_for_the_same_cluster_may_claim() {
        let own = ks("a", &json!({}), &json!({}));
        let cluster = json!({"kubeConfig": {"secretRef": {"name": "far"}}});
        for (sibling, expected) in [
            (ks("b", &json!({}), &json!({})), true),
            (ks("a", &json!({}), &json!({})), false),
            (ks("b", &source("Bucket", "app"), &json!({})), false),
            (ks("b", &source("GitRepository", "x"), &json!({})), false),
            (ks("b", &cluster, &json!({})), false),
            (ks("b", &json!({"suspend": true}), &json!({})), false),
        ] {
            assert_eq!(may_claim(&sibling, &own, REVISION), expected, "{:?}", sibling.spec);
        }
        let (one, other) = (ks("a", &cluster, &json!({})), ks("b", &cluster, &json!({})));
        assert!(may_claim(&other, &one, REVISION));
    }

    #[test]
    fn the_status_says_whose_turn_is_over() {
        let applied = |generation: i64, revision: &str| json!({"observedGeneration": generation, "lastAppliedRevision": revision});
        let attempted = |revision: &str, condition: Value| {
            json!({
                "observedGeneration": 1, "lastAttemptedRevision": revision,
                "conditions": [condition],
            })
        };
        let failed = |reason| condition("Ready", "False", reason, "no");
        let fetching = |revision: &str| {
            let step = format!("Fetching manifests for revision {revision} with a timeout of 1m");
            condition("Reconciling", "True", "ProgressingWithRetry", &step)
        };
        let health = format!("Running health checks for revision {REVISION} with a timeout of 1m");
        let health = condition("Reconciling", "True", "Progressing", &health);
        for (status, expected) in [
            (Value::Null, false),
            (applied(2, REVISION), true),
            (applied(1, REVISION), false),
            (applied(2, "main@sha1:a"), false),
            (attempted(REVISION, failed("BuildFailed")), true),
            (attempted(REVISION, failed("HealthCheckFailed")), true),
            (attempted(REVISION, failed("DependencyNotReady")), false),
            (attempted("main@sha1:a", failed("BuildFailed")), false),
            (attempted(REVISION, health.clone()), true),
            (attempted("main@sha1:a", health), true),
            (json!({"conditions": [failed("ArtifactFailed"), fetching(REVISION)]}), true),
            (json!({"conditions": [failed("ArtifactFailed"), fetching("main@sha1:a")]}), false),
            (attempted(REVISION, condition("Ready", "Unknown", "Progressing", "")), false),
            (
                json!({"observedGeneration": 2,
                    "conditions": [condition("Stalled", "True", "AccessDenied", "")]}),
                true,
            ),
        ] {
            let sibling = ks("b", &json!({}), &status);
            assert_eq!(has_had_its_turn(&sibling, REVISION), expected, "{:?}", sibling.status);
        }
    }

    fn stale(names: &[&str]) -> Vec<Stale> {
        let id = |name: &&str| ObjectId::from_inventory_id(&format!("ns_{name}__ConfigMap"));
        names.iter().map(|it| Stale { id: id(it).unwrap(), version: "v1".to_owned() }).collect()
    }

    fn keys(names: &[&str]) -> HashSet<ObjectRef<Kustomization>> {
        names.iter().map(|name| ObjectRef::new(name).within("ns")).collect()
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn each_object_waits_its_own_time_however_many_revisions_come() {
        let (all, key) = (HandOvers::default(), ObjectRef::new("a").within("ns"));
        let start = Instant::now();
        let sort = |revision: &str, names: &[&str], behind: &[&str], seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            let behind = keys(behind);
            let inventory = 7 + names.len();
            all.sort(
                &key,
                stale(names),
                View { revision, inventory, behind, patience: MINUTE, now },
            )
        };
        let first = sort("1", &["x"], &["b"], 0);
        assert_eq!((first.waiting, first.retry_in), (stale(&["x"]), MINUTE));
        let second = sort("2", &["x", "y"], &["b"], 40);
        assert_eq!((second.waiting.len(), second.retry_in), (2, Duration::from_secs(20)));
        assert_eq!(second.inventory, 8, "as it was before anything waited");
        let third = sort("2", &["x", "y"], &["b"], 60);
        assert_eq!((third.ripe, third.waiting), (stale(&["x"]), stale(&["y"])));
        let last = sort("2", &["y"], &[], 61);
        assert_eq!((last.ripe, last.waiting.len()), (stale(&["y"]), 0));
        assert!(sort("3", &["x"], &["b"], 62).ripe.is_empty(), "a new wait has its own time");
    }

    #[test]
    fn who_was_done_before_the_wait_is_not_waited_for() {
        let (all, key) = (HandOvers::default(), ObjectRef::new("a").within("ns"));
        let (behind, now) = (keys(&["b", "c"]), Instant::now());
        let view = View { revision: REVISION, inventory: 1, behind, patience: MINUTE, now };
        all.sort(&key, stale(&["x"]), view);
        assert!(!all.excuse(&key, &keys(&["b", "z"])), "c is still behind");
        assert!(all.excuse(&key, &keys(&["c"])));
        assert!(!all.excuse(&key, &keys(&["c"])), "told once");
        let other = ObjectRef::new("other").within("ns");
        assert!(!all.excuse(&other, &keys(&["c"])), "it does not wait");
    }

    #[test]
    fn the_last_one_that_is_done_wakes_who_waits() {
        let (all, key) = (HandOvers::default(), ObjectRef::new("a").within("ns"));
        let (behind, now) = (keys(&["b", "c", "d"]), Instant::now());
        let view = View { revision: REVISION, inventory: 1, behind, patience: MINUTE, now };
        all.sort(&key, stale(&["x"]), view);
        let done = |name| {
            let status = json!({"observedGeneration": 2, "lastAppliedRevision": REVISION});
            ks(name, &json!({}), &status)
        };
        assert!(all.seen(&ks("b", &json!({}), &json!({}))).is_empty(), "not done yet");
        assert!(all.seen(&done("b")).is_empty());
        assert!(all.forget(&ObjectRef::new("c").within("ns")).is_empty());
        assert_eq!(all.seen(&done("d")), [key]);
        assert!(all.seen(&done("d")).is_empty(), "told once");
    }
}
