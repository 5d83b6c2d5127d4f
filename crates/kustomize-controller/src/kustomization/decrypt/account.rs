//! The service account whose identity clouds and vaults are shown. Asks the API server for tokens.

use std::sync::Arc;

use crd_types::kustomize::Kustomization;
use futures::future::BoxFuture;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use key_services::{Identity, IdentityError, Secret};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt as _};
use reconcile_loop::controller::api_error;

use crate::context::Context;
use crate::settings::{Ambient, VaultConfig};

const AWS_ROLE: &str = "eks.amazonaws.com/role-arn";
const AZURE_CLIENT: &str = "azure.workload.identity/client-id";
const AZURE_TENANT: &str = "azure.workload.identity/tenant-id";

/// How long a token is good for: it is exchanged at once.
const TOKEN_SECONDS: i64 = 600;

/// The identity of an object: its service account, or else the controller's own.
pub(super) struct Account {
    client: Client,
    /// Namespace and name; none for the controller's own identity.
    named: Option<(String, String)>,
    ambient: Arc<Ambient>,
    vault: Option<VaultConfig>,
}

impl Account {
    pub(super) fn of(ks: &Kustomization, ctx: &Context) -> Self {
        let settings = &ctx.settings;
        let own = ks.spec.decryption.as_ref().and_then(|it| it.service_account_name.clone());
        let name = own.or_else(|| settings.default_decryption_service_account.clone());
        let named = name.map(|name| (ks.namespace().unwrap_or_default(), name));
        Self {
            client: ctx.runtime.client.clone(),
            named,
            ambient: Arc::clone(&settings.ambient),
            vault: settings.sops_vault_config.clone(),
        }
    }

    async fn requested(
        &self,
        (namespace, name): &(String, String),
        audience: &str,
    ) -> Result<Secret, IdentityError> {
        let spec = TokenRequestSpec {
            audiences: vec![audience.to_owned()],
            expiration_seconds: Some(TOKEN_SECONDS),
            bound_object_ref: None,
        };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let answer = api.create_token_request(name, &PostParams::default(), &request).await;
        let token = answer
            .map_err(|error| failed(namespace, name, api_error(&error)))?
            .status
            .map(|status| Secret::new(status.token));
        token.ok_or_else(|| failed(namespace, name, "the answer has none".to_owned()))
    }

    async fn annotation(
        &self,
        (namespace, name): &(String, String),
        annotation: &'static str,
    ) -> Result<String, IdentityError> {
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let account =
            api.get(name).await.map_err(|error| failed(namespace, name, api_error(&error)))?;
        account.annotations().get(annotation).cloned().ok_or_else(|| IdentityError::Annotation {
            account: format!("{namespace}/{name}"),
            annotation,
        })
    }

    async fn login_path(&self, address: &str) -> Result<String, IdentityError> {
        match (&self.vault, &self.named) {
            (Some(vault), Some(_)) => self.instance(vault, address).await,
            _ => Err(IdentityError::None { service: "Vault" }),
        }
    }

    /// The login path of a server that the operator trusts.
    async fn instance(&self, vault: &VaultConfig, address: &str) -> Result<String, IdentityError> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &vault.namespace);
        let trusted = api.get(&vault.name).await;
        let trusted = trusted
            .map_err(|error| failed(&vault.namespace, &vault.name, api_error(&error)))?
            .data
            .and_then(|data| yaml::parse(data.get("config.yaml")?.as_bytes()).ok());
        let instances = trusted.as_ref().and_then(|config| config["instances"].as_array());
        let instance = instances.into_iter().flatten().find(|it| it["address"] == address);
        let path = instance.and_then(|it| it["loginPath"].as_str());
        path.map(ToOwned::to_owned)
            .ok_or_else(|| IdentityError::Untrusted { address: address.to_owned() })
    }
}

fn failed(namespace: &str, name: &str, message: String) -> IdentityError {
    IdentityError::Token { account: format!("{namespace}/{name}"), message }
}

impl Identity for Account {
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Secret, IdentityError>> {
        Box::pin(async move {
            match &self.named {
                Some(account) => self.requested(account, audience).await,
                None => self.ambient.token(audience).await,
            }
        })
    }

    fn aws_role(&self) -> BoxFuture<'_, Result<String, IdentityError>> {
        Box::pin(async move {
            match &self.named {
                Some(account) => self.annotation(account, AWS_ROLE).await,
                None => self.ambient.aws_role(),
            }
        })
    }

    fn azure_client(&self) -> BoxFuture<'_, Result<(String, String), IdentityError>> {
        Box::pin(async move {
            match &self.named {
                Some(account) => Ok((
                    self.annotation(account, AZURE_TENANT).await?,
                    self.annotation(account, AZURE_CLIENT).await?,
                )),
                None => self.ambient.azure_client(),
            }
        })
    }

    fn google_metadata(&self) -> bool {
        self.named.is_none()
    }

    // Flux: without a list, the token of a Secret goes wherever a file says.
    fn vault_admits<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<(), IdentityError>> {
        Box::pin(async move {
            match &self.vault {
                Some(vault) => self.instance(vault, address).await.map(drop),
                None => Ok(()),
            }
        })
    }

    fn vault_login<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<String, IdentityError>> {
        Box::pin(self.login_path(address))
    }
}
