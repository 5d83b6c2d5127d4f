//! One kind's loop: watch, queue, reconcile, come back.

use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt as _, Stream, StreamExt as _, future, stream};
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Action, Config, Error as QueueError, applier};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, controller::ReconcileRequest};
use kube::{Api, Resource as _, ResourceExt as _};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::metrics::{Metrics, Outcome};
use crate::program::Runtime;
use crate::requeue::{Backoff, Next};
use crate::status::{FluxKind, Writer};
use crate::watch::watch;

/// The annotation by which a user asks for a reconciliation.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// How the annotations start by which a user tells a controller what Flux has no field for. A change
/// of one wakes its object.
pub const OWN_ANNOTATIONS: &str = "ferroflux.dev/";

/// How long reconciliations under way may take to end when the process is to end. What is cut off
/// is done again by the next process.
const DRAIN: Duration = Duration::from_secs(4);

/// What a controller does with the objects of one kind.
///
/// One object is never reconciled twice at once. A panic ends one reconciliation, not the process.
pub trait Reconciler: Send + Sync + 'static {
    /// The kind.
    type Kind: FluxKind;

    /// Brings the world to where the object wants it, and records how that went. Called for objects
    /// that are not being deleted and have our finalizer.
    fn reconcile(&self, object: Arc<Self::Kind>) -> impl Future<Output = Next> + Send;

    /// Cleans up after an object that is being deleted; with [`Finalized::Gone`] the finalizer goes.
    fn finalize(&self, object: Arc<Self::Kind>) -> impl Future<Output = Finalized> + Send;

    /// Whether objects carry our finalizer while they exist.
    fn finalizes(&self, object: &Self::Kind) -> bool {
        let _ = object;
        true
    }

    /// The object is gone; drops what is remembered of it.
    fn forget(&self, object: &ObjectRef<Self::Kind>) {
        let _ = object;
    }

    /// The object changed in whatever way, its status and labels included, or may have changed while
    /// the watch had a gap, and the store knows. Called by the watch, so it must not take long.
    fn seen(&self, object: &ObjectRef<Self::Kind>) {
        let _ = object;
    }
}

/// How the clean-up of a deleted object went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finalized {
    /// Nothing is left: the object may go.
    Gone,
    /// It goes on outside of any worker, and asks for another turn when it has ended.
    UnderWay,
    /// It failed, and is tried again.
    Retry {
        /// What failed, for the log.
        error: String,
    },
}

/// Asks for the reconciliation of objects from outside the loop.
#[derive(Debug)]
pub struct Trigger<K: FluxKind>(mpsc::UnboundedSender<ObjectRef<K>>);

impl<K: FluxKind> Clone for Trigger<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: FluxKind> Trigger<K> {
    /// Queues an object. Several requests before it is reconciled are one; a request while it is
    /// being reconciled makes it run again.
    pub fn reconcile(&self, object: ObjectRef<K>) {
        if self.0.send(object).is_err() {
            tracing::debug!("the loop has ended, a request is dropped");
        }
    }
}

/// The loop of one kind, before it runs.
///
/// Made in two steps because a reconciler often holds the trigger and the store of its own kind.
#[derive(Debug)]
pub struct Controller<K: FluxKind> {
    store: Store<K>,
    writer: reflector::store::Writer<K>,
    trigger: Trigger<K>,
    requests: mpsc::UnboundedReceiver<ObjectRef<K>>,
}

impl<K: FluxKind> Default for Controller<K>
where
    K::DynamicType: Default,
{
    fn default() -> Self {
        let (store, writer) = reflector::store();
        let (sender, requests) = mpsc::unbounded_channel();
        Self { store, writer, trigger: Trigger(sender), requests }
    }
}

impl<K: FluxKind> Controller<K> {
    /// The objects of this kind, as the watch last saw them.
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// The way to ask for reconciliations.
    pub fn trigger(&self) -> Trigger<K> {
        self.trigger.clone()
    }

