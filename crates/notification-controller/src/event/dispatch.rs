//! What waits for providers: bounded, in order for each object, and no slow provider holds up
//! another one.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use kube::ResourceExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::decide::Errand;
use super::notify;
use crate::context::Context;

/// Limit: how many things a provider is told at once.
const LANES: u64 = 16;
/// Limit: how many wait in each lane.
const LANE_LENGTH: usize = 256;
/// Limit: bytes of all events that wait.
const BYTES: usize = 64 << 20;

/// A provider, and which of its lanes.
type Lane = (String, String, u64);

/// Everything that waits for a provider.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// A lane is there as long as somebody works it off.
    lanes: Mutex<HashMap<Lane, VecDeque<Waiting>>>,
    budget: Arc<Semaphore>,
}

#[derive(Debug)]
struct Waiting {
    errand: Box<Errand>,
    /// Its part of the budget.
    _place: OwnedSemaphorePermit,
}

/// There is no place left.
#[derive(Debug)]
pub(crate) struct Full;

impl Default for Dispatch {
    fn default() -> Self {
        Self { lanes: Mutex::default(), budget: Arc::new(Semaphore::new(BYTES)) }
    }
}

impl Dispatch {
    /// A part of the memory that events may take.
    pub(crate) fn budget(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes.max(1)).ok()?;
        Arc::clone(&self.budget).try_acquire_many_owned(bytes).ok()
    }

    /// Has an errand run after those of its lane. Never waits.
    ///
    /// # Errors
    /// If there is no place for it.
    pub(crate) fn enqueue(
        &self,
        ctx: &Arc<Context>,
        errand: Box<Errand>,
        bytes: usize,
    ) -> Result<(), Full> {
        let place = self.budget(bytes).ok_or(Full)?;
        let lane = lane(&errand);
        let waiting = Waiting { errand, _place: place };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        match lanes.get_mut(&lane) {
            Some(queue) if queue.len() >= LANE_LENGTH => Err(Full),
            Some(queue) => {
                queue.push_back(waiting);
                Ok(())
            }
            None => {
                lanes.insert(lane.clone(), VecDeque::new());
                ctx.taken_in.spawn(work_off(Arc::clone(ctx), lane, waiting));
                Ok(())
            }
        }
    }

    /// The next one of a lane; without one, the lane is no more.
    fn next(&self, lane: &Lane) -> Option<Waiting> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let next = lanes.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(lane);
        }
        next
    }
}

/// Events of one object stay in order; those of others need not wait for them.
fn lane(errand: &Errand) -> Lane {
    let about = &errand.event.involved_object;
    let mut hasher = DefaultHasher::new();
    (&about.kind, &about.namespace, &about.name).hash(&mut hasher);
    let provider = &errand.provider;
    (provider.namespace().unwrap_or_default(), provider.name_any(), hasher.finish() % LANES)
}

async fn work_off(ctx: Arc<Context>, lane: Lane, first: Waiting) {
    let mut next = Some(first);
    while let Some(waiting) = next {
        let errand = Arc::from(waiting.errand);
        // A panic must not leave a lane that nobody works off.
        let task = tokio::spawn(notify::notify(Arc::clone(&ctx), Arc::clone(&errand)));
        if task.await.is_err() {
            notify::panicked(&ctx, &errand);
        }
        next = ctx.dispatch.next(&lane);
    }
}
