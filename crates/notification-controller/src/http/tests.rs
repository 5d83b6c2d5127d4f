//! A server on a real socket, and strangers.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::FutureExt as _;
use http::StatusCode;
use reconcile_loop::metrics::Metrics;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};

use super::serve::serve_within;
use super::{Handler, Limits, Reply, Request};
use crate::metrics::ServerMetrics;

/// Whatever is to happen happens within this, on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(30);
/// What a server is told to be patient for where its patience is to end.
const SOON: Duration = Duration::from_millis(50);

/// Answers 202, at `/gate` only when the gate is opened.
struct Doorman {
    gate: Semaphore,
    waiting: Semaphore,
}

impl Handler for Doorman {
    fn serves(&self, path: &str) -> bool {
        path != "/nowhere"
    }

    async fn answer(&self, request: Request) -> Reply {
        if request.uri.path() == "/gate" {
            self.waiting.add_permits(1);
            self.gate.acquire().await.unwrap().forget();
        }
        StatusCode::ACCEPTED.into()
    }
}

struct Running {
    address: SocketAddr,
    doorman: Arc<Doorman>,
    end: Option<oneshot::Sender<()>>,
    over: tokio::task::JoinHandle<()>,
}

async fn start(change: impl FnOnce(&mut Limits)) -> Running {
    let mut limits = Limits { head_timeout: DEADLINE, body_timeout: DEADLINE, ..Limits::default() };
    change(&mut limits);
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let address = (Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port()).into();
    let doorman = Arc::new(Doorman { gate: Semaphore::new(0), waiting: Semaphore::new(0) });
    let metrics = ServerMetrics::register(&Metrics::default(), "test", Some("/"));
    let (end, ended) = oneshot::channel::<()>();
    let ended = ended.map(drop).shared();
    let over = tokio::spawn(serve_within(limits, listener, Arc::clone(&doorman), metrics, ended));
    Running { address, doorman, end: Some(end), over }
}

impl Running {
    /// A connection on which this was sent.
    async fn sent(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        stream
    }

    /// The same from another address.
    async fn sent_from(&self, address: [u8; 4], bytes: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    /// Comes back when so many requests wait at the gate.
    async fn gate_has(&self, count: u32) {
        within(self.doorman.waiting.acquire_many(count)).await.unwrap().forget();
    }
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("it takes too long")
}

/// The status of the next answer; none if the connection is closed before.
async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // A connection that is closed while it has something to say is reset.
        match within(stream.read_u8()).await {
            Ok(byte) => head.push(byte),
            Err(_) => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.contains("content-length: 0\r\n"), "{head}");
    head.split(' ').nth(1).unwrap().parse().ok()
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n{body}")
}

fn sized(path: &str, length: usize, body: &str) -> String {
    post(path, &format!("content-length: {length}\r\n"), body)
}

#[tokio::test]
async fn whoever_does_not_send_a_whole_head_is_closed() {
    let server = start(|limits| limits.head_timeout = SOON).await;
    for head in ["", "POST / HTTP/1.1\r\nx-slow: a"] {
        assert_eq!(status(&mut server.sent(head).await).await, None);
    }
    // Nor may one rest after an answer.
    let mut stream = server.sent(sized("/", 0, "")).await;
    assert_eq!(status(&mut stream).await, Some(202));
    assert_eq!(status(&mut stream).await, None);
}

