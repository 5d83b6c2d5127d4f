//! Lines of NATS's protocol, as far as a publisher needs them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};

use super::dial::Connection;
use super::error::Fault;

/// Limit: bytes of a line. The longest tells the addresses of all servers of a cluster.
const LINE_BYTES: u64 = 64 << 10;
/// Limit: lines before an answer.
const LINES: usize = 64;

/// How a server introduces itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    /// What a key signs.
    pub(super) nonce: String,
    /// Bytes of the longest message.
    pub(super) max_payload: u64,
    pub(super) tls_required: bool,
    pub(super) tls_available: bool,
}

/// The introduction, which comes unasked.
pub(super) async fn info(connection: &mut Connection) -> Result<Info, Fault> {
    let line = line(connection).await?;
    let (op, info) = line.split_once(' ').ok_or(Fault::NoInfo)?;
    if !op.eq_ignore_ascii_case("INFO") {
        return Err(Fault::NoInfo);
    }
    serde_json::from_str(info).map_err(|_quotes| Fault::NoInfo)
}

/// Logs in. Whether the server minds is known once it answers a ping.
pub(super) async fn connect(
    connection: &mut Connection,
    login: Map<String, Value>,
    is_encrypted: bool,
) -> Result<(), Fault> {
    let mut said = json!({
        "verbose": false,
        "pedantic": false,
        "tls_required": is_encrypted,
        // Flux's, by which servers may know us.
        "name": "NATS Provider Publisher",
        "lang": "rust",
        "version": env!("CARGO_PKG_VERSION"),
        // No news of other servers: there is no reconnecting.
        "protocol": 0,
    });
    if let Value::Object(said) = &mut said {
        said.extend(login);
    }
    send(connection, format!("CONNECT {said}\r\n").as_bytes()).await
}

/// Sends a message.
pub(super) async fn publish(
    connection: &mut Connection,
    subject: &str,
    message: &str,
) -> Result<(), Fault> {
    let said = format!("PUB {subject} {}\r\n{message}\r\n", message.len());
    send(connection, said.as_bytes()).await
}

/// Waits until the server has taken everything that was sent.
pub(super) async fn ping(connection: &mut Connection) -> Result<(), Fault> {
    send(connection, b"PING\r\n").await?;
    for _ in 0..LINES {
        let line = line(connection).await?;
        let (op, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match op.to_ascii_uppercase().as_str() {
            "PONG" => return Ok(()),
            "PING" => send(connection, b"PONG\r\n").await?,
            "-ERR" => return Err(refusal(rest)),
            "+OK" | "INFO" => {}
            _ => return Err(Fault::Unexpected { said: line }),
        }
    }
    Err(Fault::Excess { what: "too many lines before an answer" })
}

fn refusal(said: &str) -> Fault {
    let said = said.trim().trim_matches('\'').to_owned();
    if said.to_ascii_lowercase().starts_with("permissions violation") {
        Fault::Permissions { said }
    } else {
        Fault::Refused { said }
    }
}

async fn send(connection: &mut Connection, said: &[u8]) -> Result<(), Fault> {
    connection.write_all(said).await.map_err(Fault::Broken)?;
    connection.flush().await.map_err(Fault::Broken)
}

/// A line without its end.
async fn line(connection: &mut Connection) -> Result<String, Fault> {
    let mut line = Vec::new();
    let read = connection.take(LINE_BYTES).read_until(b'\n', &mut line).await;
    let read = read.map_err(Fault::Broken)?;
    match line.strip_suffix(b"\n") {
        Some(line) => Ok(String::from_utf8_lossy(line).trim().to_owned()),
        None if read as u64 == LINE_BYTES => Err(Fault::Excess { what: "too long a line" }),
        None => Err(Fault::Closed),
    }
}
