//! How a repository is reached, and by whom.

use std::fmt;

use http_access::{Login, Secret};
use reqwest::Url;

/// Everything but the address.
#[derive(Clone, Default)]
pub struct Access {
    /// Who we are.
    pub credentials: Credentials,
    /// Certificates and the proxy.
    pub connection: http_access::Access,
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
    /// Certificates or the proxy.
    #[error(transparent)]
    Connection(http_access::InvalidAccess),
}

impl Credentials {
    /// Takes the user and password of the URL where there are no others, and out of it in any case.
    pub(crate) fn or_from(self, url: &mut Url) -> Self {
        match (self, Login::take_from(url)) {
            (Self::None, Some(Login { username, password })) => Self::Basic { username, password },
            (own @ (Self::None | Self::Basic { .. } | Self::Bearer(_)), _) => own,
        }
    }
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
