//! Single objects read and written as asked, for those who keep their own order: Helm's actions.
//!
//! Unlike [`crate::apply`] nothing is planned here. All requests are made as the tenant, and writes
//! only while the fence allows them.

use bytes::Bytes;
use http::Method;
use manifest::{Gvk, Object};
use serde_json::{Value, json};

use crate::api::{ApiError, Query};
use crate::cluster::TenantClient;
use crate::discovery::{DiscoveryError, Resource};
use crate::redact::redacted;

/// How an object is applied on the server's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerSide {
    /// Whether fields that others own are taken.
    pub force: bool,
    /// Whether fields that the kind does not have are refused, and not dropped.
    pub strict: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// The format of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchFormat {
    /// JSON merge patch (RFC 7386).
    Merge,
    /// Kubernetes' strategic merge patch, for kinds that are built in.
    Strategic,
    /// JSON patch (RFC 6902).
    Json,
}

impl PatchFormat {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Json => "application/json-patch+json",
        }
    }
}

impl TenantClient {
    /// Reads an object; none if there is none.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn get_object(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, ApiError> {
        let path = resource.path(namespace, name)?;
        Ok(self.get::<Value>(&path).await?.map(|answer| answer.body))
    }

    /// Reads all objects of a namespace (all namespaces if it is empty) with these labels.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn list_objects(
        &self,
        resource: &Resource,
        namespace: &str,
        labels: &str,
    ) -> Result<Value, ApiError> {
        let mut query = Query::default();
        if !labels.is_empty() {
            query = query.with("labelSelector", labels);
        }
        let uri = query.after(&resource.path(namespace, "")?);
        self.list::<Value>(&uri, false).await
    }

    /// Creates an object. A request whose answer was lost may be sent again: an object that exists
    /// may then be ours.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn create_object(
        &self,
        resource: &Resource,
        namespace: &str,
        object: &Value,
    ) -> Result<Value, ApiError> {
        let uri = self.managed_query().after(&resource.path(namespace, "")?);
        self.write(Method::POST, &uri, "application/json", object).await
    }

    /// Replaces an object.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn replace_object(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        object: &Value,
    ) -> Result<Value, ApiError> {
        let uri = self.managed_query().after(&resource.path(namespace, name)?);
        self.write(Method::PUT, &uri, "application/json", object).await
    }

    /// Applies an object on the server's side.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn apply_object(
        &self,
        resource: &Resource,
        object: &Object,
        how: ServerSide,
    ) -> Result<Value, ApiError> {
        let mut query = self
            .managed_query()
            .with("force", if how.force { "true" } else { "false" })
            .with("fieldValidation", if how.strict { "Strict" } else { "Ignore" });
        if how.dry_run {
            query = query.with("dryRun", "All");
        }
        let uri = query.after(&resource.path(object.namespace(), object.name())?);
        let body = Bytes::from(Value::Object(object.fields().clone()).to_string());
        if !how.dry_run {
            self.check_fence()?;
        }
        let media_type = "application/apply-patch+yaml";
        let answer = self.call(Method::PATCH, &uri, Some(media_type), body).await;
        Ok(answer.map_err(|error| redacted(error, object))?.body)
    }

    /// Patches an object.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn patch_object(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        format: PatchFormat,
        patch: &Value,
    ) -> Result<Value, ApiError> {
        let uri = self.managed_query().after(&resource.path(namespace, name)?);
        self.write(Method::PATCH, &uri, format.media_type(), patch).await
    }

    /// Deletes an object. `propagation` says what becomes of its dependents: `Background`,
    /// `Foreground`, `Orphan`.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn delete_object(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        propagation: &str,
    ) -> Result<Value, ApiError> {
        let path = resource.path(namespace, name)?;
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation,
        });
        self.write(Method::DELETE, &path, "application/json", &options).await
    }

    /// Reads any document of the API server, with the controller's own rights: what is served is no
    /// secret.
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn document(&self, path: &str) -> Result<Option<Value>, ApiError> {
        let controller = Self::as_controller(std::sync::Arc::clone(&self.cluster));
        Ok(controller.get::<Value>(path).await?.map(|answer| answer.body))
    }

    /// All that is served below `/api` or `/apis`, in one answer (aggregated discovery).
    ///
    /// # Errors
    /// If the API server refuses or does not answer.
    pub async fn discovery_document(&self, path: &str) -> Result<Value, ApiError> {
        let controller = Self::as_controller(std::sync::Arc::clone(&self.cluster));
        controller.aggregated_discovery(path).await
    }

    /// As [`Self::resource`], or in any other version if this one is gone.
    ///
    /// # Errors
    /// If the API server serves none, or cannot be asked.
    pub async fn resource_in_any_version(
        &self,
        gvk: &Gvk,
    ) -> Result<std::sync::Arc<Resource>, DiscoveryError> {
        self.resource_of_any_version(gvk).await
    }

    /// The name under which fields are owned.
    pub fn field_manager(&self) -> &str {
        &self.settings().field_manager
    }

    fn managed_query(&self) -> Query {
        Query::default().with("fieldManager", &self.settings().field_manager)
    }

    async fn write(
        &self,
        method: Method,
        uri: &str,
        media_type: &'static str,
        body: &Value,
    ) -> Result<Value, ApiError> {
        self.check_fence()?;
        let body = Bytes::from(body.to_string());
        Ok(self.call(method, uri, Some(media_type), body).await?.body)
    }
}
