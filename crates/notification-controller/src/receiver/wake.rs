//! Asking for reconciliations, each object at most once in a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crd_types::metadata::REQUESTED_AT;
use jiff::Timestamp;
use kube::Client;
use kube::api::{Patch, PatchParams};
use reconcile_loop::controller::api_error;
use serde_json::json;
use tokio_util::task::TaskTracker;

use super::target::Target;
use crate::NAME;

/// How long after one request the next one for the same object waits. Many that wait are one.
const WINDOW: Duration = Duration::from_secs(1);
/// Limit: objects that are remembered before those are forgotten whose window is over.
const MOST: usize = 1024;

/// How often what is refused for now is tried again. The pauses double, from one window on.
const RETRIES: u32 = 4;

/// Objects that were woken lately.
#[derive(Clone, Debug)]
pub(crate) struct Waker {
    woken: Arc<Mutex<HashMap<Target, Woken>>>,
    /// What runs here was promised to a sender.
    promised: TaskTracker,
}

#[derive(Clone, Copy, Debug)]
struct Woken {
    at: Instant,
    /// Whether it will be woken again at the end of the window.
    again: bool,
}

/// When to wake an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Now,
    /// At the end of its window.
    In(Duration),
    /// Somebody else has taken that upon himself.
    Already,
}

impl Waker {
    /// What is to be woken later is done in tasks of this tracker.
    pub(crate) fn new(promised: TaskTracker) -> Self {
        Self { woken: Arc::default(), promised }
    }

    /// Wakes an object, or has it woken within a second if it was woken only now: a source that
    /// has just been looked at must be looked at again, but a thousand deliveries are one.
    ///
    /// # Errors
    /// If the API server refuses. What is done later is tried again; when that is in vain, only the
    /// log tells.
    pub(super) async fn wake(&self, client: &Client, target: Target) -> Result<(), kube::Error> {
        match self.turn(&target, Instant::now()) {
            Turn::Already => Ok(()),
            Turn::Now => {
                let annotated = annotate(client, &target).await;
                if annotated.is_err() {
                    // The next request shall hear of it, too.
                    self.woken().remove(&target);
                }
                annotated
            }
            Turn::In(rest) => {
                self.promised.spawn(self.clone().wake_later(client.clone(), target, rest));
                Ok(())
            }
        }
    }

    /// Keeps a promise, unless it turns out to be somebody else's.
    async fn wake_later(self, client: Client, target: Target, rest: Duration) {
        let mut pause = rest;
        for retry in 0..=RETRIES {
            tokio::time::sleep(pause).await;
            self.again(&target, Instant::now());
            let Err(error) = annotate(&client, &target).await else { return };
            let goes_on = retry < RETRIES && is_passing(&error);
            let error = api_error(&error);
            tracing::error!(error, name = target.name, goes_on, "unable to annotate");
            if !goes_on || !self.promises(&target) {
                return;
            }
            pause = WINDOW * 2_u32.pow(retry);
        }
    }

    /// Whether an object will be woken at the end of its window.
    pub(super) fn is_about_to_wake(&self, target: &Target) -> bool {
        self.woken().get(target).is_some_and(|woken| woken.again)
    }

    fn turn(&self, target: &Target, now: Instant) -> Turn {
        let mut all = self.woken();
        if let Some(woken) = all.get_mut(target) {
            let rest = WINDOW.saturating_sub(now.duration_since(woken.at));
            if woken.again {
                return Turn::Already;
            }
            if !rest.is_zero() {
                woken.again = true;
                return Turn::In(rest);
            }
        }
        if all.len() >= MOST {
            all.retain(|_, woken| woken.again || now.duration_since(woken.at) < WINDOW);
        }
        all.insert(target.clone(), Woken { at: now, again: false });
        Turn::Now
    }

    fn again(&self, target: &Target, now: Instant) {
        self.woken().insert(target.clone(), Woken { at: now, again: false });
    }

    /// Takes the next waking of an object upon itself, unless somebody has meanwhile.
    fn promises(&self, target: &Target) -> bool {
        let mut all = self.woken();
        let at = Instant::now();
        let woken = all.entry(target.clone()).or_insert(Woken { at, again: false });
        !std::mem::replace(&mut woken.again, true)
    }

    fn woken(&self) -> MutexGuard<'_, HashMap<Target, Woken>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn annotate(client: &Client, target: &Target) -> Result<(), kube::Error> {
    let now = Timestamp::now().to_string();
    let patch = json!({"metadata": {"annotations": {REQUESTED_AT: now}}});
    let params = PatchParams { field_manager: Some(NAME.to_owned()), ..PatchParams::default() };
    let api = target.api(client);
    api.patch_metadata(&target.name, &params, &Patch::Merge(patch)).await?;
    let Target { resource, namespace, name } = target;
    tracing::info!("resource '{}/{name}.{namespace}' annotated", resource.kind);
    Ok(())
}

