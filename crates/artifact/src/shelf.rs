//! Opened artifacts, shared by all who use the same revision.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use file_tree::FileTree;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

use crate::{digest::Digest, fetch, fetch::Fetcher, open};

/// Brings artifacts over and keeps them open.
///
/// A revision is downloaded, verified and inflated once, however many ask for it at the same time,
/// and stays for those who ask later as long as there is room. Trees are read-only.
///
/// The key is URL *and* digest: who only knows another's digest gets nothing from here.
#[derive(Clone)]
pub struct Shelf {
    fetcher: Fetcher,
    limits: open::Limits,
    slots: Arc<Mutex<Slots>>,
}

/// Why there is no tree. Shared, because all who waited get the same answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The artifact could not be brought over.
    #[error(transparent)]
    Fetch(Arc<fetch::Error>),
    /// The artifact could not be opened.
    #[error("failed to extract archive (check whether file size exceeds max download size)")]
    Open(#[source] Arc<open::Error>),
    /// The work was given up half-way, because of a panic or because the process ends.
    #[error("the artifact was not opened")]
    Aborted,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    url: String,
    digest: Digest,
}

type Underway = Shared<BoxFuture<'static, Result<Arc<FileTree>, Error>>>;

enum Slot {
    /// Somebody brings it over.
    Underway(Underway),
    /// It is open. Without `kept`, only as long as somebody uses it.
    Open { tree: Weak<FileTree>, kept: Option<Arc<FileTree>>, used: u64 },
}

struct Slots {
    by_key: HashMap<Key, Slot>,
    budget_bytes: u64,
    clock: u64,
}

impl Shelf {
    /// An empty shelf with room for `budget_bytes` of opened artifacts that nobody uses.
    pub fn new(fetcher: Fetcher, limits: open::Limits, budget_bytes: u64) -> Self {
        let slots = Slots { by_key: HashMap::new(), budget_bytes, clock: 0 };
        Self { fetcher, limits, slots: Arc::new(Mutex::new(slots)) }
    }

    /// The tree of the artifact at `url` with `digest`.
    ///
    /// Cancelling a waiter does not stop the download: another may wait for it, or come.
    ///
    /// # Errors
    /// If the artifact cannot be brought over or opened. Errors are not kept: the next call tries
    /// again.
    pub async fn tree(&self, url: &str, digest: &Digest) -> Result<Arc<FileTree>, Error> {
        let key = Key { url: url.to_owned(), digest: digest.clone() };
        let underway = {
            let mut slots = self.slots();
            if let Some(tree) = slots.open(&key) {
                return Ok(tree);
            }
            match slots.by_key.get(&key) {
                Some(Slot::Underway(underway)) => underway.clone(),
                Some(Slot::Open { .. }) | None => {
                    let underway = self.start(key.clone());
                    slots.by_key.insert(key, Slot::Underway(underway.clone()));
                    underway
                }
            }
        };
        underway.await
    }

    fn start(&self, key: Key) -> Underway {
        let own = self.clone();
        let task = tokio::spawn(async move {
            let outcome = own.bring(&key).await;
            own.slots().finish(key, &outcome);
            outcome
        });
        task.map(|joined| joined.unwrap_or(Err(Error::Aborted))).boxed().shared()
    }

    async fn bring(&self, key: &Key) -> Result<Arc<FileTree>, Error> {
        let fetched = self.fetcher.archive(&key.url, &key.digest).await;
        let archive = fetched.map_err(|error| Error::Fetch(Arc::new(error)))?;
        let limits = self.limits;
        // Inflating is work for a thread that may be busy.
        let opened = tokio::task::spawn_blocking(move || open::tree(&archive, &limits)).await;
        match opened {
            Ok(Ok(tree)) => Ok(Arc::new(tree)),
            Ok(Err(error)) => Err(Error::Open(Arc::new(error))),
            Err(_panicked) => Err(Error::Aborted),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Every change leaves the map whole, so a panic elsewhere does not spoil it.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// The tree, if it is open.
    fn open(&mut self, key: &Key) -> Option<Arc<FileTree>> {
        self.clock += 1;
        match self.by_key.get_mut(key)? {
            Slot::Open { tree, used, .. } => {
                *used = self.clock;
                tree.upgrade()
            }
            // A task that ended without finishing (its runtime went away) is no use to anybody.
            Slot::Underway(underway) => match underway.peek() {
                Some(Err(_)) => {
                    self.by_key.remove(key);
                    None
                }
                Some(Ok(tree)) => Some(tree.clone()),
                None => None,
            },
        }
    }

    fn finish(&mut self, key: Key, outcome: &Result<Arc<FileTree>, Error>) {
        match outcome {
            Ok(tree) => {
                self.clock += 1;
                let (kept, tree) = (Some(Arc::clone(tree)), Arc::downgrade(tree));
                self.by_key.insert(key, Slot::Open { tree, kept, used: self.clock });
                self.make_room();
            }
            Err(_) => {
                self.by_key.remove(&key);
            }
        }
    }

    /// Lets the longest unused trees go until the rest fits, and forgets those that are gone.
    fn make_room(&mut self) {
        let mut kept: Vec<(u64, u64, Key)> = self
            .by_key
            .iter()
            .filter_map(|(key, slot)| match slot {
                Slot::Open { kept: Some(tree), used, .. } => {
                    Some((*used, tree.size_bytes(), key.clone()))
                }
                Slot::Open { kept: None, .. } | Slot::Underway(_) => None,
            })
            .collect();
        kept.sort_by_key(|(used, _, _)| *used);
        let mut total: u64 = kept.iter().map(|(_, size, _)| size).sum();
        for (_, size, key) in kept {
            if total <= self.budget_bytes {
                break;
            }
            if let Some(Slot::Open { kept, .. }) = self.by_key.get_mut(&key) {
                *kept = None;
                total -= size;
            }
        }
        self.by_key.retain(|_, slot| match slot {
            Slot::Open { tree, .. } => tree.strong_count() > 0,
            Slot::Underway(_) => true,
        });
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.slots().by_key.len();
        f.debug_struct("Shelf").field("slots", &slots).finish_non_exhaustive()
    }
}
