//! How a server is reached, and by whom.

use std::{fmt, sync::Arc};

use reqwest::{Certificate, ClientBuilder, Identity, Url};
use secret_text::Secret;

use crate::link_local::Resolver;

/// A user and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// Everything about a connection but the address and the login.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// PEM of certificate authorities that are trusted besides the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// Who we are, to servers that want a certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Through whom we talk.
    pub proxy: Option<Proxy>,
    /// Whether any certificate of the server will do.
    pub trust_anyone: bool,
    /// Whether servers at link-local addresses are left alone: that is where clouds hand out the
    /// credentials of a machine, and no user has a server there.
    pub avoid_link_local: bool,
}

/// A certificate with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM of the certificate and its chain.
    pub certificate_pem: Vec<u8>,
    /// PEM of the key.
    pub key_pem: Secret,
}

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `http://`, `https://` or `socks5://` with host and port.
    pub url: String,
    /// Who we are to the proxy.
    pub login: Option<Login>,
}

/// What of an access cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAccess {
    /// The certificate authorities.
    #[error("failed to parse CA certificate")]
    Ca,
    /// The client certificate or its key.
    #[error("failed to parse TLS certificate and key")]
    ClientCertificate,
    /// The proxy.
    #[error("failed to parse proxy address")]
    Proxy,
    /// The TLS library could not be set up.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The same, for a connection that speaks no HTTP.
    #[error("failed to set up TLS")]
    Tls(#[source] rustls::Error),
}

impl Access {
    /// Whether everybody is reached in this way.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Lets a client connect in this way.
    ///
    /// # Errors
    /// If a certificate, a key or the proxy cannot be used.
    pub fn prepare(&self, builder: ClientBuilder) -> Result<ClientBuilder, InvalidAccess> {
        let mut builder = builder.danger_accept_invalid_certs(self.trust_anyone);
        if self.avoid_link_local {
            builder = builder.dns_resolver(Arc::new(Resolver));
        }
        if let Some(pem) = &self.ca_pem {
            let certificates = Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or(InvalidAccess::Ca)?;
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(own) = &self.client_certificate {
            let mut pem = own.certificate_pem.clone();
            pem.push(b'\n');
            pem.extend_from_slice(own.key_pem.expose().as_bytes());
            let identity =
                Identity::from_pem(&pem).map_err(|_syntax| InvalidAccess::ClientCertificate)?;
            builder = builder.identity(identity);
        }
        if let Some(proxy) = &self.proxy {
            let mut through =
                reqwest::Proxy::all(&proxy.url).map_err(|_syntax| InvalidAccess::Proxy)?;
            if let Some(login) = &proxy.login {
                through = through.basic_auth(&login.username, login.password.expose());
            }
            builder = builder.proxy(through);
        }
        Ok(builder)
    }
}

impl Login {
    /// Takes the user and password out of a URL, if it has them.
    pub fn take_from(url: &mut Url) -> Option<Self> {
        let username = decoded(url.username());
        let password = url.password().map(decoded);
        // Fails only for URLs without a host, which have no login either.
        let _has_host = url.set_username("").and_then(|()| url.set_password(None));
        let password = Secret::new(password.unwrap_or_default());
        (!username.is_empty()).then_some(Self { username, password })
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("trust_anyone", &self.trust_anyone).finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_a_url_is_taken_out_of_it() {
        let mut url = Url::parse("https://me%40here:p%2Fw@example.com/r").unwrap();
        let login = Login::take_from(&mut url).unwrap();
        assert_eq!((login.username.as_str(), login.password.expose()), ("me@here", "p/w"));
        assert_eq!(url.as_str(), "https://example.com/r");
        assert!(Login::take_from(&mut url).is_none());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let login =
            Login { username: "user-canary".into(), password: Secret::new("password-canary") };
        let proxy = Proxy { url: "http://canary".into(), login: Some(login.clone()) };
        let access = Access { proxy: Some(proxy), ..Access::default() };
        assert!(!format!("{access:?} {login:?}").contains("canary"));
    }
}
