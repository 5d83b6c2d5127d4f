//! What a build was made of, and what became of it: enough to tell that a build of another revision
//! would come out the same. Pure.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use cluster_apply::{Action, Change, ChangeSet};
use file_tree::FileTree;
use kustomize_build::Reads;
use manifest::ObjectId;

use super::progress::Tracked;

/// How many intervals may pass before everything is looked at again although nothing has changed.
const INTERVALS: u32 = super::memory::PROOFS_IN_A_ROW + 1;

/// What a run was made of that built and applied everything.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// All that the build looked at.
    reads: Reads,
    /// What it found there.
    digest: [u8; 32],
    /// Whether that was all: what other repositories hold may have changed since.
    is_whole: bool,
    /// The digest of the objects, as the history has it.
    pub(super) build_digest: String,
    /// The objects that ask to be left alone.
    skipped: HashSet<ObjectId>,
    /// When everything was looked at.
    at: Instant,
}

impl Evidence {
    /// Of a build that was just made of this tree, and of nothing else if `is_whole`.
    pub(super) fn new(reads: Reads, tree: &FileTree, build_digest: String, is_whole: bool) -> Self {
        let (digest, at) = (reads.digest(tree), Instant::now());
        Self { reads, digest, is_whole, build_digest, skipped: HashSet::new(), at }
    }

    #[cfg(test)]
    pub(super) fn of_nothing(build_digest: &str) -> Self {
        let tree = FileTree::builder().build();
        Self::new(Reads::default(), &tree, build_digest.to_owned(), true)
    }

    /// Notes what was applied.
    pub(super) fn applied(&mut self, applied: &ChangeSet) {
        let skipped = applied.entries.iter().filter(|entry| entry.action == Action::Skipped);
        self.skipped = skipped.map(|entry| entry.id.clone()).collect();
    }

    /// Whether a build of this tree would come out the same. It costs one pass over what the build
    /// has read.
    pub(super) fn holds_in(&self, tree: &FileTree) -> bool {
        self.reads.digest(tree) == self.digest
    }

    /// Whether everything is to be looked at again, because nothing was for long or because it
    /// proves nothing.
    pub(super) fn is_old(&self, interval: Duration) -> bool {
        !self.is_whole || self.at.elapsed() > interval.saturating_mul(INTERVALS)
    }

    /// What a run would have done to the objects of the inventory that are where it left them.
    pub(super) fn nothing_done(&self, inventory: &[Tracked]) -> ChangeSet {
        let entry = |tracked: &Tracked| Change {
            id: tracked.id.clone(),
            version: tracked.version.clone(),
            action: if self.skipped.contains(&tracked.id) {
                Action::Skipped
            } else {
                Action::Unchanged
            },
            live: None,
        };
        ChangeSet { entries: inventory.iter().map(entry).collect() }
    }
}

#[cfg(test)]
mod tests {
    use file_tree::{File, TreePath};

    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::builder();
        for (path, text) in files {
            let file = File { bytes: (*text).to_owned().into(), executable: false };
            tree.file(&TreePath::parse(path).unwrap(), file).unwrap();
        }
        tree.build()
    }

    fn evidence() -> Evidence {
        made(true)
    }

    fn made(is_whole: bool) -> Evidence {
        let mut reads = Reads::default();
        reads.paths.insert(TreePath::parse("a.yaml").unwrap());
        reads.paths.insert(TreePath::parse("kustomization.yaml").unwrap());
        let tree = tree(&[("a.yaml", "1"), ("b.yaml", "1")]);
        Evidence::new(reads, &tree, "sha256:d".to_owned(), is_whole)
    }

    #[test]
    fn only_what_was_looked_at_counts() {
        let evidence = evidence();
        assert!(evidence.holds_in(&tree(&[("a.yaml", "1"), ("b.yaml", "2")])));
        assert!(!evidence.holds_in(&tree(&[("a.yaml", "2"), ("b.yaml", "1")])));
        assert!(!evidence.holds_in(&tree(&[("a.yaml", "1"), ("kustomization.yaml", "")])));
        assert!(!evidence.holds_in(&tree(&[("b.yaml", "1")])));
    }

    #[test]
    fn it_grows_old() {
        assert!(!evidence().is_old(Duration::from_hours(1)));
        assert!(evidence().is_old(Duration::ZERO));
        assert!(made(false).is_old(Duration::from_hours(1)), "other repositories may change");
    }

    #[test]
    fn what_asks_to_be_left_alone_stays_so() {
        let id = |name: &str| ObjectId::from_inventory_id(&format!("ns_{name}__Secret")).unwrap();
        let change =
            |name, action| Change { id: id(name), version: "v1".to_owned(), action, live: None };
        let mut evidence = evidence();
        let entries = vec![change("a", Action::Created), change("b", Action::Skipped)];
        evidence.applied(&ChangeSet { entries });
        let inventory = ["a", "b"].map(|name| Tracked { id: id(name), version: "v1".to_owned() });
        let actions = evidence.nothing_done(&inventory).entries.into_iter().map(|it| it.action);
        assert_eq!(actions.collect::<Vec<_>>(), [Action::Unchanged, Action::Skipped]);
    }
}
