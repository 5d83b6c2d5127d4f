use super::*;

struct Bench {
    records: Arc<LiveRecords>,
    id: ObjectId,
    moved: mpsc::UnboundedReceiver<Moved>,
}

fn bench() -> Bench {
    let (sender, moved) = mpsc::unbounded_channel();
    let records = Arc::new(LiveRecords::new());
    records.report_to(sender);
    Bench { records, id: ObjectId::from_inventory_id("shop_a__ConfigMap").unwrap(), moved }
}

const fn state(version: u64, fingerprint: u64) -> Verified {
    Verified::State { version, content: 0, fingerprint, owner: 1 }
}

fn seen(version: u64, fingerprint: u64) -> Seen {
    let owner = Owner { namespace: "shop".to_owned(), name: "app".to_owned() };
    Seen { version, fingerprint, deleting: false, owner: Arc::new(owner) }
}

#[test]
fn our_own_write_is_no_move_whichever_comes_first() {
    let Bench { records, id, mut moved } = bench();
    records.settle(&id, state(1, 10));
    records.observe(&id, seen(1, 10));
    // The event comes before the answer.
    let writing = records.begin_write(&id);
    records.observe(&id, seen(2, 20));
    records.settle(&id, state(2, 20));
    drop(writing);
    // The answer comes before the event.
    let writing = records.begin_write(&id);
    records.settle(&id, state(3, 30));
    drop(writing);
    assert!(!records.unmoved(std::slice::from_ref(&id), |_| true), "the watch has not seen it yet");
    records.observe(&id, seen(3, 30));
    assert!(records.unmoved(std::slice::from_ref(&id), |_| true));
    assert!(moved.try_recv().is_err());
}

#[test]
fn a_move_by_others_is_told_once() {
    let Bench { records, id, mut moved } = bench();
    records.settle(&id, state(1, 10));
    records.observe(&id, seen(1, 10));
    records.observe(&id, seen(2, 10)); // status
    assert!(moved.try_recv().is_err());
    records.observe(&id, seen(3, 11));
    records.observe(&id, seen(4, 12));
    let told = moved.try_recv().unwrap();
    assert_eq!((told.owner.name.as_str(), told.deleted), ("app", false));
    assert!(moved.try_recv().is_err());
    assert!(!records.unmoved(&[id], |_| true));
}

#[test]
fn a_move_during_our_write_is_told_after_it() {
    let Bench { records, id, mut moved } = bench();
    let writing = records.begin_write(&id);
    records.observe(&id, seen(5, 50)); // somebody wrote after our write at 4
    records.settle(&id, state(4, 40));
    assert!(moved.try_recv().is_err());
    drop(writing);
    assert!(moved.try_recv().is_ok());
}

#[test]
fn what_two_owners_want_is_never_at_rest_until_one_gives_up() {
    let Bench { records, id, .. } = bench();
    let is_unmoved = || records.unmoved(std::slice::from_ref(&id), |_| true);
    records.settle(&id, state(1, 10));
    records.observe(&id, seen(1, 10));
    assert!(is_unmoved());
    let other = Verified::State { version: 1, content: 0, fingerprint: 10, owner: 2 };
    records.settle(&id, other);
    assert!(!is_unmoved());
    records.forget(std::slice::from_ref(&id)); // the first one prunes it
    records.settle(&id, other);
    assert!(is_unmoved());
}

#[test]
fn deletion_is_told_unless_it_is_ours() {
    let Bench { records, id, mut moved } = bench();
    records.settle(&id, state(1, 10));
    records.observe(&id, seen(1, 10));
    records.observe_gone(&id);
    assert!(moved.try_recv().unwrap().deleted);
    records.settle(&id, state(1, 10));
    records.observe(&id, seen(1, 10));
    records.forget(std::slice::from_ref(&id));
    records.observe_gone(&id);
    assert!(moved.try_recv().is_err());
    assert!(records.is_empty());
}

#[test]
fn what_was_never_verified_is_nobodys_loss() {
    let Bench { records, id, mut moved } = bench();
    records.observe(&id, seen(1, 10));
    records.observe(&id, seen(2, 11));
    records.observe_gone(&id);
    assert!(moved.try_recv().is_err());
}
