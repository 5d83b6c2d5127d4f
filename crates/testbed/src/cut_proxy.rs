//! A way to the API server that can be cut: what a program is killed at.

use crate::{Cluster, Interruption};
use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::path::Path;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// The largest request that is passed on, in bytes; an API server takes 3 MiB.
const MAX_REQUEST: usize = 4 << 20;

/// Passes the requests of a program to an API server, until it is cut off: see [`Interruption`].
///
/// It speaks plain HTTP on the loopback and acts as the user of the cluster that it was made for. It
/// belongs to the runtime that starts it.
#[derive(Debug)]
pub struct CutProxy {
    cluster: Cluster,
    interruption: Interruption,
    task: AbortHandle,
}

impl CutProxy {
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
        let app = Router::new().fallback(pass_on).with_state(client);
        let task = tokio::spawn(async move { axum::serve(socket, app).await }).abort_handle();
        Ok(Self { cluster: through, interruption, task })
    }

    /// The cluster as it is seen through the proxy.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Counts the writes, and cuts them off.
    pub fn interruption(&self) -> &Interruption {
        &self.interruption
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(State(client): State<kube::Client>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    // They are about the connection to us.
    parts.headers.remove(header::HOST);
    parts.headers.remove(header::CONNECTION);
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(parts, kube::client::Body::from(body));
    match client.send(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
