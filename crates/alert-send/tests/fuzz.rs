//! Whatever a server says, by NATS or HTTP, and whatever is in a credentials file, telling ends.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alert_message::{Kind, Provider};
use alert_send::{Error, Retries, Sender};
use fuzz_input::{Bytes, Corpus, check, soon};
use http_access::{Access, Proxy, Secret};

const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const COMMIT: &str = "main@sha1:f7f8d5e5ac3a1c1c0f7a7a1d9b0e6a2c7f1d2b3a";
const FINE: &str = "INFO {\"nonce\":\"n\",\"max_payload\":1048576}\r\nPONG\r\nPONG\r\n";

/// A publisher, and a server that says what it is told to say.
struct Stage {
    runtime: tokio::runtime::Runtime,
    sender: Sender,
    server: String,
    says: Arc<Mutex<Vec<u8>>>,
}

impl Stage {
    /// NATS servers speak first, HTTP servers are asked.
    fn new(speaks_first: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap().to_string();
        let says = Arc::new(Mutex::new(FINE.as_bytes().to_owned()));
        let said = Arc::clone(&says);
        // It ends with the process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let said = said.lock().unwrap().clone();
                if !speaks_first {
                    stream.read_exact(&mut [0; 16]).ok();
                }
                stream.write_all(&said).ok();
                stream.shutdown(Shutdown::Write).ok();
                stream.read_to_end(&mut Vec::new()).ok();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let soon = Duration::from_millis(1);
        let sender = Sender::new(Retries { limit: 1, shortest: soon, longest: soon });
        Self { runtime, sender, server, says }
    }

    fn publish(&self, credentials: &str) -> Result<(), Error> {
        let provider = Provider {
            channel: "flux".to_owned(),
            nats_credentials: Secret::new(credentials),
            ..Provider::new(Kind::Nats, self.server.as_str())
        };
        self.tell(&provider, &Access::default(), Duration::from_mins(1))
    }

    /// Asks the server as the proxy of all others, so that it may say anything to any kind.
    fn ask(&self, kind: Kind) -> Result<(), Error> {
        let provider = Provider {
            channel: "channel/topic".to_owned(),
            token: Secret::new("user:token"),
            status_id: "id".to_owned(),
            uid: "uid".to_owned(),
            ..Provider::new(kind, "http://key@sink.example/scm/acme/fleet")
        };
        let proxy = Proxy { url: format!("http://{}", self.server), login: None };
        let access = Access { proxy: Some(proxy), ..Access::default() };
        self.tell(&provider, &access, Duration::from_millis(500))
    }

    fn tell(&self, provider: &Provider, access: &Access, timeout: Duration) -> Result<(), Error> {
        let event = serde_json::json!({"involvedObject": {}, "severity": "info", "message": "",
            "reason": "", "metadata": {"revision": COMMIT, "change_request": "7"}});
        let event = serde_json::from_value(event).unwrap();
        let told = self.sender.tell(provider, &event, access, timeout);
        soon(|| self.runtime.block_on(told))
    }
}

#[test]
fn servers_that_are_nearly_right() {
    let stage = Stage::new(true);
    stage.publish("").unwrap();
    let corpus = Corpus::of([
        FINE,
        "INFO {\"max_payload\":1}\r\nPONG\r\n",
        "INFO {\"tls_required\":true}\r\n\u{16}\u{3}\u{3}",
        "INFO {}\r\n-ERR 'Authorization Violation'\r\n",
        "INFO {\"max_payload\":9999}\r\n+OK\r\nPONG\r\nPING\r\n-ERR 'Permissions Violation'\r\n",
    ]);
    check(300).with_generator(corpus.bytes()).for_each(|said: &Bytes| {
        *stage.says.lock().unwrap() = said.to_vec();
        stage.publish("").ok();
    });
}

#[test]
fn credentials_that_are_nearly_right() {
    let stage = Stage::new(true);
    let file = format!(
        "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
    );
    stage.publish(&file).unwrap();
    let corpus = Corpus::of([file, SEED.to_owned(), SEED.replace("SU", "PU")]);
    // Signing takes long without optimization.
    check(60).with_generator(corpus.text()).for_each(|file: &String| {
        if let Err(error) = stage.publish(file) {
            assert!(!format!("{error:?}").contains(&SEED[..8]), "{error:?}");
        }
    });
}

#[test]
fn answers_that_are_nearly_right() {
    let stage = Stage::new(false);
    let answer = |head: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let corpus = Corpus::of([
        answer("200 OK", "[]"),
        answer("200 OK", r#"{"ok": false, "error": "channel_not_found", "ts": "1.2"}"#),
        answer("200 OK", r#"[{"id": 7, "body": "<!-- x -->", "user": {"login": "me"}}]"#),
        answer("400 Bad Request", r#"{"message": "no", "errors": [{"code": "invalid"}]}"#),
        answer("307 Temporary Redirect\r\nLocation: http://user:pw@elsewhere.example/", ""),
        answer("429 Too Many Requests\r\nRetry-After: 18446744073709551615", "busy"),
        answer("503 Busy\r\nRetry-After: Wed, 04 Mar 9999 05:06:17 GMT", ""),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n".to_owned(),
    ]);
    *stage.says.lock().unwrap() = answer("200 OK", "[]").into_bytes();
    stage.ask(Kind::GitLabMergeRequestComment).unwrap();
    check(300).with_generator(corpus.bytes()).for_each(|said: &Bytes| {
        *stage.says.lock().unwrap() = said.to_vec();
        for kind in [Kind::Generic, Kind::Slack, Kind::BitbucketServer, Kind::GitLab] {
            if let Err(error) = stage.ask(kind) {
                assert!(error.to_string().len() < 8 << 10, "{error}");
            }
        }
    });
}