/// Whether the same request may go well later.
fn is_passing(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 409 | 429 | 500..),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kube::core::{ApiResource, GroupVersionKind};

    use super::*;

    fn target(name: &str) -> Target {
        Target {
            resource: ApiResource::from_gvk(&GroupVersionKind::gvk("g", "v1", "Kind")),
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_flood_is_one_now_and_one_at_the_end() {
        let (waker, start) = (Waker::new(TaskTracker::new()), Instant::now());
        let at =
            |name: &str, millis| waker.turn(&target(name), start + Duration::from_millis(millis));
        assert_eq!(at("a", 0), Turn::Now);
        assert_eq!(at("a", 200), Turn::In(Duration::from_millis(800)));
        assert!((201..900).all(|millis| at("a", millis) == Turn::Already));
        assert_eq!(at("b", 200), Turn::Now);
        waker.again(&target("a"), start + WINDOW);
        assert_eq!(at("a", 1500), Turn::In(Duration::from_millis(500)));
        waker.again(&target("a"), start + 2 * WINDOW);
        assert_eq!(at("a", 3000), Turn::Now);
    }

    /// Ten thousand deliveries within ten seconds, in every rhythm.
    #[test]
    fn no_flood_wakes_an_object_twice_in_a_second_and_the_last_delivery_counts() {
        for step in [1, 7, 333, 999, 1000, 1001, 2500] {
            let (waker, start) = (Waker::new(TaskTracker::new()), Instant::now());
            let (mut wakings, mut due, mut last) = (Vec::new(), None, 0);
            for millis in 0..12_000 {
                let now = start + Duration::from_millis(millis);
                if due == Some(millis) {
                    due = None;
                    waker.again(&target("a"), now);
                    wakings.push(millis);
                }
                if millis >= 10_000 || millis % step != 0 {
                    continue;
                }
                last = millis;
                for _ in 0..step.min(10) {
                    match waker.turn(&target("a"), now) {
                        Turn::Now => wakings.push(millis),
                        Turn::In(rest) => {
                            assert_eq!(due, None);
                            due = Some(millis + u64::try_from(rest.as_millis()).unwrap());
                        }
                        Turn::Already => assert!(due.is_some()),
                    }
                }
            }
            let pauses = wakings.windows(2).map(|two| two[1] - two[0]);
            assert!(pauses.min() >= Some(1000), "{step}: {wakings:?}");
            assert!(wakings.last() >= Some(&last), "{step}: {wakings:?}");
        }
    }

    /// An API server whose n-th answer has this status, and how often it was asked.
    fn api(
        status: impl Fn(usize) -> u16 + Clone + Send + Sync + 'static,
    ) -> (Client, Arc<AtomicUsize>) {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let api = tower::service_fn(move |_: http::Request<kube::client::Body>| {
            let status = status(counted.fetch_add(1, Ordering::Relaxed));
            let object = json!({
                "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                "metadata": {"name": "a", "namespace": "n"},
            });
            let refusal = json!({
                "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": status,
                "message": "not now", "reason": "None",
            });
            let body = if status == 200 { object } else { refusal };
            let body = kube::client::Body::from(body.to_string().into_bytes());
            let answer = http::Response::builder().status(status).body(body);
            std::future::ready(answer)
        });
        (Client::new(api, "n"), requests)
    }

    /// What is promised is tried until it is done, and the end waits for it.
    #[tokio::test]
    async fn a_promise_outlasts_refusals_that_pass() {
        // The first request is answered, the second is the promise.
        let cases = [(503, 1, 1 + 2), (429, 1, 1 + 2), (404, 1, 1 + 1), (403, 1, 1 + 1)];
        let runs = cases.map(|(refusal, refused, wanted)| async move {
            let (client, requests) =
                api(move |n| if (1..=refused).contains(&n) { refusal } else { 200 });
            let promised = TaskTracker::new();
            let waker = Waker::new(promised.clone());
            for _ in 0..10 {
                waker.wake(&client, target("a")).await.unwrap();
            }
            promised.close();
            promised.wait().await;
            assert_eq!(requests.load(Ordering::Relaxed), wanted, "{refused} times {refusal}");
            assert!(!waker.is_about_to_wake(&target("a")));
        });
        futures::future::join_all(runs).await;
    }

    #[tokio::test]
    async fn ten_thousand_replays_are_one_request_now() {
        let (client, requests) = api(|_| 200);
        let (waker, start) = (Waker::new(TaskTracker::new()), Instant::now());
        for _ in 0..10_000 {
            waker.wake(&client, target("a")).await.unwrap();
        }
        // One at the beginning of each second.
        let windows = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
        assert!((1..=windows).contains(&requests.load(Ordering::Relaxed)));
    }
}
