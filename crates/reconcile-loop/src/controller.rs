//! One kind's loop: watch, queue, reconcile, come back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crd_types::metadata::FINALIZER;
use futures::{FutureExt as _, StreamExt as _, future, stream};
use kube::runtime::controller::{Action, Config, Error as QueueError, ReconcileRequest, applier};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::{Resource as _, ResourceExt as _};
use tokio::sync::mpsc;
use tracing::Instrument as _;

pub use crate::confined::{answer_each, confined};
use crate::metrics::Outcome;
use crate::program::Runtime;
use crate::requeue::{Backoff, Next};
use crate::status::{FluxKind, Writer};
use crate::wishes::own_changes;
pub use crate::wishes::{OWN_ANNOTATIONS, own_annotations};

/// How long reconciliations under way may take to end when the process is to end. What is cut off
/// is done again by the next process.
const DRAIN: Duration = Duration::from_secs(3);

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
        // The last words about an object that ends the process.
        span.in_scope(|| tracing::debug!("reconciliation begins"));
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
        if !object.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
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

/// The name of the controller of a kind, in logs and metrics.
pub(crate) fn controller_name<K: FluxKind>() -> String {
    K::kind(&()).to_lowercase()
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
