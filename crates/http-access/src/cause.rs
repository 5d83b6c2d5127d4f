//! From the errors of the HTTP library to what Go would have said.

use std::{error::Error as StdError, io};

use reqwest::Url;
use rustls::{CertificateError, Error as TlsError};

/// Why there was no answer, or only a part of one. The words are those of Go's HTTP client.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// Nobody listens.
    #[error("{through}dial tcp {address}: connect: connection refused")]
    Refused {
        /// `proxyconnect tcp: ` or nothing.
        through: &'static str,
        /// Host (as an address) and port.
        address: String,
    },
    /// The name has no address.
    #[error("{through}dial tcp: lookup {host}: no such host")]
    NoSuchHost {
        /// `proxyconnect tcp: ` or nothing.
        through: &'static str,
        /// The name.
        host: String,
    },
    /// Nobody answers.
    #[error("{through}dial tcp {address}: i/o timeout")]
    ConnectTimeout {
        /// `proxyconnect tcp: ` or nothing.
        through: &'static str,
        /// Host (as an address) and port.
        address: String,
    },
    /// The time for the whole operation is over.
    #[error("context deadline exceeded")]
    Deadline,
    /// The server was silent for too long.
    #[error("the server was silent for too long")]
    Silent,
    /// The server ended the connection.
    #[error("EOF")]
    Closed,
    /// We do not trust who signed the server's certificate.
    #[error("tls: failed to verify certificate: x509: certificate signed by unknown authority")]
    UnknownAuthority,
    /// The server's certificate is over, or not valid yet.
    #[error("tls: failed to verify certificate: x509: certificate has expired or is not yet valid")]
    Expired,
    /// The server's certificate is for somebody else.
    #[error("tls: failed to verify certificate: x509: certificate is not valid for {host}")]
    WrongHost {
        /// Whom we wanted to talk to.
        host: String,
    },
    /// Another failure of TLS.
    #[error("tls: handshake failure")]
    Tls(#[source] rustls::Error),
    /// Another failure of the transport.
    #[error("transport failure")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl Cause {
    /// Why a request to `target` (through `proxy`) got no answer. Asks the resolver, so that the message
    /// can name an address.
    pub async fn of(error: reqwest::Error, target: &Url, proxy: Option<&str>) -> Self {
        if let Some(tls) = find::<TlsError>(&error) {
            return Self::of_tls(tls.clone(), target.host_str().unwrap_or_default());
        }
        let proxy = proxy.and_then(|proxy| Url::parse(proxy).ok());
        let (dialled, through) = match &proxy {
            Some(proxy) => (proxy, "proxyconnect tcp: "),
            None => (target, ""),
        };
        if error.is_connect() {
            let timed_out = error.is_timeout() || kind(&error) == Some(io::ErrorKind::TimedOut);
            let refused = kind(&error) == Some(io::ErrorKind::ConnectionRefused);
            match address(dialled).await {
                None => {
                    let host = dialled.host_str().unwrap_or_default().to_owned();
                    return Self::NoSuchHost { through, host };
                }
                Some(address) if refused => return Self::Refused { through, address },
                Some(address) if timed_out => return Self::ConnectTimeout { through, address },
                Some(_) => {}
            }
        }
        Self::of_read(error)
    }

    /// Why TLS with `host` came to nothing.
    pub fn of_tls(error: TlsError, host: &str) -> Self {
        match error {
            TlsError::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => Self::UnknownAuthority,
            TlsError::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => Self::Expired,
            TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Self::WrongHost { host: host.to_owned() },
            other => Self::Tls(other),
        }
    }

    /// Why an answer broke off.
    pub fn of_read(error: reqwest::Error) -> Self {
        match kind(&error) {
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Self::Closed,
            // The URL is said elsewhere, and there without what must not be said.
            Some(_) | None => Self::Other(Box::new(error.without_url())),
        }
    }
}

/// The address that `url` leads to, as Go prints it.
async fn address(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(1080);
    let mut addresses = tokio::net::lookup_host((host, port)).await.ok()?;
    addresses.next().map(|address| address.to_string())
}

fn kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    // The innermost says most: the outer ones are wrappers of kind `Other`.
    let of_one = |error: &(dyn StdError + 'static)| {
        let hyper = error.downcast_ref::<hyper::Error>();
        if hyper.is_some_and(|error| error.is_incomplete_message() || error.is_closed()) {
            return Some(io::ErrorKind::UnexpectedEof);
        }
        error.downcast_ref::<io::Error>().map(io::Error::kind)
    };
    causes(error).filter_map(of_one).last()
}

fn find<E: StdError + 'static>(error: &reqwest::Error) -> Option<&E> {
    causes(error).find_map(|error| error.downcast_ref::<E>())
}

/// The error and what it wraps, outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error| below(*error))
}

fn below<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // An `io::Error` gives as its source not what it wraps, but that one's source.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