    /// Runs until the process is asked to end, then lets reconciliations under way finish.
    ///
    /// `workers` is the most reconciliations at once.
    pub async fn run<R: Reconciler<Kind = K>>(
        self,
        runtime: Runtime,
        writer: Arc<Writer<K>>,
        reconciler: Arc<R>,
        workers: u16,
    ) {
        let name = controller_name::<K>();
        runtime.metrics.pool(&name, workers);
        let turn = Arc::new(Turn {
            name,
            backoff: Backoff::new(runtime.flags.min_retry_delay, runtime.flags.max_retry_delay),
            reconciler: Arc::clone(&reconciler),
            writer,
            runtime: runtime.clone(),
        });
        let gone = Arc::clone(&turn);
        let own = own_changes::<K>(
            &runtime,
            self.writer,
            move |key| gone.forget(key),
            move |key| reconciler.seen(key),
        );
        let requests = stream::unfold(self.requests, |mut requests| async {
            requests.recv().await.map(|request| (request, requests))
        });
        let ended = runtime.shutdown();
        let queue = stream::select(own, requests)
            .take_until(ended)
            .map(|key| Ok::<_, Infallible>(ReconcileRequest::from(key)));
        let runs = applier(
            |object, turn: Arc<Turn<R>>| turn.take(object).boxed(),
            |_, error: &Infallible, _| match *error {},
            turn,
            self.store,
            queue,
            Config::default().concurrency(workers),
        );
        let runs = runs.for_each(|run| {
            match run {
                Ok(_) | Err(QueueError::ObjectNotFound(_)) => {}
                Err(error) => tracing::error!(%error, "the queue failed"),
            }
            future::ready(())
        });
        let patience_ends = async {
            runtime.shutdown().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = runs => {}
            () = patience_ends => tracing::info!("reconciliations under way are cut off"),
        }
    }
}

/// Objects of this kind whose wishes changed: new ones, a new generation, a request, a deletion.
///
/// Writes of status and labels wake nobody.
fn own_changes<K: FluxKind>(
    runtime: &Runtime,
    writer: reflector::store::Writer<K>,
    gone: impl Fn(&ObjectRef<K>),
    seen: impl Fn(&ObjectRef<K>),
) -> impl Stream<Item = ObjectRef<K>> {
    let api: Api<DeserializeGuard<K>> = match runtime.flags.watched_namespace() {
        Some(namespace) => Api::namespaced(runtime.client.clone(), namespace),
        None => Api::all(runtime.client.clone()),
    };
    let config = watcher::Config::default().labels(&runtime.flags.watch_label_selector);
    let mut wishes = Wishes::default();
    watch(api, config)
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .flat_map(move |event| {
            let changes = match event {
                Ok(event) => wishes.take(&event),
                Err(error) => {
                    let kind = K::kind(&());
                    tracing::error!(error = watch_error(&error), %kind, "the watch broke off");
                    Changes::default()
                }
            };
            changes.seen.iter().for_each(&seen);
            changes.gone.iter().for_each(&gone);
            stream::iter(changes.wanting)
        })
}

/// What every object wanted when it was last seen.
#[derive(Debug)]
struct Wishes<K: FluxKind> {
    known: HashMap<ObjectRef<K>, u64>,
    /// Those of a list that is being read.
    listed: HashMap<ObjectRef<K>, u64>,
}

/// What an event of the watch means.
#[derive(Debug)]
struct Changes<K: FluxKind> {
    /// Those that may be other than they were.
    seen: Vec<ObjectRef<K>>,
    wanting: Vec<ObjectRef<K>>,
    gone: Vec<ObjectRef<K>>,
}

impl<K: FluxKind> Default for Wishes<K> {
    fn default() -> Self {
        Self { known: HashMap::new(), listed: HashMap::new() }
    }
}

impl<K: FluxKind> Default for Changes<K> {
    fn default() -> Self {
        Self { seen: Vec::new(), wanting: Vec::new(), gone: Vec::new() }
    }
}

impl<K: FluxKind> Wishes<K> {
    /// Takes in an event. A list counts when it is complete: the store has its objects only then,
    /// and what it lacks was deleted while nobody looked.
    fn take(&mut self, event: &Event<K>) -> Changes<K> {
        let mut changes = Changes::default();
        match event {
            Event::Apply(object) => {
                let (key, wish) = (ObjectRef::from_obj(object), wish(object));
                changes.seen.push(key.clone());
                if self.known.insert(key.clone(), wish) != Some(wish) {
                    changes.wanting.push(key);
                }
            }
            Event::Delete(object) => {
                let key = ObjectRef::from_obj(object);
                self.known.remove(&key);
                changes.gone.push(key);
            }
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(ObjectRef::from_obj(object), wish(object));
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let known = std::mem::replace(&mut self.known, listed);
                let missing = known.keys().filter(|key| !self.known.contains_key(*key));
                changes.gone.extend(missing.cloned());
                let anew = self.known.iter().filter(|(key, wish)| known.get(*key) != Some(wish));
                changes.wanting.extend(anew.map(|(key, _)| key.clone()));
                // Nobody knows what happened to them while nobody looked.
                changes.seen.extend(self.known.keys().cloned());
            }
        }
        changes
    }
}

