use std::sync::Arc;
use std::time::Duration;

use cluster_apply::Stale;
use crd_types::kustomize::KustomizationSpec;
use manifest::ObjectId;

use super::super::evidence::Evidence;
use super::super::progress::Progress;
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
