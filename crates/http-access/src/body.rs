//! An answer, read under a deadline and a cap.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode, Url, header::HeaderMap};
use tokio::time::{Instant, timeout_at};

use crate::cause::Cause;

/// The answer to a request. The bytes are those that were meant, whatever compression carried them.
#[derive(Debug)]
pub struct Body {
    response: Response,
    deadline: Instant,
    idle: Duration,
    left: u64,
    limit: u64,
}

/// Why an answer could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The connection failed.
    #[error(transparent)]
    Transport(#[from] Cause),
    /// There is more of it than we accept.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// What would be accepted.
        limit_bytes: u64,
    },
}

impl Body {
    pub(crate) fn new(response: Response, deadline: Instant, idle: Duration) -> Self {
        Self { response, deadline, idle, left: u64::MAX, limit: u64::MAX }
    }

    /// The same, with a cap on what is still to come.
    #[must_use]
    pub fn limited(self, limit_bytes: u64) -> Self {
        Self { left: limit_bytes, limit: limit_bytes, ..self }
    }

    /// What the server answered.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// If the connection breaks off, the time is over, or it is too much.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ReadError> {
        let silent = Instant::now() + self.idle;
        let chunk = match timeout_at(self.deadline.min(silent), self.response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return Err(Cause::of_read(error).into()),
            Err(_elapsed) if self.deadline <= silent => return Err(Cause::Deadline.into()),
            Err(_elapsed) => return Err(Cause::Silent.into()),
        };
        if let Some(chunk) = &chunk {
            let left = self.left.checked_sub(chunk.len() as u64);
            self.left = left.ok_or(ReadError::TooLarge { limit_bytes: self.limit })?;
        }
        Ok(chunk)
    }

    /// All of it.
    ///
    /// # Errors
    /// As for [`Body::chunk`].
    pub async fn bytes(mut self) -> Result<Bytes, ReadError> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}
