//! What goes wrong on the way to an API server.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// What a client is answered with in place of the API server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiFault {
    /// It is too busy for anything but watches: 429, to be asked again after a second.
    TooBusy,
    /// It never answers anything but watches, and does not hang up either.
    Mute,
    /// What a watch would begin with is forgotten; the status says so: 410.
    GoneByStatus,
    /// The same, said by the first event of the watch.
    GoneByEvent,
}

impl ApiFault {
    /// The answer to a request, if the fault is about such requests.
    pub(crate) async fn answer(self, is_watch: bool) -> Option<Response> {
        let json = (header::CONTENT_TYPE, "application/json");
        match self {
            Self::TooBusy if !is_watch => {
                let later = (header::RETRY_AFTER, "1");
                let status = status(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests");
                Some((StatusCode::TOO_MANY_REQUESTS, [json, later], status).into_response())
            }
            Self::GoneByStatus if is_watch => {
                let status = status(StatusCode::GONE, "Expired");
                Some((StatusCode::GONE, [json], status).into_response())
            }
            Self::GoneByEvent if is_watch => {
                let status = status(StatusCode::GONE, "Expired");
                let event = format!("{{\"type\":\"ERROR\",\"object\":{status}}}\n");
                Some(([json], event).into_response())
            }
            Self::Mute if !is_watch => std::future::pending().await,
            Self::TooBusy | Self::Mute | Self::GoneByStatus | Self::GoneByEvent => None,
        }
    }
}

fn status(code: StatusCode, reason: &str) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "message": "the test bed says so", "reason": reason, "code": code.as_u16(),
    })
    .to_string()
}
