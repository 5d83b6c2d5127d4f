//! Length-prefixed lines.

use bytes::{Buf as _, Bytes, BytesMut};
use http_access::Cause;

use crate::{
    error::{Error, quoted},
    http::Body,
};

/// One line, or one of the three marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A line as it came; it may end in a line feed.
    Data(Bytes),
    /// The end of a message.
    Flush,
    /// The end of a section.
    Delimiter,
    /// The end of a response.
    ResponseEnd,
}

/// The lines of an answer, as they come.
#[derive(Debug)]
pub(crate) struct Packets {
    body: Body,
    buffer: BytesMut,
    left_bytes: u64,
    what: &'static str,
    limit_bytes: u64,
}

const LENGTH_DIGITS: usize = 4;
const MAX_PACKET: usize = 65520;

impl Packets {
    /// Reads `body`, of which `what` may be `limit_bytes` long.
    pub(crate) fn new(body: Body, what: &'static str, limit_bytes: u64) -> Self {
        Self { body, buffer: BytesMut::new(), left_bytes: limit_bytes, what, limit_bytes }
    }

    /// The next line; none at the end of the answer. What the server calls an error is one here.
    pub(crate) async fn next(&mut self) -> Result<Option<Packet>, Error> {
        if !self.fill(LENGTH_DIGITS).await? {
            return if self.buffer.is_empty() { Ok(None) } else { Err(closed()) };
        }
        let length = std::str::from_utf8(&self.buffer[..LENGTH_DIGITS])
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .ok_or(Error::Protocol { what: "a line has no length" })?;
        let packet = match length {
            0 => Packet::Flush,
            1 => Packet::Delimiter,
            2 => Packet::ResponseEnd,
            3 => return Err(impossible()),
            length if length > MAX_PACKET => return Err(impossible()),
            length => {
                if !self.fill(length).await? {
                    return Err(closed());
                }
                let mut line = self.buffer.split_to(length).freeze();
                line.advance(LENGTH_DIGITS);
                if let Some(message) = line.strip_prefix(b"ERR ") {
                    return Err(Error::Remote { message: quoted(message.trim_ascii_end()) });
                }
                return Ok(Some(Packet::Data(line)));
            }
        };
        self.buffer.advance(LENGTH_DIGITS);
        Ok(Some(packet))
    }

    /// The next line, where the answer must not end.
    pub(crate) async fn expect(&mut self) -> Result<Packet, Error> {
        self.next().await?.ok_or_else(closed)
    }

    /// Makes sure that `length` bytes are there; false if the answer ends before.
    async fn fill(&mut self, length: usize) -> Result<bool, Error> {
        while self.buffer.len() < length {
            let Some(chunk) = self.body.chunk().await? else {
                return Ok(false);
            };
            self.left_bytes = self.left_bytes.checked_sub(chunk.len() as u64).ok_or_else(|| {
                Error::TooLarge { what: self.what, limit: format!("{} bytes", self.limit_bytes) }
            })?;
            self.buffer.extend_from_slice(&chunk);
        }
        Ok(true)
    }
}

impl Packet {
    /// The line without its line feed; none for a mark.
    pub(crate) fn line(&self) -> Option<&[u8]> {
        match self {
            Self::Data(line) => Some(line.strip_suffix(b"\n").unwrap_or(line)),
            Self::Flush | Self::Delimiter | Self::ResponseEnd => None,
        }
    }
}

/// Appends a line to a message.
pub(super) fn push(message: &mut Vec<u8>, line: &str) {
    // The line feed is wanted by the oldest servers.
    message.extend_from_slice(format!("{:04x}{line}\n", line.len() + LENGTH_DIGITS + 1).as_bytes());
}

/// Appends the end of a section.
pub(super) fn push_delimiter(message: &mut Vec<u8>) {
    message.extend_from_slice(b"0001");
}

/// Appends the end of a message.
pub(super) fn push_flush(message: &mut Vec<u8>) {
    message.extend_from_slice(b"0000");
}

fn impossible() -> Error {
    Error::Protocol { what: "a line has an impossible length" }
}

fn closed() -> Error {
    Error::Read(Cause::Closed)
}