/// A number that changes when an object wants something else than before.
fn wish<K: FluxKind>(object: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.uid().hash(&mut hasher);
    object.meta().generation.hash(&mut hasher);
    object.meta().deletion_timestamp.is_some().hash(&mut hasher);
    object.annotations().get(REQUESTED_AT).hash(&mut hasher);
    own_annotations(object).for_each(|said| said.hash(&mut hasher));
    hasher.finish()
}

/// What a user tells the controller by annotations that Flux does not know.
pub fn own_annotations<K: FluxKind>(object: &K) -> impl Iterator<Item = (&String, &String)> {
    object.annotations().iter().filter(|(key, _)| key.starts_with(OWN_ANNOTATIONS))
}

/// What went wrong with a watch, in one sentence.
pub fn watch_error(error: &watcher::Error) -> String {
    let (what, cause) = match error {
        watcher::Error::InitialListFailed(cause) => ("list", cause),
        watcher::Error::WatchStartFailed(cause) | watcher::Error::WatchFailed(cause) => {
            ("watch", cause)
        }
        watcher::Error::WatchError(status) => return format!("watch: {}", status.message),
        watcher::Error::NoResourceVersion => return "list: no resource version".to_owned(),
    };
    match cause {
        kube::Error::Api(status) => format!("{what}: {}", status.message),
        cause => format!("{what}: {cause}"),
    }
}

/// What one run of a reconciliation needs.
struct Turn<R: Reconciler> {
    name: String,
    backoff: Backoff<R::Kind>,
    reconciler: Arc<R>,
    writer: Arc<Writer<R::Kind>>,
    runtime: Runtime,
}

impl<R: Reconciler> Turn<R> {
    /// Reconciles one object, and says when it comes back.
    async fn take(self: Arc<Self>, watched: Arc<R::Kind>) -> Result<Action, Infallible> {
        let object = self.writer.newest(watched);
        let key = ObjectRef::from_obj(&*object);
        let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
        let kind = R::Kind::kind(&());
        let span = tracing::info_span!(
            "reconcile",
            controller = self.name,
            controllerGroup = %R::Kind::group(&()),
            controllerKind = %kind,
            name,
            namespace,
        );
        let began = Instant::now();
        let active = self.runtime.metrics.begin(&self.name);
        let run = confined::<R::Kind, _>(&self.runtime.metrics, self.advance(object));
        let next = run.instrument(span.clone()).await;
        let next = next.unwrap_or_else(|error| Next::Backoff { error });
        drop(active);
        let took = began.elapsed();
        let _entered = span.enter();
        self.runtime.metrics.observe(&kind, &namespace, &name, took);
        Ok(self.schedule(key, next, took))
    }

    /// Finalizer, deletion, then the reconciler.
    async fn advance(&self, mut object: Arc<R::Kind>) -> Next {
        if object.meta().deletion_timestamp.is_some() {
            return self.end(object).await;
        }
        if self.reconciler.finalizes(&object)
            && let Err(error) = self.writer.add_finalizer(&mut object).await
        {
            return Next::Backoff { error: api_error(&error) };
        }
        self.reconciler.reconcile(object).await
    }

    async fn end(&self, mut object: Arc<R::Kind>) -> Next {
        if !object.finalizers().iter().any(|finalizer| finalizer == crate::status::FINALIZER) {
            return Next::Await;
        }
        match self.reconciler.finalize(Arc::clone(&object)).await {
            Finalized::Retry { error } => return Next::Backoff { error },
            Finalized::UnderWay => return Next::UnderWay,
            Finalized::Gone => {}
        }
        match self.writer.remove_finalizer(&mut object).await {
            Ok(_) => Next::Await,
            Err(error) => Next::Backoff { error: api_error(&error) },
        }
    }

    fn schedule(&self, key: ObjectRef<R::Kind>, next: Next, took: Duration) -> Action {
        let (outcome, action) = match next {
            // As in Flux, an interval of zero means that the clock wakes nobody.
            Next::Interval(delay) | Next::After(delay) if delay.is_zero() => {
                (Outcome::Success, Action::await_change())
            }
            Next::Interval(interval) => {
                let jittered = self.runtime.jitter.apply(interval, fraction());
                (Outcome::RequeueAfter, Action::requeue(jittered))
            }
            Next::After(delay) => (Outcome::RequeueAfter, Action::requeue(delay)),
            Next::Await => (Outcome::Success, Action::await_change()),
            Next::UnderWay => {
                self.runtime.metrics.ended(&self.name, Outcome::Success, took);
                return Action::await_change();
            }
            Next::Backoff { error } => {
                tracing::error!(error, "Reconciler error");
                self.runtime.metrics.ended(&self.name, Outcome::Error, took);
                return Action::requeue(self.backoff.failed(key));
            }
        };
        self.backoff.forget(&key);
        self.runtime.metrics.ended(&self.name, outcome, took);
        action
    }

