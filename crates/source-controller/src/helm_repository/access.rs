//! From the Secrets that an object refers to, to how its repository is reached.

use std::{sync::Arc, time::Duration};

use chart_repository::{InvalidUrl, Repository};
use crd_types::{reasons, source::HelmRepository};
use http_access::{Access, Client, Clients, InvalidAccess, Login};
use kube::ResourceExt as _;
use tokio::time::Instant;

pub(crate) use super::kind::{is_oci, timeout};
use crate::{
    context::Context,
    source::secrets::{self, Found},
};

/// How a repository is reached, and by whom.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) access: Access,
    pub(crate) login: Option<Login>,
    pub(crate) pass_credentials: bool,
    pub(crate) timeout: Duration,
    /// The Secret that `spec.secretRef` names.
    pub(crate) secret: Option<Found>,
    clients: Arc<Clients>,
}

/// Why a repository cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to get TLS authentication secret '{secret}'")]
    TlsSecret {
        secret: String,
        #[source]
        source: secrets::Error,
    },
    #[error("failed to construct Helm client's TLS config")]
    Tls(#[source] secrets::Error),
    #[error("failed to construct Helm client's TLS config")]
    Client(#[source] InvalidAccess),
    #[error("failed to get authentication secret '{secret}'")]
    Secret {
        secret: String,
        #[source]
        source: secrets::Error,
    },
    #[error("failed to detect authentication methods")]
    Methods(#[source] secrets::Error),
    #[error("invalid Helm repository URL")]
    Url(#[source] InvalidUrl),
    #[error("failed to construct Helm client")]
    Scheme(#[source] InvalidUrl),
}

impl Error {
    /// The reason of conditions and events.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::TlsSecret { .. }
            | Self::Tls(_)
            | Self::Client(_)
            | Self::Secret { .. }
            | Self::Methods(_) => reasons::AUTHENTICATION_FAILED,
            Self::Url(_) => reasons::URL_INVALID,
            Self::Scheme(_) => reasons::FAILED,
        }
    }

    /// Whether only an edit of the object helps.
    pub(crate) const fn needs_edit(&self) -> bool {
        matches!(self, Self::Url(_) | Self::Scheme(_))
    }
}

/// Reads the Secrets that the object refers to.
///
/// # Errors
/// If one is missing or holds something unusable.
pub(crate) async fn resolve(repository: &HelmRepository, ctx: &Context) -> Result<Reach, Error> {
    let namespace = repository.namespace().unwrap_or_default();
    let spec = &repository.spec;
    let mut access = Access::default();
    let (mut login, mut secret) = (None, None);
    if let Some(reference) = &spec.secret_ref {
        let name = format!("{namespace}/{}", reference.name);
        let found = secrets::read(&namespace, &reference.name, ctx)
            .await
            .map_err(|source| Error::Secret { secret: name, source })?;
        if !is_oci(repository) {
            login = found.login().map_err(Error::Methods)?;
            found.tls(&mut access).map_err(Error::Methods)?;
        }
        secret = Some(found);
    }
    if let Some(reference) = &spec.cert_secret_ref {
        let name = format!("{namespace}/{}", reference.name);
        let found = secrets::read(&namespace, &reference.name, ctx)
            .await
            .map_err(|source| Error::TlsSecret { secret: name, source })?;
        // It wins over what the other Secret has.
        access = Access::default();
        found.only_tls(&mut access).map_err(Error::Tls)?;
    }
    let pass_credentials = spec.pass_credentials;
    let clients = Arc::clone(&ctx.clients);
    Ok(Reach { access, login, pass_credentials, timeout: timeout(repository), secret, clients })
}

impl Reach {
    /// Nobody in particular, for repositories that no object describes.
    pub(crate) fn anonymous(ctx: &Context) -> Self {
        Self {
            access: Access::default(),
            login: None,
            pass_credentials: false,
            timeout: Duration::from_mins(1),
            secret: None,
            clients: Arc::clone(&ctx.clients),
        }
    }

    /// When an operation that begins now must be over.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// What asks.
    ///
    /// # Errors
    /// If a certificate cannot be used.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        self.clients.client(&self.access).map_err(Error::Client)
    }

    /// The repository at `url`.
    ///
    /// # Errors
    /// If the URL or a certificate cannot be used.
    pub(crate) fn repository(&self, url: &str) -> Result<Repository, Error> {
        let client = self.client()?;
        Repository::new(url, client, self.login.clone(), self.pass_credentials).map_err(|error| {
            match error {
                InvalidUrl::Syntax { .. } | InvalidUrl::Oci => Error::Url(error),
                InvalidUrl::Scheme { .. } => Error::Scheme(error),
            }
        })
    }
}
