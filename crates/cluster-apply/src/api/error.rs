//! How the API server says no, or nothing.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::address::NameError;
use crate::federation::TokenError;

/// Why the API server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It said no.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// It did not answer.
    #[error("cannot reach the API server")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no token to be shown to it.
    #[error("cannot log in to the API server")]
    Login(#[source] Box<TokenError>),
    /// The answer broke off or was too long.
    #[error("cannot read the answer of the API server")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took longer than it may.
    #[error("no answer from the API server within {}s", .0.as_secs())]
    TimedOut(Duration),
    /// The answer is not what such a request is answered with.
    #[error("cannot understand the answer of the API server")]
    Malformed(#[source] serde_json::Error),
    /// The request could not be put together.
    #[error("cannot form the request")]
    Request(#[source] http::Error),
    /// A name would change the address of the request.
    #[error(transparent)]
    Name(#[from] NameError),
    /// This process may not write any more: another one has taken over.
    #[error("no longer the leader: nothing is written")]
    Fenced,
}

/// How the API server says no: the parts of a `Status` that mean something to us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// One word for machines: `Invalid`, `Conflict`, `NotFound`. May be empty.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// What is wrong with which field.
    pub details: Details,
    /// When to ask again, if the server is only too busy.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// What a refusal is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Details {
    /// What is wrong with which field.
    pub causes: Vec<Cause>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// One word for machines: `FieldValueInvalid`, `FieldManagerConflict`.
    pub reason: String,
    /// A sentence for people. May quote the value.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

impl ApiError {
    /// Whether the thing asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 404)
    }

    /// Whether somebody else changed the object in the meantime.
    pub fn is_conflict(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 409)
    }

    /// Whether it passes by itself: the API server or a webhook behind it was not there.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Interrupted(_) | Self::TimedOut(_) => true,
            Self::Refused(refusal) => matches!(refusal.code, 429 | 500 | 502 | 503 | 504),
            Self::Login(_)
            | Self::Malformed(_)
            | Self::Request(_)
            | Self::Name(_)
            | Self::Fenced => false,
        }
    }

    /// What the API server said, if it said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The machine-readable reason; empty if there is none.
    pub(crate) fn reason(&self) -> &str {
        self.refusal().map_or("", |refusal| refusal.reason.as_str())
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        let kube::Error::Api(status) = error else { return unreachable(error) };
        let kube::core::Status { code, reason, message, .. } = *status;
        Self::Refused(Box::new(Refusal { code, reason, message, ..Refusal::default() }))
    }
}

/// The client wraps what happened into an error that repeats it.
pub(super) fn unreachable(error: kube::Error) -> ApiError {
    ApiError::Unreachable(match error {
        kube::Error::Service(cause) => cause,
        kube::Error::HyperError(cause) => Box::new(cause),
        other => Box::new(other),
    })
}

/// Reads how the server said no. What is no `Status` comes from something in between.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let mut refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    refusal.code = status.as_u16();
    if refusal.message.is_empty() {
        // Flux: the words of client-go for an answer that is no Status.
        refusal.message = match status {
            StatusCode::NOT_FOUND => "the server could not find the requested resource".to_owned(),
            other => format!("the server answered {other}"),
        };
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_reason_message_and_causes() {
        let body = br#"{"kind":"Status","reason":"Invalid","message":"no","details":{"causes":
            [{"reason":"FieldValueInvalid","message":"bad","field":"spec"}]}}"#;
        let read = refusal(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!((read.code, read.reason.as_str()), (422, "Invalid"));
        assert_eq!(read.details.causes[0].field, "spec");
        let page = refusal(StatusCode::NOT_FOUND, b"404 page not found\n");
        assert_eq!(page.message, "the server could not find the requested resource");
    }
}
