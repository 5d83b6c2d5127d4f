//! The store, on a real file system.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{fs, io, time::Duration};

use artifact::{
    Algorithm, Store, pack,
    store::{ArtifactPath, Condition, Error, Retention},
};

fn path(file: &str) -> ArtifactPath {
    ArtifactPath::new("GitRepository", "apps", "web", file).unwrap()
}

fn put(store: &Store, file: &str, content: &[u8]) -> artifact::store::Stored {
    store.write(&path(file), |out| Ok(out.write_all(content)?)).unwrap()
}

fn files(store: &Store) -> Vec<String> {
    let directory = store.root().join("gitrepository/apps/web");
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_stored_file_is_whole_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    let stored = put(&store, "a.tar.gz", b"content");
    assert_eq!(stored.digest, Algorithm::Sha256.digest(b"content"));
    assert_eq!(stored.size_bytes, 7);
    assert_eq!(files(&store), ["a.tar.gz"]);
    let file = store.root().join("gitrepository/apps/web/a.tar.gz");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(store.condition(&path("a.tar.gz"), &stored.digest).unwrap(), Condition::Intact);

    fs::write(&file, b"damaged").unwrap();
    let condition = store.condition(&path("a.tar.gz"), &stored.digest).unwrap();
    assert_eq!(condition, Condition::Damaged { expected: stored.digest.clone() });
    store.remove(&path("a.tar.gz")).unwrap();
    assert_eq!(store.condition(&path("a.tar.gz"), &stored.digest).unwrap(), Condition::Missing);
}

#[test]
fn a_link_is_no_artifact() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    let stored = put(&store, "a.tar.gz", b"content");
    let directory = store.root().join("gitrepository/apps/web");
    std::os::unix::fs::symlink(directory.join("a.tar.gz"), directory.join("b.tar.gz")).unwrap();
    assert_eq!(store.condition(&path("b.tar.gz"), &stored.digest).unwrap(), Condition::Missing);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    let stored = put(&store, "a.tar.gz", b"old");
    let full = store.write(&path("a.tar.gz"), |out| {
        out.write_all(b"half of the new")?;
        Err(pack::Error::Write(io::ErrorKind::StorageFull.into()))
    });
    assert!(matches!(full, Err(Error::Full { .. })), "{full:?}");
    assert_eq!(files(&store), ["a.tar.gz"]);
    assert_eq!(store.condition(&path("a.tar.gz"), &stored.digest).unwrap(), Condition::Intact);
}

#[test]
fn leftovers_of_a_killed_process_go_at_the_start() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    let stored = put(&store, "a.tar.gz", b"content");
    fs::write(store.root().join("gitrepository/apps/web/.unfinished-x"), b"half").unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    assert_eq!(files(&store), ["a.tar.gz"]);
    assert_eq!(store.condition(&path("a.tar.gz"), &stored.digest).unwrap(), Condition::Intact);
}

#[test]
fn superseded_artifacts_go_in_the_order_of_writing() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    for name in ["c", "b", "a", "d"] {
        put(&store, name, name.as_bytes());
    }
    fs::write(store.root().join("gitrepository/apps/web/c.lock"), b"").unwrap();
    let young = Retention::default();
    assert_eq!(store.collect_garbage(&path("d"), young).unwrap(), 2);
    assert_eq!(files(&store), ["a", "d"]);
    assert_eq!(store.collect_garbage(&path("d"), young).unwrap(), 0);
    let old = Retention { ttl: Duration::ZERO, records: 2 };
    assert_eq!(store.collect_garbage(&path("d"), old).unwrap(), 1);
    assert_eq!(files(&store), ["d"]);
    assert_eq!(store.collect_garbage(&path("d"), old).unwrap(), 0);
}

#[test]
fn the_current_artifact_stays_even_if_it_is_the_oldest() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    for name in ["a", "b", "c"] {
        put(&store, name, name.as_bytes());
    }
    let retention = Retention { ttl: Duration::from_hours(1), records: 1 };
    assert_eq!(store.collect_garbage(&path("a"), retention).unwrap(), 2);
    assert_eq!(files(&store), ["a"]);
}

#[test]
fn a_deleted_object_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    put(&store, "a", b"a");
    put(&store, "b", b"b");
    assert_eq!(store.remove_all(&path("any")).unwrap(), 2);
    assert!(!store.root().join("gitrepository/apps/web").exists());
    assert_eq!(store.remove_all(&path("any")).unwrap(), 0);
}