#[tokio::test]
async fn whoever_does_not_send_a_whole_body_is_told_so_and_closed() {
    let server = start(|limits| limits.body_timeout = SOON).await;
    let mut stream = server.sent(sized("/", 10, "abc")).await;
    assert_eq!(status(&mut stream).await, Some(400));
    assert_eq!(status(&mut stream).await, None);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_as_soon_as_that_is_known() {
    let server = start(|limits| limits.body = 100).await;
    let mut announced = server.sent(sized("/", 101, "")).await;
    assert_eq!(status(&mut announced).await, Some(413));
    let chunk = format!("3c\r\n{}\r\n", "a".repeat(60));
    let chunked = post("/", "transfer-encoding: chunked\r\n", &chunk.repeat(2));
    assert_eq!(status(&mut server.sent(chunked).await).await, Some(413));
    assert_eq!(status(&mut server.sent(sized("/", 100, &"a".repeat(100))).await).await, Some(202));
}

#[tokio::test]
async fn large_bodies_share_a_room_and_small_ones_need_none() {
    let server = start(|limits| (limits.beginning, limits.bodies) = (8 << 10, 16 << 10)).await;
    let large = "a".repeat(20 << 10);
    let (whole, part) = (sized("/gate", large.len(), &large), sized("/", large.len() + 1, &large));
    let mut held = server.sent(&whole).await;
    server.gate_has(1).await;
    assert_eq!(status(&mut server.sent(part).await).await, Some(503));
    assert_eq!(status(&mut server.sent(sized("/", 5, "small")).await).await, Some(202));
    server.doorman.gate.add_permits(1);
    assert_eq!(status(&mut held).await, Some(202));
    // The room is free before the answer is sent.
    let mut again = server.sent(whole).await;
    server.gate_has(1).await;
    server.doorman.gate.add_permits(1);
    assert_eq!(status(&mut again).await, Some(202));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = start(|_| {}).await;
    let head = |bytes: usize| post("/", &format!("x-large: {}\r\n", "a".repeat(bytes)), "");
    assert_eq!(status(&mut server.sent(head(200 << 10)).await).await, Some(202));
    let mut refused = TcpStream::connect(server.address).await.unwrap();
    // It may be refused before all of it is sent.
    drop(refused.write_all(head(300 << 10).as_bytes()).await);
    assert!(matches!(status(&mut refused).await, Some(431) | None));
}

#[tokio::test]
async fn large_heads_share_a_room_and_small_ones_need_none() {
    let server = start(|limits| (limits.beginning, limits.heads) = (8 << 10, 16 << 10)).await;
    let large = format!("x-large: {}\r\n", "a".repeat(20 << 10));
    let mut held = server.sent(post("/gate", &large, "")).await;
    server.gate_has(1).await;
    assert_eq!(status(&mut server.sent(post("/", &large, "")).await).await, None);
    assert_eq!(status(&mut server.sent(post("/", "", "")).await).await, Some(202));
    server.doorman.gate.add_permits(1);
    assert_eq!(status(&mut held).await, Some(202));
    // What came last may be another head: its room is free when the connection is gone.
    drop(held);
    let again = async {
        while status(&mut server.sent(post("/", &large, "")).await).await != Some(202) {
            tokio::task::yield_now().await;
        }
    };
    within(again).await;
}

#[tokio::test]
async fn what_comes_behind_a_body_counts_as_the_next_head() {
    let server = start(|limits| (limits.beginning, limits.heads) = (64, 0)).await;
    let behind = format!("{}POST / HTTP/1.1\r\nx-slow: {}", sized("/", 2, "ok"), "a".repeat(1000));
    let mut stream = server.sent(sized("/", 2, "ok")).await;
    assert_eq!(status(&mut stream).await, Some(202));
    stream.write_all(behind.as_bytes()).await.unwrap();
    assert!(matches!(status(&mut stream).await, Some(202) | None));
    assert_eq!(status(&mut stream).await, None);
}

#[tokio::test]
async fn whoever_is_slowest_makes_room() {
    let server = start(|limits| limits.connections = 2).await;
    let mut first = server.sent("POST / HT").await;
    let mut second = server.sent(sized("/", 5, "ab")).await;
    let mut third = server.sent(sized("/gate", 0, "")).await;
    server.gate_has(1).await;
    assert_eq!(status(&mut first).await, None);
    // The one that is being answered keeps its place.
    assert_eq!(status(&mut server.sent(sized("/", 0, "")).await).await, Some(202));
    assert_eq!(status(&mut second).await, None);
    server.doorman.gate.add_permits(1);
    assert_eq!(status(&mut third).await, Some(202));
}

#[tokio::test]
async fn whoever_has_most_connections_makes_room() {
    let server = start(|limits| limits.connections = 4).await;
    let begun = "POST / HT";
    let mut eldest = server.sent_from([127, 0, 0, 2], begun).await;
    let mut many = Vec::new();
    for _ in 0..3 {
        many.push(server.sent_from([127, 0, 0, 3], begun).await);
    }
    let mut newest = server.sent_from([127, 0, 0, 2], &sized("/", 0, "")).await;
    assert_eq!(status(&mut newest).await, Some(202));
    assert_eq!(status(&mut many[0]).await, None);
    eldest.write_all(b"TP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&mut eldest).await, Some(202));
}

#[tokio::test]
async fn where_all_are_being_answered_others_wait() {
    let server = start(|limits| limits.connections = 2).await;
    let mut gated = Vec::new();
    for _ in 0..2 {
        gated.push(server.sent(sized("/gate", 0, "")).await);
    }
    server.gate_has(2).await;
    let mut waiting = server.sent(sized("/", 0, "")).await;
    server.doorman.gate.add_permits(2);
    for stream in gated.iter_mut().chain([&mut waiting]) {
        assert_eq!(status(stream).await, Some(202));
    }
}

#[tokio::test]
async fn a_flood_of_slow_connections_keeps_nobody_out() {
    let server = start(|limits| limits.connections = 64).await;
    let mut flood = Vec::new();
    for n in 0..512 {
        flood.push(server.sent("POST / HTTP/1.1\r\nx-slow: a").await);
        if n % 64 == 0 {
            assert_eq!(status(&mut server.sent(sized("/", 2, "ok")).await).await, Some(202));
        }
    }
}

#[tokio::test]
async fn an_end_answers_what_is_under_way() {
    let mut server = start(|_| {}).await;
    let mut idle = server.sent(sized("/", 0, "")).await;
    assert_eq!(status(&mut idle).await, Some(202));
    let mut gated = server.sent(sized("/gate", 0, "")).await;
    server.gate_has(1).await;
    drop(server.end.take());
    assert_eq!(status(&mut idle).await, None);
    assert!(!server.over.is_finished());
    server.doorman.gate.add_permits(1);
    assert_eq!(status(&mut gated).await, Some(202));
    within(&mut server.over).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_length_that_is_told_twice() {
    let server = start(|_| {}).await;
    let hidden = sized("/gate", 0, "");
    for headers in [
        "content-length: 0\r\ncontent-length: 5\r\n",
        "content-length: 5, 0\r\n",
        "content-length: +5\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
    ] {
        let mut stream = server.sent(post("/", headers, &hidden)).await;
        assert!(matches!(status(&mut stream).await, Some(400) | None), "{headers}");
        assert_eq!(status(&mut stream).await, None, "{headers}");
    }
    // One of each: the chunks count, and nothing that follows them.
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    ] {
        let body = format!("0\r\n\r\n{hidden}");
        let mut stream = server.sent(post("/", headers, &body)).await;
        assert_eq!(status(&mut stream).await, Some(202), "{headers}");
        assert_eq!(status(&mut stream).await, None, "{headers}");
    }
    assert_eq!(server.doorman.waiting.available_permits(), 0);
}

#[tokio::test]
async fn what_is_nowhere_is_not_read() {
    let server = start(|_| {}).await;
    let mut stream = server.sent(sized("/nowhere", 10, "")).await;
    assert_eq!(status(&mut stream).await, Some(404));
}
