//! From the Secrets that an object refers to, to how its repository is reached.

use std::collections::BTreeMap;

use crd_types::source::GitRepository;
use git_client::{Access, ClientCertificate, Credentials, Login, Proxy, Secret as Hidden};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, ResourceExt as _};
use reconcile_loop::controller::api_error;

use super::halt::Halt;
use crate::context::Context;

/// Why a Secret cannot be used. Never holds a value of one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    // Flux says it twice.
    #[error("failed to get secret '{secret}': failed to get secret '{secret}': {detail}")]
    Read { secret: String, detail: String },
    #[error("secret '{secret}' not found")]
    ProxyNotFound { secret: String },
    #[error("failed to get secret '{secret}': {detail}")]
    ReadProxy { secret: String, detail: String },
    #[error("secret '{secret}': key 'address' not found")]
    NoAddress { secret: String },
    #[error("secret '{secret}': proxy address is empty")]
    EmptyAddress { secret: String },
    #[error(
        "secret '{secret}': proxy URL must use one of the supported schemes \
         (http, https, socks5), got '{scheme}'"
    )]
    ProxyScheme { secret: String, scheme: String },
    #[error("invalid '{transport}' auth option: 'password' requires 'username' to be set")]
    NoUsername { transport: String },
    #[error("secret '{secret}' contains '{has}' but missing '{lacks}'")]
    HalfCertificate { secret: String, has: &'static str, lacks: &'static str },
    #[error(transparent)]
    Unusable(git_client::InvalidAccess),
}

type Data = BTreeMap<String, ByteString>;

/// Reads the Secrets that the object refers to.
///
/// # Errors
/// If one is missing or holds something unusable.
pub(crate) async fn resolve(repository: &GitRepository, ctx: &Context) -> Result<Access, Halt> {
    let namespace = repository.namespace().unwrap_or_default();
    let spec = &repository.spec;
    let api: Api<Secret> = Api::namespaced(ctx.runtime.client.clone(), &namespace);
    let mut access = Access::default();
    if let Some(reference) = &spec.proxy_secret_ref {
        let secret = format!("{namespace}/{}", reference.name);
        let data = match api.get_opt(&reference.name).await {
            Ok(Some(found)) => found.data.unwrap_or_default(),
            Ok(None) => return Err(Halt::Proxy(Error::ProxyNotFound { secret })),
            Err(error) => {
                let detail = api_error(&error);
                return Err(Halt::Proxy(Error::ReadProxy { secret, detail }));
            }
        };
        access.connection.proxy = Some(proxy(&data, &secret).map_err(Halt::Proxy)?);
    }
    if let Some(reference) = &spec.secret_ref {
        let secret = format!("{namespace}/{}", reference.name);
        let found = api.get(&reference.name).await.map_err(|error| {
            Halt::Secret(Error::Read { secret: secret.clone(), detail: api_error(&error) })
        })?;
        let data = found.data.unwrap_or_default();
        let transport = spec.url.split("://").next().unwrap_or_default();
        access.credentials = credentials(&data, transport).map_err(Halt::Authentication)?;
        access.connection.ca_pem = bytes(&data, "ca.crt").or_else(|| bytes(&data, "caFile"));
        access.connection.client_certificate =
            client_certificate(&data, &secret).map_err(Halt::Authentication)?;
        if bytes(&data, "githubAppID").is_some() {
            return Err(Halt::ForeignGithubApp { secret });
        }
    }
    Ok(access)
}

fn credentials(data: &Data, transport: &str) -> Result<Credentials, Error> {
    // Flux: a token goes before a password; an empty one counts.
    if let Some(token) = data.get("bearerToken") {
        let token = text(&token.0);
        return Ok(if token.is_empty() {
            Credentials::None
        } else {
            Credentials::Bearer(Hidden::new(token))
        });
    }
    let value = |key| data.get(key).map(|value| text(&value.0)).unwrap_or_default();
    let (username, password) = (value("username"), value("password"));
    match (username.is_empty(), password.is_empty()) {
        (true, true) => Ok(Credentials::None),
        (true, false) => Err(Error::NoUsername { transport: transport.to_owned() }),
        (false, _) => Ok(Credentials::Basic { username, password: Hidden::new(password) }),
    }
}

fn client_certificate(data: &Data, secret: &str) -> Result<Option<ClientCertificate>, Error> {
    let half = |has, lacks| Error::HalfCertificate { secret: secret.to_owned(), has, lacks };
    match (bytes(data, "tls.crt"), bytes(data, "tls.key")) {
        (None, None) => Ok(None),
        (Some(certificate_pem), Some(key)) => {
            Ok(Some(ClientCertificate { certificate_pem, key_pem: Hidden::new(text(&key)) }))
        }
        (Some(_), None) => Err(half("tls.crt", "tls.key")),
        (None, Some(_)) => Err(half("tls.key", "tls.crt")),
    }
}

fn proxy(data: &Data, secret: &str) -> Result<Proxy, Error> {
    let secret = secret.to_owned();
    let Some(address) = data.get("address") else { return Err(Error::NoAddress { secret }) };
    let url = text(&address.0);
    if url.is_empty() {
        return Err(Error::EmptyAddress { secret });
    }
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !matches!(scheme, "http" | "https" | "socks5") {
        return Err(Error::ProxyScheme { secret, scheme: scheme.to_owned() });
    }
    let login = data.get("username").map(|username| {
        let password = data.get("password").map(|password| text(&password.0));
        let password = Hidden::new(password.unwrap_or_default());
        Login { username: text(&username.0), password }
    });
    Ok(Proxy { url, login })
}

/// A value that is there and not empty.
fn bytes(data: &Data, key: &str) -> Option<Vec<u8>> {
    data.get(key).map(|value| value.0.clone()).filter(|value| !value.is_empty())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> Data {
        let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
        pairs.iter().map(|(key, value)| ((*key).to_owned(), bytes(value))).collect()
    }

    #[test]
    fn a_token_goes_before_a_password() {
        let both = data(&[("username", "u"), ("password", "p"), ("bearerToken", "t")]);
        assert!(matches!(credentials(&both, "https"), Ok(Credentials::Bearer(_))));
        let name_only = data(&[("username", "u")]);
        assert!(matches!(credentials(&name_only, "https"), Ok(Credentials::Basic { .. })));
        let error = credentials(&data(&[("password", "p")]), "https").unwrap_err();
        let expected = "invalid 'https' auth option: 'password' requires 'username' to be set";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let error = client_certificate(&data(&[("tls.crt", "x")]), "n/s").unwrap_err();
        assert_eq!(error.to_string(), "secret 'n/s' contains 'tls.crt' but missing 'tls.key'");
        assert!(client_certificate(&data(&[]), "n/s").unwrap().is_none());
    }

    #[test]
    fn a_proxy_needs_an_address_of_a_known_scheme() {
        for (pairs, message) in [
            (vec![], "secret 'n/s': key 'address' not found"),
            (vec![("address", "")], "secret 'n/s': proxy address is empty"),
            (
                vec![("address", "ftp://x")],
                "secret 'n/s': proxy URL must use one of the supported schemes \
                 (http, https, socks5), got 'ftp'",
            ),
        ] {
            assert_eq!(proxy(&data(&pairs), "n/s").unwrap_err().to_string(), message);
        }
        let good = data(&[("address", "socks5://p:1080"), ("username", "u")]);
        assert!(proxy(&good, "n/s").is_ok_and(|proxy| proxy.login.is_some()));
    }
}
