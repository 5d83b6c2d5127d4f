//! Servers that speak HTTP, each in a thread of its own.

mod listener;

use anyhow::Result;
use axum::Router;
use tokio::sync::oneshot;

pub(crate) use listener::Tls;

/// Serves on a free port of the loopback until it is dropped. Tests may share it, each of which has
/// its own runtime.
#[derive(Debug)]
pub(crate) struct WebServer {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// An address that a server is about to have.
pub(crate) struct Bound {
    url: String,
    socket: std::net::TcpListener,
    tls: Option<Tls>,
}

impl Bound {
    /// Takes a free port of the loopback.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn new(tls: Option<Tls>) -> Result<Self> {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        let url = format!("{scheme}://127.0.0.1:{}", socket.local_addr()?.port());
        Ok(Self { url, socket, tls })
    }

    /// Where the server will be, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Serves `app`; `name` is the thread's.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub(crate) fn serve(self, name: &str, app: Router) -> Result<WebServer> {
        let Self { url, socket, tls } = self;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropping the runtime ends what still hangs or trickles, so no graceful shutdown.
            runtime.block_on(async {
                tokio::select! {
                    () = listener::serve(socket, tls, app) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(WebServer { url, stop: Some(stop), thread: Some(thread) })
    }
}

impl WebServer {
    /// Where it is, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // The thread waits for this sender to go.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
