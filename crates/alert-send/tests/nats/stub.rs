//! Servers that are none.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alert_send::{Retries, Sender};
use http_access::{Access, Secret};

use crate::{event, provider, refusal, tell};

const INFO: &str = "INFO {\"max_payload\":1048576}\r\n";

/// A server that does this with each connection.
struct Stub {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Stub {
    fn new(mut serve: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                serve(stream);
            }
        });
        Self { url, connections }
    }

    /// A server that says this, whatever it hears.
    fn saying(said: impl Into<String>) -> Self {
        let said = said.into();
        Self::new(move |mut stream| {
            stream.write_all(said.as_bytes()).ok();
            stream.shutdown(std::net::Shutdown::Write).ok();
            // A connection that is dropped with something unread takes back what was said.
            stream.read_to_end(&mut Vec::new()).ok();
        })
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_server_that_is_silent_costs_little() {
    let mut held = Vec::new();
    let stub = Stub::new(move |stream| held.push(stream));
    let began = Instant::now();
    let once = Sender::new(Retries { limit: 0, ..Retries::default() });
    let provider = provider(&stub.url);
    let long = Duration::from_mins(1);
    let error = once.tell(&provider, &event(), &Access::default(), long).await.unwrap_err();
    assert!(format!("{error:?}").contains("Timeout") && began.elapsed() < long / 2, "{error:?}");
    let brief = Duration::from_millis(200);
    let error = once.tell(&provider, &event(), &Access::default(), brief).await.unwrap_err();
    assert!(format!("{error:?}").contains("Deadline"), "{error:?}");
}

#[tokio::test]
async fn what_is_no_introduction_is_refused() {
    for said in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "INFO\r\n",
        "INFO {\r\n",
        "INFO 1\r\n",
        "INFO {\"max_payload\":-1}\r\n",
        "INFO {\"nonce\":{}}\r\n",
        &format!("INFO {}\r\n", "[".repeat(10_000)),
    ] {
        let stub = Stub::saying(said);
        let text = refusal(&provider(&stub.url)).await;
        let wanted = "error connecting to server: nats: protocol exception, INFO not received";
        assert_eq!(text, wanted, "{said}");
        assert_eq!(stub.connections(), 1, "{said}");
    }
    for said in ["", "INFO {}"] {
        let stub = Stub::saying(said);
        assert_eq!(refusal(&provider(&stub.url)).await, "error connecting to server: EOF");
        assert_eq!(stub.connections(), 3, "{said}");
    }
}

#[tokio::test]
async fn an_introduction_without_end_is_not_read() {
    let stub = Stub::new(|mut stream| {
        stream.write_all(b"INFO {\"server_name\":\"").ok();
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let text = refusal(&provider(&stub.url)).await;
    assert_eq!(text, "error connecting to server: nats: protocol exception, too long a line");
    let stub = Stub::saying(INFO.to_owned() + &"+OK\r\n".repeat(1000));
    let text = refusal(&provider(&stub.url)).await;
    assert!(text.ends_with("nats: protocol exception, too many lines before an answer"), "{text}");
}

#[tokio::test]
async fn what_a_server_echoes_is_masked() {
    let seed = nkeys::KeyPair::new_user().seed().unwrap();
    let echo = format!("{INFO}-ERR 'no canary-password, canary-login, canary-token or {seed}'\r\n");
    let stub = Stub::saying(echo);
    let mut told = provider(stub.url.replace("nats://", "nats://me:canary-login@"));
    told.password = Secret::new("canary-password");
    told.nats_seed = Secret::new(seed.as_str());
    told.nats_credentials = Secret::new(format!("-----A-----\ncanary-token\n-----B-----\n{seed}"));
    let text = refusal(&told).await;
    assert_eq!(text, "error connecting to server: nats: no *****, *****, ***** or *****");
    // The same in the place of an answer.
    let stub = Stub::saying(format!("{INFO}canary-login\r\n"));
    told.address = Secret::new(stub.url.replace("nats://", "nats://me:canary-login@"));
    let text = refusal(&told).await;
    assert_eq!(text, "error connecting to server: nats: expected 'PONG', got '*****'");
}

#[tokio::test]
async fn nothing_is_said_to_who_speaks_before_tls() {
    let said = "INFO {\"tls_required\":true}\r\n+OK\r\n";
    let stub = Stub::saying(said);
    let text = refusal(&provider(&stub.url)).await;
    assert!(text.ends_with("nats: protocol exception, something is said before TLS"), "{text}");
}

#[tokio::test]
async fn a_message_is_not_sent_twice() {
    let stub = Stub::new(|mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        stream.write_all(INFO.as_bytes()).unwrap();
        assert!(lines.any(|line| line == "PING"));
        stream.write_all(b"PING\r\nPONG\r\n").unwrap();
        assert!(lines.any(|line| line == "PONG"));
        // The message may have been passed on by then.
        assert!(lines.any(|line| line.starts_with("PUB flux.events ")));
    });
    let text = refusal(&provider(&stub.url)).await;
    assert!(text.starts_with("error publishing message to server: "), "{text}");
    assert_eq!(stub.connections(), 1);
}

#[tokio::test]
async fn nobody_there_is_told_as_by_flux() {
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = refusal(&provider(format!("nats://{at}"))).await;
    assert_eq!(
        text,
        format!(
            "error connecting to server: nats: no servers available for connection: dial tcp {at}: \
             connect: connection refused"
        )
    );
    for address in ["nats://169.254.169.254:80", "169.254.1.1", "nats://[fe80::1]"] {
        let error = tell(&provider(address)).await.unwrap_err();
        let debug = format!("{error:?}");
        assert!(debug.contains("LinkLocal"), "{address}: {debug}");
    }
}
