//! Why a request is turned away.

use crate::bounded::InvalidJson;
use crate::hmac_signature::InvalidSignature;
use crate::token::InvalidToken;

/// Why a request is turned away. For the log: the sender is told nothing but that it was.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// The receiver's Secret has an empty token, which everybody knows.
    #[error("the token of the receiver is empty")]
    EmptyToken,
    /// A header that decides is there more than once.
    #[error("the header {header} is there more than once")]
    Repeated {
        /// The header.
        header: &'static str,
    },
    /// A header that decides is not text.
    #[error("the header {header} is not text")]
    NotText {
        /// The header.
        header: &'static str,
    },
    /// The token in a header is not the receiver's.
    #[error("the {header} header value does not match the receiver token")]
    Token {
        /// The header.
        header: &'static str,
    },
    /// The signature of a service is not right.
    #[error("the {service} signature header is invalid")]
    Signature {
        /// The service.
        service: &'static str,
        /// What is wrong with it.
        #[source]
        source: InvalidSignature,
    },
    /// The signature is not right.
    #[error("unable to validate HMAC signature")]
    Hmac(#[from] InvalidSignature),
    /// There is no signature of Nexus.
    #[error("the Nexus signature is missing from header")]
    NexusUnsigned,
    /// The signature of Nexus is not right.
    #[error("invalid Nexus signature")]
    Nexus,
    /// The receiver does not want to know of this event.
    #[error("the {what} {event:?} is not authorised")]
    Event {
        /// The service and its word for it.
        what: &'static str,
        /// The event.
        event: String,
    },
    /// GitHub or Bitbucket sent something that is neither JSON nor a form.
    #[error("webhook request has unsupported Content-Type {content_type:?}")]
    ContentType {
        /// What it is.
        content_type: String,
    },
    /// The form of GitHub or Bitbucket cannot be read.
    #[error("the form has an escape or a separator that is none")]
    Form,
    /// The body is not what the service sends.
    #[error("cannot decode {service} webhook payload")]
    Payload {
        /// The service.
        service: &'static str,
        /// What is wrong with it.
        #[source]
        source: InvalidJson,
    },
    /// Something in the body is not what the service sends.
    #[error("cannot decode {service} webhook payload: {place} is no text")]
    Member {
        /// The service.
        service: &'static str,
        /// Where in the body.
        place: &'static str,
    },
    /// The body is no event of the Continuous Delivery Foundation.
    #[error("unable to validate CDEvent event: {missing} is missing")]
    CdEvent {
        /// What it lacks.
        missing: &'static str,
    },
    /// The sender's token is not right.
    #[error("unable to verify the bearer token")]
    Bearer(#[from] InvalidToken),
}
