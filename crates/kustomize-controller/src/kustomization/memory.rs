//! What this process remembers of a Kustomization between two runs. Losing it costs a full run.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cluster_apply::Doomed;
use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;
use tokio::task::AbortHandle;

use super::evidence::Evidence;
use super::progress::Progress;

/// How many intervals in a row may pass on proof alone before everything is checked again, because
/// defaults and webhooks of the API server can change without any object moving.
pub(super) const PROOFS_IN_A_ROW: u32 = 9;

/// What a run depends on. A run with equal inputs would do the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Basis {
    pub(crate) uid: Option<String>,
    pub(crate) generation: Option<i64>,
    pub(crate) requested_at: Option<String>,
    pub(crate) own_annotations: Vec<(String, String)>,
    pub(crate) revision: String,
    pub(crate) artifact_digest: String,
    pub(crate) inputs_digest: String,
}

impl Basis {
    /// Whether this is about another revision, and for the rest the same.
    fn is_another_revision_of(&self, other: &Self) -> bool {
        let Self { revision, artifact_digest, .. } = other.clone();
        self.revision != revision && Self { revision, artifact_digest, ..self.clone() } == *other
    }
}

/// What is remembered of all Kustomizations.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<ObjectRef<Kustomization>, Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    verified: Option<Verified>,
    wait: Option<Wait>,
    termination: Option<Termination>,
    /// What a person has confirmed to be deleted, and by which word.
    confirmed: Option<(String, Vec<Doomed>)>,
    /// Since when deleted objects hold up others, and who waits for them.
    leaving: Option<(Instant, AbortHandle)>,
    /// Whether its dependencies are not known to be ready by their expressions.
    expects: bool,
    /// Until when health checks with this basis may go on, however often they start anew.
    deadline: Option<(Basis, Instant)>,
}

/// A run that ended well, and how often it has been relied on since.
#[derive(Debug)]
struct Verified {
    basis: Basis,
    evidence: Option<Arc<Evidence>>,
    relied_on: u32,
}

/// Health checks under way, outside of any worker.
#[derive(Debug)]
struct Wait {
    basis: Basis,
    progress: Progress,
    outcome: Option<Outcome>,
    id: WaitId,
    task: AbortHandle,
}

/// Tells waits apart that have the same basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitId(u64);

impl WaitId {
    /// One that no other wait of this process has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// How health checks ended: after how long, and what is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) after: Duration,
    pub(crate) failure: Option<String>,
}

/// What is known about objects that are to be gone before their Kustomization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Termination {
    /// They are waited for.
    UnderWay,
    /// The wait ended.
    Ended {
        /// Whether all of them are gone.
        all_gone: bool,
    },
}

/// What is known about health checks under way.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// There are none for this basis.
    No,
    /// They go on.
    UnderWay,
    /// They ended; this is where the run stood when they began.
    Ended(Box<Progress>, Outcome),
}

