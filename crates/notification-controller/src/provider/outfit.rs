//! A Provider with all that its Secrets say.

use std::time::Duration;

use alert_message::{AlertIdentity, Class, Kind};
use crd_types::notification::{Alert, Provider};
use http_access::{Access, Proxy};
use kube::ResourceExt as _;
use secret_text::Secret;

use super::token::{self, Unclear, Wanted};
use crate::context::Context;
use crate::secrets::{self, Error as SecretError, Found};

/// The longest address, in bytes.
const ADDRESS_BYTES: usize = 2048;
/// How long telling it may take, if it does not say.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Who is told, and how.
pub(crate) struct Outfit {
    pub(crate) provider: alert_message::Provider,
    pub(crate) access: Access,
    pub(crate) timeout: Duration,
    /// The token that it still needs.
    pub(crate) wanted: Option<Wanted>,
}

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("failed to get TLS config")]
    Tls(#[source] SecretError),
    #[error(transparent)]
    Token(#[from] Unclear),
}

/// The Secrets that a Provider refers to.
#[derive(Debug, Default)]
struct Secrets {
    main: Option<Found>,
    proxy: Option<Found>,
    certificate: Option<Found>,
}

/// Reads the Secrets of a Provider.
///
/// # Errors
/// If one cannot be read, or says something that cannot be.
pub(crate) async fn outfit(
    provider: &Provider,
    kind: Kind,
    alert: &Alert,
    status_id: String,
    ctx: &Context,
) -> Result<Outfit, Error> {
    let client = &ctx.runtime.client;
    let (spec, namespace) = (&provider.spec, provider.namespace().unwrap_or_default());
    let mut secrets = Secrets::default();
    for (reference, place) in [
        (&spec.secret_ref, &mut secrets.main),
        (&spec.proxy_secret_ref, &mut secrets.proxy),
        (&spec.cert_secret_ref, &mut secrets.certificate),
    ] {
        if let Some(reference) = reference {
            *place = Some(secrets::read(client, &namespace, &reference.name).await?);
        }
    }
    let mut outfit = dressed(provider, kind, alert, status_id, &secrets)?;
    let channel = &mut outfit.provider.channel;
    if kind == Kind::AzureEventHub && !channel.contains(".servicebus.") {
        channel.push_str(ctx.settings.event_hubs);
    }
    Ok(outfit)
}

fn dressed(
    provider: &Provider,
    kind: Kind,
    alert: &Alert,
    status_id: String,
    secrets: &Secrets,
) -> Result<Outfit, Error> {
    let spec = &provider.spec;
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut dressed = alert_message::Provider {
        channel: given(&spec.channel),
        username: given(&spec.username),
        status_id,
        uid: provider.uid().unwrap_or_default(),
        alert: AlertIdentity {
            name: alert.name_any(),
            namespace: alert.namespace().unwrap_or_default(),
            uid: alert.uid().unwrap_or_default(),
        },
        ..alert_message::Provider::new(kind, given(&spec.address))
    };
    let proxy = spec.proxy.clone().map(|url| Proxy { url, login: None });
    let mut access = Access { proxy, ..Access::default() };
    if let Some(secret) = &secrets.main {
        if let Some(address) = secret.text("address") {
            if address.len() > ADDRESS_BYTES {
                return Err(SecretError::LongAddress { limit: ADDRESS_BYTES }.into());
            }
            dressed.address = Secret::new(address.trim());
        }
        if let Some(url) = secret.text("proxy") {
            access.proxy = Some(Proxy { url: url.trim().to_owned(), login: None });
        }
        dressed.headers = secret.headers()?;
        dressed.nats_credentials = secret.secret("creds");
        dressed.nats_seed = secret.secret("nkey");
        // Flux: what of a login or a certificate is there by half hides the token, too.
        if let (Ok(login), Ok(_)) = (secret.login(), secret.tls(&mut Access::default())) {
            dressed.token = secret.secret("token");
            if let Some(login) = login {
                (dressed.username, dressed.password) = (login.username, login.password);
            }
        }
    }
    if let Some(secret) = &secrets.proxy {
        let no_address = || SecretError::NoProxyAddress { secret: secret.name.clone() };
        let url = secret.text("address").filter(|url| !url.is_empty()).ok_or_else(no_address)?;
        access.proxy = Some(Proxy { url, login: secret.login()? });
    }
    match (&secrets.certificate, &secrets.main) {
        (Some(secret), _) => {
            if !secret.tls(&mut access).map_err(Error::Tls)? {
                return Err(Error::Tls(SecretError::NoTls { secret: secret.name.clone() }));
            }
        }
        (None, Some(secret)) if kind.class() == Class::CommitStatus => {
            // Flux: the certificates are of one piece with the login, so half of that is in the way.
            secret.login().and_then(|_login| secret.tls(&mut access)).map_err(Error::Tls)?;
        }
        (None, _) => {}
    }
    let timeout = spec.timeout.as_ref().and_then(|timeout| timeout.to_duration().ok());
    let timeout = timeout.and_then(|timeout| Duration::try_from(timeout).ok());
    let names_account = spec.service_account_name.as_ref().is_some_and(|name| !name.is_empty());
    let wanted = token::wanted(&dressed, names_account, secrets.main.as_ref())?;
    Ok(Outfit { provider: dressed, access, timeout: timeout.unwrap_or(TIMEOUT), wanted })
}

#[cfg(test)]
mod tests {
    use crd_types::notification::{AlertSpec, ProviderSpec};

    use super::*;
    use crate::secrets::found;

    fn dress(spec: ProviderSpec, kind: Kind, secrets: &Secrets) -> Result<Outfit, Error> {
        let alert = Alert::new("a", AlertSpec::default());
        dressed(&Provider::new("p", spec), kind, &alert, String::new(), secrets)
    }

    fn spec() -> ProviderSpec {
        ProviderSpec {
            address: Some("http://spec".to_owned()),
            username: Some("spec".to_owned()),
            proxy: Some("http://proxy.spec".to_owned()),
            ..ProviderSpec::default()
        }
    }

    #[test]
    fn a_secret_overrides_what_the_provider_says() {
        let main = found(&[
            ("address", " https://secret/path\n"),
            ("username", "bob"),
            ("password", "pw"),
            ("token", "tok"),
            ("proxy", "http://proxy.secret"),
            ("headers", "X-A: b"),
        ]);
        let secrets = Secrets { main: Some(main), ..Secrets::default() };
        let outfit = dress(spec(), Kind::Generic, &secrets).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(outfit.provider.address.expose(), "https://secret/path");
        assert_eq!((outfit.provider.username.as_str(), outfit.timeout), ("bob", TIMEOUT));
        assert_eq!(outfit.provider.token.expose(), "tok");
        assert_eq!(outfit.access.proxy.as_ref().unwrap().url, "http://proxy.secret");
        let proxy = found(&[("address", "http://p"), ("username", "u"), ("password", "p")]);
        let secrets = Secrets { proxy: Some(proxy), ..secrets };
        let outfit = dress(spec(), Kind::Generic, &secrets).unwrap_or_else(|e| panic!("{e}"));
        let proxy = outfit.access.proxy.unwrap();
        assert!(proxy.url == "http://p" && proxy.login.is_some());
    }

    #[test]
    fn half_a_login_hides_the_token_and_certificates_must_be_there() {
        let main = Some(found(&[("username", "bob"), ("token", "tok")]));
        let secrets = Secrets { main, ..Secrets::default() };
        let outfit = dress(spec(), Kind::Generic, &secrets).unwrap_or_else(|e| panic!("{e}"));
        assert!(outfit.provider.token.is_empty() && outfit.provider.username == "spec");
        let certificate = Some(found(&[("token", "t")]));
        let secrets = Secrets { certificate, ..Secrets::default() };
        assert!(matches!(
            dress(spec(), Kind::Generic, &secrets),
            Err(Error::Tls(SecretError::NoTls { .. }))
        ));
        let long = "x".repeat(ADDRESS_BYTES + 1);
        let main = Some(found(&[("address", &long)]));
        let secrets = Secrets { main, ..Secrets::default() };
        assert!(matches!(
            dress(spec(), Kind::Generic, &secrets),
            Err(Error::Secret(SecretError::LongAddress { .. }))
        ));
    }

    #[test]
    fn commit_statuses_take_certificates_from_the_one_secret() {
        for (kind, has_ca) in [(Kind::Gitea, true), (Kind::Slack, false)] {
            let main = Some(found(&[("ca.crt", "pem")]));
            let secrets = Secrets { main, ..Secrets::default() };
            let outfit = dress(spec(), kind, &secrets).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(outfit.access.ca_pem.is_some(), has_ca);
        }
        let main = Some(found(&[("username", "bob"), ("token", "tok")]));
        let secrets = Secrets { main, ..Secrets::default() };
        assert!(matches!(
            dress(spec(), Kind::Gitea, &secrets),
            Err(Error::Tls(SecretError::HalfLogin { .. }))
        ));
    }
}
