//! What is read from Secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use http_access::{Access, ClientCertificate, Login};
use k8s_openapi::api::core::v1::Secret as Object;
use kube::{Api, Client};
use reconcile_loop::controller::api_error;
use secret_text::Secret;
use serde_json::Value;

/// How long the API server may take for one.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a Secret cannot be used. Never holds a value of one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be read. The text is the API server's.
    #[error("failed to get secret '{secret}': {detail}")]
    Read { secret: String, detail: String },
    #[error("secret '{secret}': malformed basic auth - has '{has}' but missing '{lacks}'")]
    HalfLogin { secret: String, has: &'static str, lacks: &'static str },
    #[error("secret '{secret}' contains '{has}' but missing '{lacks}'")]
    HalfCertificate { secret: String, has: &'static str, lacks: &'static str },
    #[error("secret '{secret}' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'")]
    NoTls { secret: String },
    #[error("invalid address in secret: address exceeds maximum length of {limit} bytes")]
    LongAddress { limit: usize },
    #[error("failed to read headers from secret: they are no map of texts")]
    Headers,
    #[error("failed to get proxy URL: secret '{secret}': key 'address' not found")]
    NoProxyAddress { secret: String },
}

/// A Secret that was read.
#[derive(Clone)]
pub(crate) struct Found {
    /// Namespace and name, for messages.
    pub(crate) name: String,
    data: BTreeMap<String, Vec<u8>>,
}

/// Reads a Secret.
///
/// # Errors
/// If there is none, or the API server refuses.
pub(crate) async fn read(client: &Client, namespace: &str, name: &str) -> Result<Found, Error> {
    let secret = format!("{namespace}/{name}");
    let api: Api<Object> = Api::namespaced(client.clone(), namespace);
    let detail = match tokio::time::timeout(TIMEOUT, api.get(name)).await {
        Ok(Ok(found)) => {
            let data = found.data.unwrap_or_default();
            let data = data.into_iter().map(|(key, value)| (key, value.0)).collect();
            return Ok(Found { name: secret, data });
        }
        Ok(Err(error)) => api_error(&error),
        Err(_elapsed) => "the API server did not answer in time".to_owned(),
    };
    Err(Error::Read { secret, detail })
}

impl Found {
    /// A value as text, empty or not.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.data.get(key).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// A value that must not be printed; empty if it is not there.
    pub(crate) fn secret(&self, key: &str) -> Secret {
        Secret::new(self.text(key).unwrap_or_default())
    }

    /// A user with its password, if there is one.
    ///
    /// # Errors
    /// If one is there without the other.
    pub(crate) fn login(&self) -> Result<Option<Login>, Error> {
        let half = |has, lacks| Error::HalfLogin { secret: self.name.clone(), has, lacks };
        match (self.text("username"), self.text("password")) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                Ok(Some(Login { username, password: Secret::new(password) }))
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
        let ca = self.filled("ca.crt").or_else(|| self.filled("caFile"));
        let mut pair = None;
        for (certificate, key) in [("tls.crt", "tls.key"), ("certFile", "keyFile")] {
            match (self.filled(certificate), self.filled(key)) {
                (None, None) => {}
                (Some(_), None) => return Err(half(certificate, key)),
                (None, Some(_)) => return Err(half(key, certificate)),
                (Some(certificate), Some(key)) => {
                    pair = pair.or(Some((certificate, key)));
                }
            }
        }
        let has_any = ca.is_some() || pair.is_some();
        if let Some(ca) = ca {
            access.ca_pem = Some(ca);
        }
        if let Some((certificate_pem, key)) = pair {
            let key_pem = Secret::new(String::from_utf8_lossy(&key));
            access.client_certificate = Some(ClientCertificate { certificate_pem, key_pem });
        }
        Ok(has_any)
    }

    /// Headers: YAML, names with texts.
    ///
    /// # Errors
    /// If they are anything else.
    pub(crate) fn headers(&self) -> Result<BTreeMap<String, Secret>, Error> {
        let Some(text) = self.data.get("headers") else { return Ok(BTreeMap::new()) };
        // What the parser says quotes what it read.
        let document = yaml::parse(text).map_err(|_quotes| Error::Headers)?;
        let headers: Option<BTreeMap<String, Value>> =
            serde_json::from_value(document).map_err(|_quotes| Error::Headers)?;
        let headers = headers.unwrap_or_default().into_iter();
        headers.map(|(name, value)| Ok((name, Secret::new(scalar(value)?)))).collect()
    }

    fn filled(&self, key: &str) -> Option<Vec<u8>> {
        self.data.get(key).cloned().filter(|value| !value.is_empty())
    }
}

/// Flux: what YAML takes for something else is text again where text is wanted, so that `yes` is
/// `true`.
fn scalar(value: Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(it) => Ok(it.to_string()),
        Value::Number(it) => Ok(it.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => Err(Error::Headers),
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) fn found(data: &[(&str, &str)]) -> Found {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
    Found { name: "n/s".to_owned(), data: data.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_certificates_are_whole_or_none() {
        assert!(found(&[("username", "u"), ("password", "p")]).login().unwrap().is_some());
        assert!(found(&[]).login().unwrap().is_none());
        assert!(found(&[("password", "p")]).login().is_err());
        let mut access = Access::default();
        let old = [("certFile", "c"), ("keyFile", "k"), ("caFile", "a")];
        assert!(found(&old).tls(&mut access).unwrap());
        assert!(access.ca_pem.is_some() && access.client_certificate.is_some());
        assert!(found(&[("tls.crt", "c")]).tls(&mut access).is_err());
        assert!(!found(&[("token", "t")]).tls(&mut access).unwrap());
    }

    #[test]
    fn headers_are_texts_by_name_and_are_not_shown() {
        let headers = found(&[("headers", "X-A: b\nAuthorization: Bearer x\n")]).headers().unwrap();
        assert_eq!(headers["X-A"].expose(), "b");
        let headers = found(&[("headers", "X-A: yes\nX-B: 1\n")]).headers().unwrap();
        assert_eq!((headers["X-A"].expose(), headers["X-B"].expose()), ("true", "1"));
        assert!(found(&[]).headers().unwrap().is_empty());
        for bad in ["[canary]", "canary", "a: [canary", "a: {b: canary}"] {
            let error = found(&[("headers", bad)]).headers().err().unwrap();
            assert!(!format!("{error:?} {error}").contains("canary"), "{bad}");
        }
    }
}
