//! How a repository is reached, and by whom.

use std::fmt;

use reqwest::Url;

/// A value that must not be printed: it has neither `Debug` nor `Display`.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "what cannot be printed cannot leak")]
pub struct Secret(String);

/// Everything but the address.
#[derive(Clone, Default)]
pub struct Access {
    /// Who we are.
    pub credentials: Credentials,
    /// PEM of certificate authorities that are trusted besides the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// Who we are, to servers that want a certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Through whom we talk.
    pub proxy: Option<Proxy>,
}

/// Who we are.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nobody, or who the URL says.
    #[default]
    None,
    /// Basic authentication; sent over plain http too, as Flux does.
    Basic {
        /// The user.
        username: String,
        /// Its password.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

/// A certificate with its key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// PEM of the certificate and its chain.
    pub certificate_pem: Vec<u8>,
    /// PEM of the key.
    pub key_pem: Secret,
}

/// A proxy.
#[derive(Clone)]
pub struct Proxy {
    /// `http://`, `https://` or `socks5://` with host and port.
    pub url: String,
    /// Who we are to the proxy.
    pub login: Option<(String, Secret)>,
}

/// What of an access cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAccess {
    /// The URL of the repository.
    #[error("cannot parse url")]
    Url,
    /// The URL's scheme.
    #[error("unsupported scheme \"{scheme}\"")]
    Scheme {
        /// What it is.
        scheme: String,
    },
    /// A server that may not be reached.
    #[error(
        "'{host}' is refused: only https to addresses of the public internet, and hosts that are \
         named, are allowed"
    )]
    NotPublic {
        /// Which one.
        host: String,
    },
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
}

impl Secret {
    /// Takes a value in.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Access {
    /// Whether a client that is shared by all repositories serves this one.
    pub(crate) fn is_plain(&self) -> bool {
        self.ca_pem.is_none() && self.client_certificate.is_none() && self.proxy.is_none()
    }
}

impl Credentials {
    /// Takes the user and password of the URL where there are no others, and out of it in any case.
    pub(crate) fn or_from(self, url: &mut Url) -> Self {
        let username = decoded(url.username());
        let password = url.password().map(decoded);
        // Cannot fail: these schemes have a host.
        let _has_host = url.set_username("").and_then(|()| url.set_password(None));
        match self {
            Self::None if !username.is_empty() => {
                Self::Basic { username, password: Secret::new(password.unwrap_or_default()) }
            }
            own @ (Self::None | Self::Basic { .. } | Self::Bearer(_)) => own,
        }
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
        f.debug_struct("Access").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
        })
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
        let mut url = Url::parse("https://me%40here:p%2Fw@example.com/r.git").unwrap();
        let Credentials::Basic { username, password } = Credentials::None.or_from(&mut url) else {
            panic!("no login");
        };
        assert_eq!((username.as_str(), password.expose()), ("me@here", "p/w"));
        assert_eq!(url.as_str(), "https://example.com/r.git");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let access = Access {
            credentials: Credentials::Basic {
                username: "user-canary".into(),
                password: Secret::new("password-canary"),
            },
            ..Access::default()
        };
        assert!(!format!("{access:?}").contains("canary"));
    }
}