impl Memory {
    /// Whether a run with this basis has ended well and may be relied on once more.
    pub(crate) fn proves(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: &Basis,
        interval: Duration,
    ) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let verified = all.get_mut(key).and_then(|remembered| remembered.verified.as_mut());
        match verified {
            Some(verified) if verified.basis == *basis => {
                verified.relied_on += 1;
                let is_old = verified.evidence.as_ref().is_some_and(|it| it.is_old(interval));
                verified.relied_on <= PROOFS_IN_A_ROW && !is_old
            }
            _ => false,
        }
    }

    /// What the last run was made of, and the revision it was about, if it ended well and this
    /// basis differs from its own in the revision alone.
    pub(crate) fn evidence(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: &Basis,
        interval: Duration,
    ) -> Option<(String, Arc<Evidence>)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let verified = all.get(key)?.verified.as_ref()?;
        let evidence = verified.evidence.as_ref().filter(|it| !it.is_old(interval))?;
        let stands = basis.is_another_revision_of(&verified.basis);
        stands.then(|| (verified.basis.revision.clone(), Arc::clone(evidence)))
    }

    /// A run with this basis ended well.
    pub(crate) fn verify(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: Basis,
        evidence: Option<Arc<Evidence>>,
    ) {
        self.with(key, |remembered| {
            remembered.verified = Some(Verified { basis, evidence, relied_on: 0 });
        });
    }

    /// A full run begins: until it ends well, nothing is proven.
    pub(crate) fn distrust(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| remembered.verified = None);
    }

    /// Something moved: the next run is a full one, and what waits starts anew.
    pub(crate) fn doubt(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| {
            remembered.verified = None;
            remembered.end_wait();
        });
    }

    /// Notes whether it waits for dependencies that are ready by expressions.
    pub(crate) fn expect(&self, key: &ObjectRef<Kustomization>, expects: bool) {
        self.with(key, |remembered| remembered.expects = expects);
    }

    /// Whether it waits for dependencies that are ready by expressions.
    pub(crate) fn expects(&self, key: &ObjectRef<Kustomization>) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|remembered| remembered.expects)
    }

    /// How long health checks with this basis may still take: all of the timeout if they are the
    /// first ones. Objects that others keep moving must not put the end off for ever.
    pub(crate) fn patience(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: &Basis,
        timeout: Duration,
    ) -> Duration {
        self.with(key, |remembered| match &remembered.deadline {
            Some((of, deadline)) if of == basis => deadline.duration_since(Instant::now()),
            _ => {
                remembered.deadline = Some((basis.clone(), Instant::now() + timeout));
                timeout
            }
        })
    }

    /// Health checks began.
    pub(crate) fn wait(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: Basis,
        progress: Progress,
        id: WaitId,
        task: AbortHandle,
    ) {
        self.with(key, |remembered| {
            remembered.end_wait();
            remembered.wait = Some(Wait { basis, progress, outcome: None, id, task });
        });
    }

    /// Health checks ended. Of no effect if others have begun since.
    pub(crate) fn waited(&self, key: &ObjectRef<Kustomization>, id: WaitId, outcome: Outcome) {
        self.with(key, |remembered| {
            if let Some(wait) = remembered.wait.as_mut().filter(|wait| wait.id == id) {
                wait.outcome = Some(outcome);
            }
        });
    }

    /// Where the run stood when the health checks under way began.
    pub(crate) fn waiting_progress(&self, key: &ObjectRef<Kustomization>) -> Option<Progress> {
        self.with(key, |remembered| remembered.wait.as_ref().map(|wait| wait.progress.clone()))
    }

    /// What became of health checks with this basis. Those with another one are called off: what
    /// they wait for is not wanted any more.
    pub(crate) fn waiting(&self, key: &ObjectRef<Kustomization>, basis: &Basis) -> Waiting {
        self.with(key, |remembered| match remembered.wait.take() {
            Some(Wait { basis: of, progress, outcome: Some(outcome), .. }) if of == *basis => {
                remembered.deadline = None;
                Waiting::Ended(Box::new(progress), outcome)
            }
            Some(wait) if wait.basis == *basis => {
                remembered.wait = Some(wait);
                Waiting::UnderWay
            }
            superseded => {
                remembered.wait = superseded;
                remembered.end_wait();
                Waiting::No
            }
        })
    }

    /// A person has confirmed that these objects are to be deleted.
    pub(crate) fn confirm(&self, key: &ObjectRef<Kustomization>, word: &str, all: Vec<Doomed>) {
        self.with(key, |remembered| {
            remembered.confirmed = Some((word.to_owned(), all));
        });
    }

    /// Whether all of these are among the objects that were confirmed by this word: deletions that
    /// fail, or take several turns, are not asked for again.
    pub(crate) fn has_confirmed(
        &self,
        key: &ObjectRef<Kustomization>,
        word: &str,
        doomed: &[Doomed],
    ) -> bool {
        self.with(key, |remembered| {
            let confirmed = remembered.confirmed.as_ref().filter(|(said, _)| said == word);
            confirmed.is_some_and(|(_, all)| {
                let all: HashSet<_> = all.iter().map(identity).collect();
                doomed.iter().all(|doomed| all.contains(&identity(doomed)))
            })
        })
    }

    /// Deleted objects hold up others, and `task` waits for them. Answers for how long by now.
    pub(crate) fn leaving(&self, key: &ObjectRef<Kustomization>, task: AbortHandle) -> Duration {
        self.with(key, |remembered| {
            let since = match remembered.leaving.take() {
                Some((since, former)) => {
                    former.abort();
                    since
                }
                None => Instant::now(),
            };
            remembered.leaving = Some((since, task));
            since.elapsed()
        })
    }

    /// No deleted objects hold up others.
    pub(crate) fn left(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, Remembered::end_leaving);
    }

    /// How far the termination of an object's inventory is, if it was begun.
    pub(crate) fn termination(&self, key: &ObjectRef<Kustomization>) -> Option<Termination> {
        self.with(key, |remembered| remembered.termination)
    }

    /// The termination of an object's inventory began.
    pub(crate) fn begin_termination(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| remembered.termination = Some(Termination::UnderWay));
    }

    /// One stage of the inventory is gone; the next one has its turn.
    pub(crate) fn next_termination(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| remembered.termination = None);
    }

    /// The termination of an object's inventory ended. Of no effect if the object is gone already:
    /// the next one of its name must not inherit this.
    pub(crate) fn end_termination(&self, key: &ObjectRef<Kustomization>, all_gone: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remembered) = all.get_mut(key)
            && remembered.termination == Some(Termination::UnderWay)
        {
            remembered.termination = Some(Termination::Ended { all_gone });
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &ObjectRef<Kustomization>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut remembered) = all.remove(key) {
            remembered.end_wait();
            remembered.end_leaving();
        }
    }

    fn with<T>(
        &self,
        key: &ObjectRef<Kustomization>,
        change: impl FnOnce(&mut Remembered) -> T,
    ) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(key.clone()).or_default())
    }
}

