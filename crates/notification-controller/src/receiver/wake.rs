//! Asking for reconciliations, each object at most once in a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use reconcile_loop::controller::{REQUESTED_AT, api_error};
use serde_json::json;

use super::target::Target;
use crate::NAME;
use crate::context::Context;

/// How long after one request the next one for the same object waits. Many that wait are one.
const WINDOW: Duration = Duration::from_secs(1);
/// Limit: objects that are remembered before those are forgotten whose window is over.
const MOST: usize = 1024;

/// Objects that were woken lately.
#[derive(Debug, Default)]
pub(crate) struct Waker(Mutex<HashMap<Target, Woken>>);

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
    /// Wakes an object, or has it woken within a second if it was woken only now: a source that
    /// has just been looked at must be looked at again, but a thousand deliveries are one.
    ///
    /// # Errors
    /// If the API server refuses. Of what is done later only the log tells.
    pub(super) async fn wake(ctx: &Arc<Context>, target: Target) -> Result<(), kube::Error> {
        match ctx.waker.turn(&target, Instant::now()) {
            Turn::Already => Ok(()),
            Turn::Now => {
                let annotated = annotate(ctx, &target).await;
                if annotated.is_err() {
                    // The next request shall hear of it, too.
                    ctx.waker.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&target);
                }
                annotated
            }
            Turn::In(rest) => {
                let ctx = Arc::clone(ctx);
                tokio::spawn(async move {
                    tokio::time::sleep(rest).await;
                    ctx.waker.again(&target, Instant::now());
                    if let Err(error) = annotate(&ctx, &target).await {
                        let error = api_error(&error);
                        tracing::error!(error, name = target.name, "unable to annotate");
                    }
                });
                Ok(())
            }
        }
    }

    fn turn(&self, target: &Target, now: Instant) -> Turn {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(target.clone(), Woken { at: now, again: false });
    }
}

async fn annotate(ctx: &Context, target: &Target) -> Result<(), kube::Error> {
    let now = Timestamp::now().to_string();
    let patch = json!({"metadata": {"annotations": {REQUESTED_AT: now}}});
    let params = PatchParams { field_manager: Some(NAME.to_owned()), ..PatchParams::default() };
    let api = target.api(&ctx.runtime.client);
    api.patch_metadata(&target.name, &params, &Patch::Merge(patch)).await?;
    let Target { resource, namespace, name } = target;
    tracing::info!("resource '{}/{name}.{namespace}' annotated", resource.kind);
    Ok(())
}

#[cfg(test)]
mod tests {
    use kube::core::{ApiResource, GroupVersionKind};

    use super::*;

    #[test]
    fn a_flood_is_one_now_and_one_at_the_end() {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("g", "v1", "Kind"));
        let target = |name: &str| Target {
            resource: resource.clone(),
            namespace: "n".to_owned(),
            name: name.to_owned(),
        };
        let (waker, start) = (Waker::default(), Instant::now());
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
}
