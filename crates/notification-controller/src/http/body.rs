//! Bodies of requests, up to a cap for each and one for all.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The largest body, as Flux has it.
const MAX_BYTES: usize = 3 << 20;
/// Limit: bytes of all bodies that are being read or looked at.
const MAX_BYTES_OF_ALL: usize = 128 << 20;
/// How long a sender may take for a request.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The memory that bodies may take.
#[derive(Debug)]
pub(super) struct Room(Semaphore);

impl Default for Room {
    fn default() -> Self {
        Self(Semaphore::new(MAX_BYTES_OF_ALL))
    }
}

/// A body, and the room that it takes.
pub(super) struct Whole<'r> {
    pub(super) bytes: Bytes,
    _room: Option<SemaphorePermit<'r>>,
}

impl Room {
    /// Reads a body, or says what to answer.
    ///
    /// # Errors
    /// 413 if it is too large, 400 if it breaks off or takes too long, 503 if there is no room.
    pub(super) async fn read(&self, body: Incoming) -> Result<Whole<'_>, StatusCode> {
        if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > MAX_BYTES) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let read = tokio::time::timeout(READ_TIMEOUT, self.collect(body)).await;
        read.unwrap_or(Err(StatusCode::BAD_REQUEST))
    }

    async fn collect(&self, mut body: Incoming) -> Result<Whole<'_>, StatusCode> {
        let mut bytes = BytesMut::new();
        let mut taken: Option<SemaphorePermit<'_>> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_broken| StatusCode::BAD_REQUEST)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if bytes.len() + chunk.len() > MAX_BYTES {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            let more =
                u32::try_from(chunk.len()).ok().and_then(|n| self.0.try_acquire_many(n).ok());
            let more = more.ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Whole { bytes: bytes.freeze(), _room: taken })
    }
}
