//! Secrets of receivers, kept for a moment: a flood of requests must not be one of reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;

use crate::secrets::{self, Error, Found};

/// How long a Secret is used without being read again, should its watch be broken.
const KEPT: Duration = Duration::from_secs(10);
/// Limit: Secrets that are kept; one more, and all are read again.
const MOST: usize = 1024;

type Key = (String, String);

/// Secrets that were read lately.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    found: HashMap<Key, (Instant, Arc<Found>)>,
    /// Grows whenever a Secret changes: what was read before may be of before.
    changes: u64,
}

impl Tokens {
    /// A Secret, as it is or was a moment ago.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) async fn read(
        &self,
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Arc<Found>, Error> {
        let key = (namespace.to_owned(), name.to_owned());
        let changes = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match kept.found.get(&key) {
                Some((at, found)) if at.elapsed() < KEPT => return Ok(Arc::clone(found)),
                Some(_) | None => kept.changes,
            }
        };
        let found = Arc::new(secrets::read(client, namespace, name).await?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.changes == changes {
            if kept.found.len() >= MOST {
                kept.found.clear();
            }
            kept.found.insert(key, (Instant::now(), Arc::clone(&found)));
        }
        Ok(found)
    }

    /// The Secret has changed.
    pub(crate) fn forget(&self, namespace: &str, name: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.changes += 1;
        kept.found.remove(&(namespace.to_owned(), name.to_owned()));
    }
}
