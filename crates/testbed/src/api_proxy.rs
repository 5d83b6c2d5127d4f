//! A way to the API server that can be cut and disturbed.

use crate::{ApiFault, Cluster, Interruption};
use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The largest request that is passed on, in bytes; an API server takes 3 MiB.
const MAX_REQUEST: usize = 4 << 20;

/// Passes the requests of a program to an API server, until it is cut off ([`Interruption`]) or told
/// to answer otherwise ([`ApiFault`]).
///
/// It speaks plain HTTP on the loopback and acts as the user of the cluster that it was made for. It
/// belongs to the runtime that starts it.
#[derive(Debug)]
pub struct ApiProxy {
    cluster: Cluster,
    interruption: Interruption,
    way: Arc<Way>,
    task: AbortHandle,
}

/// What happens between the program and the API server.
#[derive(Debug, Default)]
struct Way {
    state: Mutex<WayState>,
    /// Watches end when this changes.
    breaks: watch::Sender<()>,
    /// Watches hear nothing more when this changes, and do not end.
    silences: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct WayState {
    fault: Option<ApiFault>,
    requests: Vec<String>,
    unanswered: Vec<String>,
}

impl Way {
    fn state(&self) -> MutexGuard<'_, WayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ApiProxy {
    /// Starts one in front of `cluster`. The kubeconfig that leads to it goes into `dir`.
    ///
    /// # Errors
    /// If the kubeconfig cannot be read or written, or no port is free.
    pub async fn start(cluster: &Cluster, dir: &Path) -> Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", socket.local_addr()?);
        let through = cluster.behind(&url, &dir.join("proxy.kubeconfig"))?;
        let interruption = Interruption::default();
        let client = cluster.interruptible_client(&interruption).await?;
        let way = Arc::<Way>::default();
        let app = Router::new().fallback(pass_on).with_state((client, Arc::clone(&way)));
        let task = tokio::spawn(async move { axum::serve(socket, app).await }).abort_handle();
        Ok(Self { cluster: through, interruption, way, task })
    }

    /// The cluster as it is seen through the proxy.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Counts the writes, and cuts them off.
    pub fn interruption(&self) -> &Interruption {
        &self.interruption
    }

    /// Answers wrongly from now on, or rightly again.
    pub fn set_fault(&self, fault: Option<ApiFault>) {
        self.way.state().fault = fault;
    }

    /// Ends all watches, as an API server does now and then.
    pub fn break_watches(&self) {
        self.way.breaks.send_replace(());
    }

    /// From now on, the watches that there are hear nothing more, and nobody tells them that they are
    /// dead: as behind a balancer that has forgotten a connection. New ones are watches as ever.
    pub fn silence_watches(&self) {
        self.way.silences.send_replace(());
    }

    /// All requests that came since the last call, as `METHOD path?query`.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.way.state().requests)
    }

    /// As [`Self::take_requests`], those that the API server was not there to answer.
    pub fn take_unanswered(&self) -> Vec<String> {
        std::mem::take(&mut self.way.state().unanswered)
    }
}

impl Drop for ApiProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(
    State((client, way)): State<(kube::Client, Arc<Way>)>,
    request: Request,
) -> Response {
    let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
    let line = format!("{} {}", request.method(), request.uri());
    let fault = {
        let mut state = way.state();
        state.requests.push(line.clone());
        state.fault
    };
    if let Some(fault) = fault
        && let Some(answer) = fault.answer(is_watch).await
    {
        return answer;
    }
    let (mut parts, body) = request.into_parts();
    // They are about the connection to us.
    parts.headers.remove(header::HOST);
    parts.headers.remove(header::CONNECTION);
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(parts, kube::client::Body::from(body));
    let (mut broken, silent) = (way.breaks.subscribe(), way.silences.subscribe());
    match client.send(request).await {
        Ok(response) if is_watch => response.map(|body| {
            let end = async move { broken.changed().await }.boxed();
            Body::from_stream(until_silent(body, silent).take_until(end))
        }),
        Ok(response) => response.map(Body::new),
        Err(error) => {
            way.state().unanswered.push(line);
            (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
        }
    }
}

/// What a body holds; once it is silenced, nothing more and no end either.
fn until_silent(
    body: kube::client::Body,
    silent: watch::Receiver<()>,
) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    let frames = Body::new(body).into_data_stream();
    stream::unfold((frames, silent), |(mut frames, mut silent)| async move {
        let frame = tokio::select! {
            frame = frames.next() => frame?,
            _ = silent.changed() => std::future::pending().await,
        };
        Some((frame, (frames, silent)))
    })
}
