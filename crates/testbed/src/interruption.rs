//! The end of a client at a chosen request, as `kill -9` would end it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use kube::client::Body;
use tower::{Layer, Service};

/// Counts the writes of a client and cuts it off at one of them: no answer ever comes. Whoever is
/// waiting is to be dropped then. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Interruption(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    reached: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<String>,
    seen: usize,
    at: Option<(usize, Moment)>,
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

    /// Waits until the client is cut off.
    pub async fn reached(&self) {
        self.0.reached.notified().await;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request. None if it is no write; else whether it is cut, and when.
    fn count(&self, request: &Request<Body>) -> Option<Moment> {
        let query = request.uri().query().unwrap_or_default();
        if request.method() == Method::GET || query.contains("dryRun=") {
            return None;
        }
        let mut state = self.state();
        state.seen += 1;
        let cut = state.at.filter(|(n, _)| *n == state.seen).map(|(_, moment)| moment);
        if cut != Some(Moment::Before) {
            let line = format!("{} {}", request.method(), request.uri().path());
            state.sent.push(line);
        }
        cut
    }
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
        let interruption = self.interruption.clone();
        match interruption.count(&request) {
            None => Box::pin(self.inner.call(request)),
            Some(moment) => {
                let done = (moment == Moment::After).then(|| self.inner.call(request));
                Box::pin(async move {
                    if let Some(done) = done {
                        drop(done.await);
                    }
                    interruption.0.reached.notify_one();
                    std::future::pending().await
                })
            }
        }
    }
}
