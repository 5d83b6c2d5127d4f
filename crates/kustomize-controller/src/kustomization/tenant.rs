//! Whose rights a Kustomization has, and on which cluster.

use std::sync::Arc;

use cluster_apply::{Cluster, Owner, TenantClient, Trust, chain};
use crd_types::kustomize::Kustomization;
use crd_types::references::SecretKeyReference;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{Api, ResourceExt as _};
use reconcile_loop::controller::api_error;

use super::halt::Halt;
use crate::context::Context;

/// The name that applied objects carry of their Kustomization.
pub(super) fn owner(ks: &Kustomization) -> Owner {
    Owner { namespace: ks.namespace().unwrap_or_default(), name: ks.name_any() }
}

/// The client to apply with: as the service account of the object, on the cluster of its
/// kubeconfig. Reads the Secret of the kubeconfig.
pub(super) async fn client(ks: &Kustomization, ctx: &Context) -> Result<TenantClient, Halt> {
    let cluster = cluster(ks, ctx).await?;
    match service_account(ks, ctx) {
        None => Ok(TenantClient::as_controller(cluster)),
        Some(name) => {
            let namespace = ks.namespace().unwrap_or_default();
            TenantClient::as_service_account(cluster, &namespace, name)
                .map_err(|error| Halt::Client { message: chain(&error) })
        }
    }
}

/// Whether the service account to act as exists in this cluster.
///
/// Flux: asked of the local cluster even if another one is applied to (`CanImpersonate`).
///
/// # Errors
/// With the message of the API server, if it could not be asked.
pub(super) async fn exists(ks: &Kustomization, ctx: &Context) -> Result<bool, String> {
    let Some(name) = service_account(ks, ctx) else { return Ok(true) };
    let namespace = ks.namespace().unwrap_or_default();
    let api: Api<ServiceAccount> = Api::namespaced(ctx.runtime.client.clone(), &namespace);
    let found = api.get_opt(name).await.map_err(|error| api_error(&error))?;
    Ok(found.is_some())
}

fn service_account<'a>(ks: &'a Kustomization, ctx: &'a Context) -> Option<&'a str> {
    let own = ks.spec.service_account_name.as_deref().filter(|name| !name.is_empty());
    own.or(ctx.settings.default_service_account.as_deref())
}

async fn cluster(ks: &Kustomization, ctx: &Context) -> Result<Arc<Cluster>, Halt> {
    let Some(reference) = &ks.spec.kube_config else { return Ok(ctx.clusters.local()) };
    let secret = match (&reference.secret_ref, &reference.config_map_ref) {
        (Some(secret), _) => secret,
        (None, Some(config_map)) => return federated(ks, &config_map.name, ctx).await,
        (None, None) => {
            let message = "invalid .spec.kubeConfig, neither .spec.kubeConfig.provider nor \
                           .spec.kubeConfig.secretRef is set";
            return Err(Halt::Client { message: message.to_owned() });
        }
    };
    let kubeconfig = kubeconfig(ks, secret, ctx).await?;
    let trust = Trust {
        exec: ctx.settings.insecure_kubeconfig_exec,
        insecure_tls: ctx.settings.insecure_kubeconfig_tls,
    };
    let remote = ctx.clusters.remote(&kubeconfig, trust).await;
    remote.map_err(|error| Halt::Client { message: chain(&error) })
}

async fn federated(
    ks: &Kustomization,
    config_map: &str,
    ctx: &Context,
) -> Result<Arc<Cluster>, Halt> {
    let namespace = ks.namespace().unwrap_or_default();
    let found = ctx.clusters.federated(&namespace, config_map, ctx.settings.identities()).await;
    found.map_err(|error| {
        let message = chain(&error);
        if error.is_terminal() {
            Halt::Stalled { reason: "ReconciliationFailed", message }
        } else {
            Halt::Client { message }
        }
    })
}

async fn kubeconfig(
    ks: &Kustomization,
    reference: &SecretKeyReference,
    ctx: &Context,
) -> Result<Vec<u8>, Halt> {
    let namespace = ks.namespace().unwrap_or_default();
    let name = &reference.name;
    let api: Api<Secret> = Api::namespaced(ctx.runtime.client.clone(), &namespace);
    let secret = api.get(name).await.map_err(|error| Halt::Client {
        message: format!(
            "unable to read KubeConfig secret '{namespace}/{name}' error: {}",
            api_error(&error)
        ),
    })?;
    let mut data = secret.data.unwrap_or_default();
    let keys: &[&str] = match &reference.key {
        Some(key) => &[key],
        None => &["value", "value.yaml"],
    };
    let found = keys.iter().find_map(|key| data.remove(*key));
    found.map(|bytes| bytes.0).ok_or_else(|| Halt::Client {
        message: format!(
            "KubeConfig secret '{namespace}/{name}' does not contain a '{}' key with a kubeconfig",
            keys[0]
        ),
    })
}
