//! Leave to act: how many actions are carried out at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Waits that are over so soon are no reason to begin something else: whoever gives a place back
/// stands behind all others, and what has begun takes memory.
const SHORT: Duration = Duration::from_millis(100);

/// Leave to act. It is given back for as long as an action only waits, so that an action that waits
/// holds up nobody. The default needs no leave of anybody.
#[derive(Clone, Debug, Default)]
pub struct Leave(Option<Arc<Place>>);

#[derive(Debug)]
struct Place {
    among: Arc<Semaphore>,
    /// None while it is given back.
    taken: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Leave {
    /// Waits for a place, which is given back when the last clone of the leave goes.
    pub async fn among(places: &Arc<Semaphore>) -> Self {
        let taken = Mutex::new(take(places).await);
        Self(Some(Arc::new(Place { among: Arc::clone(places), taken })))
    }

    /// Waits for something else than a place, without holding one if that lasts.
    pub(crate) fn aside<T>(&self, wait: impl Future<Output = T>) -> impl Future<Output = T> {
        let mut wait = Box::pin(wait);
        async move {
            let Some(place) = &self.0 else { return wait.await };
            if let Ok(end) = tokio::time::timeout(SHORT, &mut wait).await {
                return end;
            }
            place.put(None);
            let end = wait.await;
            place.put(take(&place.among).await);
            end
        }
    }
}

impl Place {
    fn put(&self, permit: Option<OwnedSemaphorePermit>) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

/// None only if the places are closed, which nobody does.
async fn take(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(places).acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_holds_no_place() {
        let places = Arc::new(Semaphore::new(1));
        let first = Leave::among(&places).await;
        assert_eq!(places.available_permits(), 0);
        let other = async {
            let _second = Leave::among(&places).await;
            places.available_permits()
        };
        assert_eq!(first.aside(other).await, 0, "another took the place meanwhile");
        let short = async { places.available_permits() };
        assert_eq!(first.aside(short).await, 0, "it kept its place");
        assert_eq!(places.available_permits(), 0, "it has its place again");
        drop(first);
        assert_eq!(places.available_permits(), 1);
    }
}
