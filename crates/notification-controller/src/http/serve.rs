//! Connections: how many, how long for their heads, and how they end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Limits;
use super::body::Room;
use super::head::{Counted, Head};
use super::places::{Place, Places};
use crate::metrics::ServerMetrics;

/// How long to wait when the system has no more sockets for us.
const BREATH: Duration = Duration::from_millis(50);

/// A request with its whole body.
#[derive(Debug)]
pub(crate) struct Request {
    /// Path and query, letter for letter.
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'static str,
}

impl From<StatusCode> for Reply {
    fn from(status: StatusCode) -> Self {
        Self { status, ..Self::default() }
    }
}

/// What answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Whether there is anything at this path; if not, the answer is 404.
    fn serves(&self, path: &str) -> bool;

    /// Answers a request.
    fn answer(&self, request: Request) -> impl Future<Output = Reply> + Send;
}

/// Takes an address.
///
/// # Errors
/// If it is taken already, or not ours.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on `{address}`: {error}"))
}

/// Serves until `ended` comes back; comes back itself when requests under way are answered.
pub(crate) async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    metrics: ServerMetrics,
    ended: impl Future<Output = ()> + Clone + Send + 'static,
) {
    serve_within(Limits::default(), listener, handler, metrics, ended).await;
}

pub(super) async fn serve_within<H: Handler>(
    limits: Limits,
    listener: TcpListener,
    handler: Arc<H>,
    metrics: ServerMetrics,
    ended: impl Future<Output = ()> + Clone + Send + 'static,
) {
    let places = Arc::new(Places::new(limits.connections));
    let room = Arc::new(Room::new(limits));
    let heads = Arc::new(Semaphore::new(limits.heads));
    loop {
        let accepted = async {
            match listener.accept().await {
                Ok((stream, peer)) => Some((stream, places.take(peer.ip()).await)),
                Err(_) => None,
            }
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = ended.clone() => break,
        };
        let Some((stream, place)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let server = Server {
            handler: Arc::clone(&handler),
            metrics: metrics.clone(),
            room: Arc::clone(&room),
            place: Arc::new(place),
            head: Arc::new(Head::new(Arc::clone(&heads), limits.beginning)),
        };
        tokio::spawn(connection(stream, server, limits, ended.clone()));
    }
    drop(listener);
    places.all_free().await;
}

/// What answers the requests of a connection.
struct Server<H> {
    handler: Arc<H>,
    metrics: ServerMetrics,
    room: Arc<Room>,
    place: Arc<Place>,
    head: Arc<Head>,
}

impl<H> Clone for Server<H> {
    fn clone(&self) -> Self {
        Self {
            handler: Arc::clone(&self.handler),
            metrics: self.metrics.clone(),
            room: Arc::clone(&self.room),
            place: Arc::clone(&self.place),
            head: Arc::clone(&self.head),
        }
    }
}

async fn connection<H: Handler>(
    stream: TcpStream,
    server: Server<H>,
    limits: Limits,
    ended: impl Future<Output = ()>,
) {
    // Without it, an answer to one of many requests waits for the system; that is all.
    drop(stream.set_nodelay(true));
    let stream = Counted { stream, head: Arc::clone(&server.head) };
    let place = Arc::clone(&server.place);
    let service = service_fn(move |request| {
        let server = server.clone();
        async move { Ok::<_, Infallible>(server.measured(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(limits.head)
        .max_buf_size(limits.head)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What a stranger does wrong with a connection is nobody's concern.
        _ = connection.as_mut() => return,
        () = place.revoked() => return,
        () = ended => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = place.revoked() => {}
    }
}

impl<H: Handler> Server<H> {
    async fn measured(&self, request: hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
        let began = Instant::now();
        self.head.is_whole();
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let under_way = self.metrics.begin(&path);
        let reply = if self.handler.serves(&path) {
            self.answer(parts.uri, parts.headers, body).await
        } else {
            StatusCode::NOT_FOUND.into()
        };
        drop(under_way);
        let (method, code) = (parts.method.as_str(), reply.status.as_u16());
        self.metrics.ended(&path, method, code, began.elapsed(), reply.body.len());
        let mut response = hyper::Response::new(Full::from(reply.body));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        if !self.head.is_over() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer(&self, uri: Uri, headers: HeaderMap, body: Incoming) -> Reply {
        match self.room.read(body).await {
            Ok(whole) => {
                // Nothing has been done yet, and the connection is about to be closed.
                let Some(_answering) = self.place.answering() else {
                    return StatusCode::SERVICE_UNAVAILABLE.into();
                };
                self.handler.answer(Request { uri, headers, body: whole.bytes.clone() }).await
            }
            Err(status) => {
                tracing::error!(%status, "reading the request body failed");
                status.into()
            }
        }
    }
}
