//! The artifact server of this process.

use std::{io, sync::Arc};

use artifact::{Store, serve};
use reconcile_loop::{flags::address, program::Runtime};
use tokio::{net::TcpListener, task::JoinHandle};

/// Serves the artifacts until the process ends. The value comes back only if the server fails.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) async fn start(
    at: &str,
    store: Arc<Store>,
    runtime: &Runtime,
) -> Result<impl Future<Output = String> + use<>, String> {
    let listener = match address(at) {
        Ok(at) => TcpListener::bind(at).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    let listener =
        listener.map_err(|error| format!("cannot serve artifacts on `{at}`: {error}"))?;
    tracing::info!(address = at, "serving artifacts");
    let ended = runtime.shutdown();
    let server: JoinHandle<io::Result<()>> = tokio::spawn(async move {
        axum::serve(listener, serve::router(store)).with_graceful_shutdown(ended).await
    });
    Ok(async move {
        match server.await {
            // Asked to end: the loops decide when that is.
            Ok(Ok(())) => std::future::pending().await,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }
    })
}
