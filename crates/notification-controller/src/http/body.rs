//! Bodies of requests, up to a cap for each and one for all.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Limits;

/// The memory that bodies may take.
#[derive(Debug)]
pub(super) struct Room {
    limits: Limits,
    left: Semaphore,
}

/// A body, and the room that it takes.
pub(super) struct Whole<'r> {
    pub(super) bytes: Bytes,
    _room: Option<SemaphorePermit<'r>>,
}

impl Room {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, left: Semaphore::new(limits.bodies) }
    }

    /// Reads a body, or says what to answer.
    ///
    /// # Errors
    /// 413 if it is too large, 400 if it breaks off or takes too long, 503 if there is no room.
    pub(super) async fn read(&self, body: Incoming) -> Result<Whole<'_>, StatusCode> {
        let announced = usize::try_from(body.size_hint().lower());
        if announced.is_ok_and(|announced| announced > self.limits.body) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let read = tokio::time::timeout(self.limits.body_timeout, self.collect(body)).await;
        read.unwrap_or(Err(StatusCode::BAD_REQUEST))
    }

    async fn collect(&self, mut body: Incoming) -> Result<Whole<'_>, StatusCode> {
        let mut bytes = BytesMut::new();
        let mut taken: Option<SemaphorePermit<'_>> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_broken| StatusCode::BAD_REQUEST)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if bytes.len() + chunk.len() > self.limits.body {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            bytes.extend_from_slice(&chunk);
            // Small bodies never have to wait for large ones.
            let has = taken.as_ref().map_or(0, SemaphorePermit::num_permits);
            let lacks = bytes.len().saturating_sub(self.limits.beginning + has);
            if lacks > 0 {
                let more =
                    u32::try_from(lacks).ok().and_then(|n| self.left.try_acquire_many(n).ok());
                let more = more.ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
                match &mut taken {
                    Some(taken) => taken.merge(more),
                    None => taken = Some(more),
                }
            }
        }
        Ok(Whole { bytes: bytes.freeze(), _room: taken })
    }
}
