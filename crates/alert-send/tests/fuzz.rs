//! Whatever a NATS server says, and whatever is in a credentials file, publishing ends.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alert_message::{AlertIdentity, Kind, Provider, TokenOf};
use alert_send::{Error, Retries, Sender};
use fuzz_input::{Bytes, Corpus, check, soon};
use http_access::{Access, Secret};

const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const FINE: &str = "INFO {\"nonce\":\"n\",\"max_payload\":1048576}\r\nPONG\r\nPONG\r\n";

/// A publisher, and a server that says what it is told to say.
struct Stage {
    runtime: tokio::runtime::Runtime,
    sender: Sender,
    server: String,
    says: Arc<Mutex<Vec<u8>>>,
}

impl Stage {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap().to_string();
        let says = Arc::new(Mutex::new(FINE.as_bytes().to_owned()));
        let said = Arc::clone(&says);
        // It ends with the process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let said = said.lock().unwrap().clone();
                stream.write_all(&said).ok();
                stream.shutdown(Shutdown::Write).ok();
                stream.read_to_end(&mut Vec::new()).ok();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = Sender::new(Retries { limit: 0, ..Retries::default() });
        Self { runtime, sender, server, says }
    }

    fn publish(&self, credentials: &str) -> Result<(), Error> {
        let provider = Provider {
            kind: Kind::Nats,
            address: Secret::new(self.server.as_str()),
            channel: "flux".to_owned(),
            username: String::new(),
            password: Secret::default(),
            token: Secret::default(),
            token_of: TokenOf::default(),
            headers: BTreeMap::new(),
            nats_credentials: Secret::new(credentials),
            nats_seed: Secret::default(),
            status_id: String::new(),
            uid: String::new(),
            alert: AlertIdentity::default(),
        };
        let event = serde_json::json!({"involvedObject": {}, "severity": "info", "message": "",
            "reason": ""});
        let event = serde_json::from_value(event).unwrap();
        let access = Access::default();
        let told = self.sender.tell(&provider, &event, &access, Duration::from_mins(1));
        soon(|| self.runtime.block_on(told))
    }
}

#[test]
fn servers_that_are_nearly_right() {
    let stage = Stage::new();
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
    let stage = Stage::new();
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
