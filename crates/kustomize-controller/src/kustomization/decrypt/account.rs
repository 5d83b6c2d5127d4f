//! The service account whose identity clouds and vaults are shown.

use std::sync::Arc;

use crd_types::kustomize::Kustomization;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::ConfigMap;
use key_services::{Identity, IdentityError, Secret, ServiceAccount};
use kube::{Api, Client, ResourceExt as _};
use reconcile_loop::controller::api_error;

use crate::context::Context;
use crate::settings::{Ambient, VaultConfig};

const AWS_ROLE: &str = "eks.amazonaws.com/role-arn";
const AZURE_CLIENT: &str = "azure.workload.identity/client-id";
const AZURE_TENANT: &str = "azure.workload.identity/tenant-id";

/// The identity of an object: its service account, or else the controller's own.
pub(super) struct Account {
    client: Client,
    /// None for the controller's own identity.
    named: Option<ServiceAccount>,
    ambient: Arc<Ambient>,
    vault: Option<VaultConfig>,
}

impl Account {
    pub(super) fn of(ks: &Kustomization, ctx: &Context) -> Self {
        let settings = &ctx.settings;
        let (client, namespace) = (&ctx.runtime.client, ks.namespace().unwrap_or_default());
        let own = ks.spec.decryption.as_ref().and_then(|it| it.service_account_name.clone());
        let named = match (own, settings.default_decryption_service_account.clone()) {
            (Some(name), _) => Some(ServiceAccount::named(client.clone(), namespace, name)),
            (None, Some(name)) => Some(ServiceAccount::default_of(client.clone(), namespace, name)),
            (None, None) => None,
        };
        Self {
            client: client.clone(),
            named,
            ambient: Arc::clone(&settings.ambient),
            vault: settings.sops_vault_config.clone(),
        }
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
            .map_err(|error| IdentityError::Unreadable {
                what: format!("ConfigMap '{}/{}'", vault.namespace, vault.name),
                message: api_error(&error),
            })?
            .data
            .and_then(|data| yaml::parse(data.get("config.yaml")?.as_bytes()).ok());
        let instances = trusted.as_ref().and_then(|config| config["instances"].as_array());
        let instance = instances.into_iter().flatten().find(|it| it["address"] == address);
        let path = instance.and_then(|it| it["loginPath"].as_str());
        path.map(ToOwned::to_owned)
            .ok_or_else(|| IdentityError::Untrusted { address: address.to_owned() })
    }
}

/// What the annotation of a service account says.
async fn annotation(
    account: &ServiceAccount,
    annotation: &'static str,
) -> Result<String, IdentityError> {
    let mut said = account.annotations().await?;
    let missing = || IdentityError::Annotation { account: account.path(), annotation };
    said.remove(annotation).ok_or_else(missing)
}

impl Identity for Account {
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Secret, IdentityError>> {
        Box::pin(async move {
            match &self.named {
                Some(account) => Ok(account.token(audience).await?),
                None => self.ambient.token(audience).await,
            }
        })
    }

    fn aws_role(&self) -> BoxFuture<'_, Result<String, IdentityError>> {
        Box::pin(async move {
            match &self.named {
                Some(account) => annotation(account, AWS_ROLE).await,
                None => self.ambient.aws_role(),
            }
        })
    }

    fn azure_client(&self) -> BoxFuture<'_, Result<(String, String), IdentityError>> {
        Box::pin(async move {
            match &self.named {
                Some(account) => Ok((
                    annotation(account, AZURE_TENANT).await?,
                    annotation(account, AZURE_CLIENT).await?,
                )),
                None => self.ambient.azure_client(),
            }
        })
    }

    fn google_account(&self) -> Option<&ServiceAccount> {
        self.named.as_ref()
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
