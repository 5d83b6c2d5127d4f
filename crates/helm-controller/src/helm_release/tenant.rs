//! Whose rights a release has, and on which cluster.

use std::fmt::Debug;
use std::sync::Arc;

use cluster_apply::{Cluster, TenantClient, Trust, chain};
use crd_types::helm::HelmRelease;
use crd_types::references::SecretKeyReference;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::{Api, Client, Resource, ResourceExt as _};
use reconcile_loop::controller::api_error;
use serde::de::DeserializeOwned;

use super::halt::Halt;
use crate::context::Context;

/// The client to install with: as the service account of the object, on the cluster of its
/// kubeconfig. Reads the Secret of the kubeconfig.
pub(super) async fn client(hr: &HelmRelease, ctx: &Context) -> Result<TenantClient, Halt> {
    let cluster = cluster(hr, ctx).await?;
    match service_account(hr, ctx) {
        None => Ok(TenantClient::as_controller(cluster)),
        Some(name) => {
            let namespace = hr.namespace().unwrap_or_default();
            TenantClient::as_service_account(cluster, &namespace, name)
                .map_err(|error| Halt::Client { message: chain(&error) })
        }
    }
}

/// Whether the cluster can still be acted on: the Secret or ConfigMap of the kubeconfig is there, or
/// the service account to act as.
///
/// # Errors
/// With the message of the API server, if it could not be asked.
pub(super) async fn exists(hr: &HelmRelease, ctx: &Context) -> Result<bool, String> {
    let namespace = hr.namespace().unwrap_or_default();
    let client = ctx.runtime.client.clone();
    if let Some(reference) = &hr.spec.kube_config {
        return match (&reference.secret_ref, &reference.config_map_ref) {
            (Some(secret), _) => is_there::<Secret>(client, &namespace, &secret.name).await,
            (None, Some(map)) => is_there::<ConfigMap>(client, &namespace, &map.name).await,
            (None, None) => Ok(true),
        };
    }
    let Some(name) = service_account(hr, ctx) else { return Ok(true) };
    is_there::<ServiceAccount>(client, &namespace, name).await
}

async fn is_there<K>(client: Client, namespace: &str, name: &str) -> Result<bool, String>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
    K: DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client, namespace);
    let found = api.get_metadata_opt(name).await;
    found.map(|found| found.is_some()).map_err(|error| api_error(&error))
}

fn service_account<'a>(hr: &'a HelmRelease, ctx: &'a Context) -> Option<&'a str> {
    let own = hr.spec.service_account_name.as_deref().filter(|name| !name.is_empty());
    own.or(ctx.settings.default_service_account.as_deref())
}

async fn cluster(hr: &HelmRelease, ctx: &Context) -> Result<Arc<Cluster>, Halt> {
    let Some(reference) = &hr.spec.kube_config else { return Ok(ctx.clusters.local()) };
    let secret = match (&reference.secret_ref, &reference.config_map_ref) {
        (Some(secret), None) => secret,
        (None, Some(config_map)) => return federated(hr, &config_map.name, ctx).await,
        _ => {
            let message = "exactly one of .spec.kubeConfig.configMapRef or \
                           spec.kubeConfig.secretRef must be set";
            return Err(Halt::Client { message: message.to_owned() });
        }
    };
    let kubeconfig = kubeconfig(hr, secret, ctx).await?;
    let trust = Trust {
        exec: ctx.settings.insecure_kubeconfig_exec,
        insecure_tls: ctx.settings.insecure_kubeconfig_tls,
    };
    let remote = ctx.clusters.remote(&kubeconfig, trust).await;
    remote.map_err(|error| Halt::Client { message: chain(&error) })
}

async fn federated(
    hr: &HelmRelease,
    config_map: &str,
    ctx: &Context,
) -> Result<Arc<Cluster>, Halt> {
    let namespace = hr.namespace().unwrap_or_default();
    let found = ctx.clusters.federated(&namespace, config_map, ctx.settings.identities()).await;
    found.map_err(|error| {
        let message = chain(&error);
        if error.is_terminal() { Halt::NoWayIn { message } } else { Halt::Client { message } }
    })
}

async fn kubeconfig(
    hr: &HelmRelease,
    reference: &SecretKeyReference,
    ctx: &Context,
) -> Result<Vec<u8>, Halt> {
    let namespace = hr.namespace().unwrap_or_default();
    let name = &reference.name;
    let api: Api<Secret> = Api::namespaced(ctx.runtime.client.clone(), &namespace);
    let secret = api.get(name).await.map_err(|error| Halt::Client {
        message: format!(
            "could not get KubeConfig secret '{namespace}/{name}': {}",
            api_error(&error)
        ),
    })?;
    let mut data = secret.data.unwrap_or_default();
    let given = reference.key.as_deref().filter(|key| !key.is_empty());
    let found = match given {
        Some(key) => data.remove(key),
        None => data.remove("value").or_else(|| data.remove("value.yaml")),
    };
    let found = found.map(|bytes| bytes.0).filter(|bytes| !bytes.is_empty());
    found.ok_or_else(|| {
        let keys = given.map_or_else(
            || "a 'value' or 'value.yaml' key".to_owned(),
            |key| format!("a '{key}' key"),
        );
        Halt::Client {
            message: format!(
                "KubeConfig secret '{namespace}/{name}' does not contain {keys} with data"
            ),
        }
    })
}
