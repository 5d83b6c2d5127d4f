//! HTTP by hand: whoever measures a server must not cost more than it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that stays open.
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What came: a start line, headers and a body of known length.
pub(super) struct Message {
    head: String,
    body: Vec<u8>,
}

impl Wire {
    pub(super) async fn open(to: SocketAddr) -> Result<Self> {
        Ok(Self::on(TcpStream::connect(to).await?))
    }

    pub(super) fn on(stream: TcpStream) -> Self {
        // It only costs time.
        drop(stream.set_nodelay(true));
        Self { stream, read: Vec::new() }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// The next message; none if the other end has closed.
    pub(super) async fn next(&mut self) -> Result<Option<Message>> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.more().await? == 0 {
                ensure!(self.read.is_empty(), "the connection broke off");
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let length: usize = length.unwrap_or(0);
        while self.read.len() < end + length {
            ensure!(self.more().await? > 0, "the connection broke off");
        }
        let body = self.read[end..end + length].to_vec();
        self.read.drain(..end + length);
        Ok(Some(Message { head, body }))
    }

    /// Asks for a path; any answer will do.
    pub(super) async fn get(&mut self, path: &str, host: SocketAddr) -> Result<()> {
        self.text(path, host).await.map(drop)
    }

    /// The text at a path.
    pub(super) async fn text(&mut self, path: &str, host: SocketAddr) -> Result<String> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
        let answer = tokio::time::timeout(Duration::from_secs(5), self.next()).await??;
        let answer = answer.context("no answer")?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    async fn more(&mut self) -> Result<usize> {
        Ok(self.stream.read_buf(&mut self.read).await?)
    }
}

impl Message {
    /// The status of an answer.
    pub(super) fn status(&self) -> Option<u16> {
        self.head.get(9..12)?.parse().ok()
    }
}
