//! The end of a client at a chosen request, as `kill -9` would end it.
//!
//! Two writes may be on their way at once. One that was sent before the chosen one is carried out,
//! whatever becomes of the client that waits for its answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use kube::client::Body;
use tokio_util::task::TaskTracker;
use tower::{Layer, Service};

/// Counts the writes of a client and cuts it off at one of them: no answer ever comes, and no later
/// write is sent. Whoever is waiting is to be dropped then. Clones share the count.
///
/// Events are no writes here: they are told in the background, so that their place among the others
/// is a matter of chance, and nothing depends on them.
#[derive(Clone, Debug, Default)]
pub struct Interruption(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    reached: tokio::sync::Notify,
    /// Writes that are being carried out.
    under_way: TaskTracker,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<String>,
    seen: usize,
    at: Option<(usize, Moment)>,
}

/// What becomes of a request.
enum Fate {
    Sent,
    /// The client is cut off at it.
    Cut(Moment),
    /// The client was cut off before.
    TooLate,
}

/// When a client is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request is never sent.
    Before,
    /// The request is carried out, and the answer never comes.
    After,
}

impl Interruption {
    /// Cuts the client off at its `n`th write from now, counted from 1.
    pub fn arm(&self, n: usize, moment: Moment) {
        let mut state = self.state();
        state.seen = 0;
        state.at = Some((n, moment));
    }

    /// Cuts nothing any more, and forgets what was counted.
    pub fn disarm(&self) {
        let mut state = self.state();
        state.seen = 0;
        state.at = None;
    }

    /// How many writes were asked for since [`Self::arm`] or [`Self::disarm`].
    pub fn seen(&self) -> usize {
        self.state().seen
    }

    /// All writes that were carried out, as `METHOD path`.
    pub fn sent(&self) -> Vec<String> {
        self.state().sent.clone()
    }

    /// Waits until the client is cut off, and until what it sent before is carried out.
    pub async fn reached(&self) {
        self.0.reached.notified().await;
        self.0.under_way.close();
        self.0.under_way.wait().await;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a write and says what becomes of it.
    fn count(&self, request: &Request<Body>) -> Fate {
        let path = request.uri().path();
        let mut state = self.state();
        state.seen += 1;
        let fate = match state.at {
            Some((n, moment)) if n == state.seen => Fate::Cut(moment),
            Some((n, _)) if n < state.seen => Fate::TooLate,
            _ => Fate::Sent,
        };
        if matches!(fate, Fate::Sent | Fate::Cut(Moment::After)) {
            state.sent.push(format!("{} {path}", request.method()));
        }
        fate
    }
}

/// Whether a request changes something that a client depends on.
fn is_write(request: &Request<Body>) -> bool {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let is_event = request.method() == Method::POST && path.ends_with("/events");
    request.method() != Method::GET && !query.contains("dryRun=") && !is_event
}

impl<S> Layer<S> for Interruption {
    type Service = Interrupted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Interrupted { inner, interruption: self.clone() }
    }
}

/// A client that may be cut off.
#[derive(Clone, Debug)]
pub struct Interrupted<S> {
    inner: S,
    interruption: Interruption,
}

impl<S, B> Service<Request<Body>> for Interrupted<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !is_write(&request) {
            return Box::pin(self.inner.call(request));
        }
        let interruption = self.interruption.clone();
        let cut = match interruption.count(&request) {
            Fate::Sent => None,
            Fate::TooLate => return Box::pin(std::future::pending()),
            Fate::Cut(moment) => Some(moment),
        };
        // In a task of its own: it ends although nobody waits for it any more.
        let done = (cut != Some(Moment::Before))
            .then(|| interruption.0.under_way.spawn(self.inner.call(request)));
        Box::pin(async move {
            let answer = match done {
                Some(done) => done.await.ok(),
                None => None,
            };
            match (cut, answer) {
                (None, Some(answer)) => return answer,
                (Some(_), _) => interruption.0.reached.notify_one(),
                // Its task panicked, and has told so.
                (None, None) => {}
            }
            std::future::pending().await
        })
    }
}
