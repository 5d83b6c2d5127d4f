//! What sources read from Secrets.

use std::collections::BTreeMap;

use http_access::{Access, ClientCertificate, Login, Secret as Hidden};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::Api;
use reconcile_loop::controller::api_error;

use crate::context::Context;

/// Why a Secret cannot be used. Never holds a value of one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be read. The text is the API server's.
    #[error("{detail}")]
    Read { detail: String },
    #[error("secret '{secret}': malformed basic auth - has '{has}' but missing '{lacks}'")]
    HalfLogin { secret: String, has: &'static str, lacks: &'static str },
    #[error("secret '{secret}' contains '{has}' but missing '{lacks}'")]
    HalfCertificate { secret: String, has: &'static str, lacks: &'static str },
    #[error("secret '{secret}' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'")]
    NoTls { secret: String },
}

/// A Secret that was read.
#[derive(Clone)]
pub(crate) struct Found {
    /// Namespace and name, for messages.
    pub(crate) name: String,
    data: BTreeMap<String, ByteString>,
}

/// Reads a Secret.
///
/// # Errors
/// If there is none, or the API server refuses.
pub(crate) async fn read(namespace: &str, name: &str, ctx: &Context) -> Result<Found, Error> {
    let api: Api<Secret> = Api::namespaced(ctx.runtime.client.clone(), namespace);
    let found = api.get(name).await.map_err(|error| Error::Read { detail: api_error(&error) })?;
    Ok(Found { name: format!("{namespace}/{name}"), data: found.data.unwrap_or_default() })
}

impl Found {
    /// A user with its password, if there is one.
    ///
    /// # Errors
    /// If one is there without the other.
    pub(crate) fn login(&self) -> Result<Option<Login>, Error> {
        let half = |has, lacks| Error::HalfLogin { secret: self.name.clone(), has, lacks };
        match (self.data.get("username"), self.data.get("password")) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                let (username, password) = (text(&username.0), Hidden::new(text(&password.0)));
                Ok(Some(Login { username, password }))
            }
            (Some(_), None) => Err(half("username", "password")),
            (None, Some(_)) => Err(half("password", "username")),
        }
    }

    /// Adds the certificates to `access`, and says whether there were any. The older names of the
    /// keys count where the usual ones are missing.
    ///
    /// # Errors
    /// If there is a certificate without a key, or a key without a certificate.
    pub(crate) fn tls(&self, access: &mut Access) -> Result<bool, Error> {
        let half = |has, lacks| Error::HalfCertificate { secret: self.name.clone(), has, lacks };
        let ca = self.value("ca.crt").or_else(|| self.value("caFile"));
        let pair = match (self.value("tls.crt"), self.value("tls.key")) {
            (None, None) => match (self.value("certFile"), self.value("keyFile")) {
                (None, None) => None,
                (Some(certificate), Some(key)) => Some((certificate, key)),
                (Some(_), None) => return Err(half("certFile", "keyFile")),
                (None, Some(_)) => return Err(half("keyFile", "certFile")),
            },
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return Err(half("tls.crt", "tls.key")),
            (None, Some(_)) => return Err(half("tls.key", "tls.crt")),
        };
        let has_any = ca.is_some() || pair.is_some();
        if let Some(ca) = ca {
            access.ca_pem = Some(ca);
        }
        if let Some((certificate_pem, key)) = pair {
            let key_pem = Hidden::new(text(&key));
            access.client_certificate = Some(ClientCertificate { certificate_pem, key_pem });
        }
        Ok(has_any)
    }

    /// The same for a Secret that is there for its certificates.
    ///
    /// # Errors
    /// As for [`Found::tls`], and if there are none.
    pub(crate) fn only_tls(&self, access: &mut Access) -> Result<(), Error> {
        if self.tls(access)? { Ok(()) } else { Err(Error::NoTls { secret: self.name.clone() }) }
    }

    /// A value that is there and not empty.
    pub(crate) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.data.get(key).map(|value| value.0.clone()).filter(|value| !value.is_empty())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[&str]) -> Found {
        let data = keys.iter().map(|key| ((*key).to_owned(), ByteString(b"x".to_vec()))).collect();
        Found { name: "n/s".to_owned(), data }
    }

    #[test]
    fn a_login_is_whole_or_none() {
        assert!(found(&["username", "password"]).login().unwrap().is_some());
        assert!(found(&[]).login().unwrap().is_none());
        assert_eq!(
            found(&["username"]).login().unwrap_err().to_string(),
            "secret 'n/s': malformed basic auth - has 'username' but missing 'password'"
        );
    }

    #[test]
    fn certificates_have_two_sets_of_names() {
        for keys in [&["tls.crt", "tls.key", "ca.crt"][..], &["certFile", "keyFile", "caFile"]] {
            let mut access = Access::default();
            assert!(found(keys).tls(&mut access).unwrap());
            assert!(access.ca_pem.is_some() && access.client_certificate.is_some());
        }
        let mut access = Access::default();
        let error = found(&["tls.crt"]).tls(&mut access).unwrap_err();
        assert_eq!(error.to_string(), "secret 'n/s' contains 'tls.crt' but missing 'tls.key'");
        assert!(!found(&["username"]).tls(&mut access).unwrap());
        assert_eq!(
            found(&["username"]).only_tls(&mut access).unwrap_err().to_string(),
            "secret 'n/s' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"
        );
    }
}
