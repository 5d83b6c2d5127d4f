//! The endpoints every controller serves: metrics and probes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// Why an endpoint cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    #[source]
    source: io::Error,
}

/// Serves `/metrics` until the process ends.
///
/// # Errors
/// If the address is taken or not ours.
pub async fn metrics(address: SocketAddr, metrics: Metrics) -> Result<(), BindError> {
    let text = move || {
        let metrics = metrics.clone();
        async move {
            let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, format)], metrics.text())
        }
    };
    serve(address, Router::new().route("/metrics", get(text))).await
}

/// Serves `/healthz` and `/readyz` until the process ends; ready is who has found its cluster.
///
/// # Errors
/// If the address is taken or not ours.
pub async fn probes(address: SocketAddr, ready: Arc<AtomicBool>) -> Result<(), BindError> {
    let alive = || async { (StatusCode::OK, "ok") };
    let ready = move || {
        let ready = ready.load(Ordering::Relaxed);
        async move {
            if ready {
                (StatusCode::OK, "ok")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "starting")
            }
        }
    };
    serve(address, Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))).await
}

async fn serve(address: SocketAddr, router: Router) -> Result<(), BindError> {
    let listener =
        TcpListener::bind(address).await.map_err(|source| BindError { address, source })?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, %address, "endpoint stopped");
        }
    });
    Ok(())
}