impl Remembered {
    fn end_leaving(&mut self) {
        if let Some((_, task)) = self.leaving.take() {
            task.abort();
        }
    }

    fn end_wait(&mut self) {
        if let Some(wait) = self.wait.take() {
            wait.task.abort();
        }
    }
}

/// What tells an object from another one of the same name.
fn identity(doomed: &Doomed) -> (&ObjectId, Option<&str>) {
    (&doomed.stale.id, doomed.uid.as_deref())
}

#[cfg(test)]
mod tests {
    use cluster_apply::Stale;
    use crd_types::kustomize::KustomizationSpec;

    use super::*;

    fn basis(revision: &str) -> Basis {
        Basis {
            uid: None,
            generation: Some(1),
            requested_at: None,
            own_annotations: Vec::new(),
            revision: revision.to_owned(),
            artifact_digest: String::new(),
            inputs_digest: String::new(),
        }
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_proof_holds_for_a_while_and_for_its_basis_alone() {
        let (memory, key) = (Memory::default(), ObjectRef::new("app").within("ns"));
        assert!(!memory.proves(&key, &basis("a"), HOUR));
        memory.verify(&key, basis("a"), None);
        assert!(!memory.proves(&key, &basis("b"), HOUR));
        let relied = (0..20).filter(|_| memory.proves(&key, &basis("a"), HOUR)).count();
        assert_eq!(relied, PROOFS_IN_A_ROW as usize);
        memory.verify(&key, basis("a"), None);
        memory.doubt(&key);
        assert!(!memory.proves(&key, &basis("a"), HOUR));
    }

    #[test]
    fn evidence_is_for_other_revisions_and_for_nothing_else() {
        let (memory, key) = (Memory::default(), ObjectRef::new("app").within("ns"));
        let evidence = Arc::new(Evidence::of_nothing("sha256:d"));
        memory.verify(&key, basis("a"), Some(evidence));
        let stands = |basis: &Basis| memory.evidence(&key, basis, HOUR).is_some();
        let other = Basis { artifact_digest: "sha256:b".to_owned(), ..basis("b") };
        assert!(stands(&other));
        assert!(!stands(&basis("a")), "the same revision has a proof or none");
        for change in [
            Basis { generation: Some(2), ..other.clone() },
            Basis { requested_at: Some("now".to_owned()), ..other.clone() },
            Basis { inputs_digest: "x".to_owned(), ..other.clone() },
            Basis { uid: Some("x".to_owned()), ..other.clone() },
            Basis { own_annotations: vec![("a".to_owned(), "b".to_owned())], ..other.clone() },
        ] {
            assert!(!stands(&change), "{change:?}");
        }
        assert!(memory.evidence(&key, &other, Duration::ZERO).is_none(), "it is old");
        assert!(!memory.proves(&key, &basis("a"), Duration::ZERO), "it is old");
        memory.doubt(&key);
        assert!(!stands(&other));
    }

    #[test]
    fn what_is_left_of_a_confirmed_plan_is_confirmed() {
        let (memory, key) = (Memory::default(), ObjectRef::new("app").within("ns"));
        let object = |name: &str| {
            let id = ObjectId::from_inventory_id(&format!("ns_{name}__Secret")).unwrap();
            let uid = Some(name.to_owned());
            Doomed { stale: Stale { id, version: "v1".to_owned() }, uid }
        };
        let all = ["a", "b", "c"].map(object);
        assert!(!memory.has_confirmed(&key, "1", &all[..1]));
        memory.confirm(&key, "1", all[..2].to_vec());
        assert!(memory.has_confirmed(&key, "1", &all[1..2]));
        assert!(!memory.has_confirmed(&key, "1", &all[1..]), "c was not");
        assert!(!memory.has_confirmed(&key, "2", &all[..2]), "the word is another one");
        let anew = Doomed { uid: Some("new".to_owned()), ..object("a") };
        assert!(!memory.has_confirmed(&key, "1", &[anew]), "it is another one");
    }

    #[tokio::test]
    async fn a_wait_for_something_else_is_called_off() {
        let (memory, key) = (Memory::default(), ObjectRef::new("app").within("ns"));
        let task = tokio::spawn(std::future::pending::<()>());
        let progress = Progress::resume(&Kustomization::new("app", KustomizationSpec::default()));
        memory.wait(&key, basis("a"), progress, WaitId::new(), task.abort_handle());
        assert!(matches!(memory.waiting(&key, &basis("a")), Waiting::UnderWay));
        assert!(matches!(memory.waiting(&key, &basis("b")), Waiting::No));
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(matches!(memory.waiting(&key, &basis("a")), Waiting::No));
    }

    #[test]
    fn a_wait_that_starts_anew_has_what_is_left_of_its_time() {
        let (memory, key) = (Memory::default(), ObjectRef::new("app").within("ns"));
        let minute = Duration::from_mins(1);
        assert_eq!(memory.patience(&key, &basis("a"), minute), minute);
        memory.doubt(&key);
        assert!(memory.patience(&key, &basis("a"), minute) < minute);
        assert_eq!(memory.patience(&key, &basis("b"), minute), minute);
    }

    #[tokio::test]
    async fn the_end_of_a_wait_is_told_once() {
        let (memory, key) = (Memory::default(), ObjectRef::new("app").within("ns"));
        let task = tokio::spawn(async {});
        let progress = Progress::resume(&Kustomization::new("app", KustomizationSpec::default()));
        let id = WaitId::new();
        memory.wait(&key, basis("a"), progress, id, task.abort_handle());
        let outcome = Outcome { after: Duration::from_secs(1), failure: None };
        memory.waited(&key, WaitId::new(), outcome.clone());
        assert!(matches!(memory.waiting(&key, &basis("a")), Waiting::UnderWay));
        memory.waited(&key, id, outcome);
        assert!(matches!(memory.waiting(&key, &basis("a")), Waiting::Ended(..)));
        assert!(matches!(memory.waiting(&key, &basis("a")), Waiting::No));
    }
}
