//! What Receivers have just looked at: a flood of requests must not be one of lists.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use serde_json::Value;

use super::target::{Target, Targets};

/// How long what was seen is good enough: no object is woken more often.
const KEPT: Duration = Duration::from_secs(1);
/// Limit: lists of objects that are kept; one more, and all are looked at again.
const MOST: usize = 64;

type Seen = Arc<Vec<(Target, Value)>>;
type Look = Arc<tokio::sync::Mutex<Option<(Instant, Seen)>>>;

/// Objects with their metadata, as they were within the last second.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<HashMap<Targets, Look>>);

impl Looks {
    /// Looks at objects, or waits for somebody who is about to look at the same ones.
    ///
    /// # Errors
    /// As [`Targets::look`].
    pub(super) async fn look(
        &self,
        client: &Client,
        targets: &Targets,
    ) -> Result<Seen, kube::Error> {
        let look = self.of(targets);
        let mut look = look.lock().await;
        match &*look {
            Some((at, seen)) if at.elapsed() < KEPT => Ok(Arc::clone(seen)),
            _ => {
                let (at, seen) = (Instant::now(), Arc::new(targets.look(client).await?));
                *look = Some((at, Arc::clone(&seen)));
                Ok(seen)
            }
        }
    }

    fn of(&self, targets: &Targets) -> Look {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(targets) && all.len() >= MOST {
            all.clear();
        }
        Arc::clone(all.entry(targets.clone()).or_default())
    }
}
