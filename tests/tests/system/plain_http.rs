//! HTTP by hand: a client would be a big dependency, and would not send what is wrong.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header, whose name is written in small letters.
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(name, value)| (name.to_ascii_lowercase() == wanted).then_some(value))
    }
}

/// Asks for a URL with these headers and this JSON.
pub(crate) async fn ask(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer> {
    let rest = url.strip_prefix("http://").context("no http")?;
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (headers, length) = (headers.concat(), body.len());
    // Of version 1.0, so that the answer comes in one piece.
    let request = format!(
        "{method} /{path} HTTP/1.0\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    // A server may answer before it has read everything.
    let sent = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let parted = answer.split_once("\r\n\r\n");
    let (head, body) = parted.with_context(|| format!("{sent:?}, {read:?}: `{answer}`"))?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