    fn forget(&self, key: &ObjectRef<R::Kind>) {
        self.backoff.forget(key);
        self.writer.forget(key);
        let namespace = key.namespace.as_deref().unwrap_or_default();
        self.runtime.metrics.forget(&R::Kind::kind(&()), namespace, &key.name);
        self.reconciler.forget(key);
    }
}

/// The message of the API server, without the dump that the client's error would add.
pub fn api_error(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => crate::chain(other),
    }
}

/// Carries out a part of a reconciliation. A panic ends that part, and is counted.
///
/// # Errors
/// What the panic said. What goes on outside of any worker must not end without a word: its object
/// would wait for it for ever.
pub async fn confined<K: FluxKind, T>(
    metrics: &Metrics,
    part: impl Future<Output = T>,
) -> Result<T, String> {
    AssertUnwindSafe(part).catch_unwind().await.map_err(|panic| {
        metrics.panicked(&controller_name::<K>());
        format!("panic: {}", panic_text(&*panic))
    })
}

/// The name of the controller of a kind, in logs and metrics.
fn controller_name<K: FluxKind>() -> String {
    K::kind(&()).to_lowercase()
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// A random number from 0 to 1. The standard library's hasher keys are random, which suffices to
/// spread intervals.
fn fraction() -> f64 {
    use std::hash::BuildHasher as _;
    let bits = std::hash::RandomState::new().hash_one(Instant::now()) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit into a double")]
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use crd_types::kustomize::{Kustomization, KustomizationSpec};

    use super::*;

    fn object(name: &str, generation: i64) -> Kustomization {
        let mut object = Kustomization::new(name, KustomizationSpec::default());
        object.metadata.namespace = Some("ns".to_owned());
        object.metadata.generation = Some(generation);
        object
    }

    fn names(keys: &[ObjectRef<Kustomization>]) -> Vec<&str> {
        keys.iter().map(|key| key.name.as_str()).collect()
    }

    #[test]
    fn a_panic_ends_its_part_alone() {
        let metrics = Metrics::default();
        let end = confined::<Kustomization, ()>(&metrics, async { panic!("no such luck") });
        let end = futures::executor::block_on(end);
        assert_eq!(end, Err("panic: no such luck".to_owned()));
        let text = metrics.text();
        let counted = |line: &str| line.contains("kustomization") && line.ends_with(" 1");
        assert!(text.lines().any(|line| line.contains("panics") && counted(line)), "{text}");
    }

    #[test]
    fn only_a_new_wish_wakes_an_object() {
        let mut wishes = Wishes::default();
        assert_eq!(names(&wishes.take(&Event::Apply(object("a", 1))).wanting), ["a"]);
        assert!(wishes.take(&Event::Apply(object("a", 1))).wanting.is_empty());
        assert_eq!(names(&wishes.take(&Event::Apply(object("a", 2))).wanting), ["a"]);
        let mut asks = object("a", 2);
        asks.annotations_mut().insert(format!("{OWN_ANNOTATIONS}confirm-prune"), "1".to_owned());
        let changes = wishes.take(&Event::Apply(asks));
        assert_eq!((names(&changes.wanting), names(&changes.seen)), (vec!["a"], vec!["a"]));
    }

    #[test]
    fn what_a_new_list_lacks_is_gone() {
        let mut wishes = Wishes::default();
        for event in [Event::Apply(object("a", 1)), Event::Apply(object("b", 1))] {
            wishes.take(&event);
        }
        wishes.take(&Event::Init);
        assert!(wishes.take(&Event::InitApply(object("b", 2))).wanting.is_empty());
        let changes = wishes.take(&Event::InitDone);
        assert_eq!(names(&changes.gone), ["a"]);
        assert_eq!(names(&changes.wanting), ["b"]);
    }

    #[test]
    fn after_a_gap_every_object_is_seen_once_the_store_has_it() {
        let mut wishes = Wishes::default();
        wishes.take(&Event::Apply(object("a", 1)));
        for event in [Event::Init, Event::InitApply(object("a", 1))] {
            assert!(wishes.take(&event).seen.is_empty());
        }
        let changes = wishes.take(&Event::InitDone);
        assert_eq!((names(&changes.seen), changes.wanting.len()), (vec!["a"], 0));
    }
}
