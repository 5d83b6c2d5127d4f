//! Which resource serves a kind. Asked per group version, only for kinds in use, and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use manifest::Gvk;
use serde::Deserialize;

use crate::api::ApiError;
use crate::cluster::TenantClient;

/// How the API server serves a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The name in addresses: `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// Why a kind has no resource.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Flux: the words of the REST mapper of client-go.
    #[error("no matches for kind \"{}\" in version \"{}\"", .0.kind, .0.api_version())]
    NoMatch(Gvk),
    /// The API server could not be asked.
    #[error("failed to get API group resources: unable to retrieve {api_version}")]
    Unavailable {
        /// The group and version that were asked for.
        api_version: String,
        /// What went wrong.
        #[source]
        source: ApiError,
    },
}

/// What is known of one cluster. Kinds do not change their resource while they exist, so only a
/// miss is asked again.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    known: Mutex<HashMap<Gvk, Arc<Resource>>>,
    /// Held while asking, so that many objects of one new group cost one request.
    asking: tokio::sync::Mutex<()>,
}

/// The part of an `APIResourceList` that we read.
#[derive(Debug, Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Debug, Deserialize)]
struct Served {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
}

/// The part of an `APIGroup` that we read.
#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Debug, Deserialize)]
struct GroupVersion {
    version: String,
}

impl Resource {
    /// A resource that is known without asking.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced,
        }
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk { group: self.group.clone(), version: self.version.clone(), kind: self.kind.clone() }
    }

    pub(crate) fn group_version_path(&self) -> String {
        group_version_path(&self.group, &self.version)
    }
}

fn group_version_path(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

impl TenantClient {
    /// The resource that serves a kind in this version.
    ///
    /// # Errors
    /// If the API server serves none, or cannot be asked.
    pub async fn resource(&self, gvk: &Gvk) -> Result<Arc<Resource>, DiscoveryError> {
        let discovery = &self.cluster.discovery;
        if let Some(known) = discovery.recall(gvk) {
            return Ok(known);
        }
        let _one_at_a_time = discovery.asking.lock().await;
        if let Some(known) = discovery.recall(gvk) {
            return Ok(known);
        }
        self.ask(&gvk.group, &gvk.version).await?;
        discovery.recall(gvk).ok_or_else(|| DiscoveryError::NoMatch(gvk.clone()))
    }

    /// The resource that serves a kind in this version or, if that is gone, in any other.
    ///
    /// # Errors
    /// If the API server serves none, or cannot be asked.
    pub(crate) async fn resource_of_any_version(
        &self,
        gvk: &Gvk,
    ) -> Result<Arc<Resource>, DiscoveryError> {
        let missing = match self.resource(gvk).await {
            Err(missing @ DiscoveryError::NoMatch(_)) if !gvk.group.is_empty() => missing,
            settled => return settled,
        };
        let controller = self.as_itself();
        let path = format!("/apis/{}", gvk.group);
        let group = controller.get::<Group>(&path).await.map_err(|source| {
            DiscoveryError::Unavailable { api_version: gvk.group.clone(), source }
        })?;
        for served in group.map(|group| group.body.versions).unwrap_or_default() {
            let other = Gvk { version: served.version, ..gvk.clone() };
            if let Ok(resource) = self.resource(&other).await {
                return Ok(resource);
            }
        }
        Err(missing)
    }

    /// Reads what one group version serves. What is served is no secret and the same for all, so
    /// the controller asks; a group that is not there serves nothing.
    async fn ask(&self, group: &str, version: &str) -> Result<(), DiscoveryError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if version.is_empty() || !group.chars().chain(version.chars()).all(plain) {
            return Ok(()); // what no address can name, nobody serves
        }
        let path = group_version_path(group, version);
        let list = self.as_itself().get::<ResourceList>(&path).await.map_err(|source| {
            let api_version = path.trim_start_matches("/apis/").trim_start_matches("/api/");
            DiscoveryError::Unavailable { api_version: api_version.to_owned(), source }
        })?;
        let served = list.map(|list| list.body.resources).unwrap_or_default();
        self.cluster.discovery.remember(group, version, served);
        Ok(())
    }

    /// The same cluster with the controller's own rights: for discovery and nothing else.
    fn as_itself(&self) -> Self {
        Self::as_controller(Arc::clone(&self.cluster))
    }
}

impl Discovery {
    fn recall(&self, gvk: &Gvk) -> Option<Arc<Resource>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(gvk).cloned()
    }

    fn remember(&self, group: &str, version: &str, served: Vec<Served>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for Served { name, kind, namespaced } in served {
            // `deployments/scale` is a way to see an object, not a kind of its own.
            if name.contains('/') {
                continue;
            }
            let resource = Resource::new(group, version, &kind, &name, namespaced);
            known.insert(resource.gvk(), Arc::new(resource));
        }
    }

    /// Forgets a kind that the API server turned out not to serve any more.
    pub(crate) fn forget(&self, gvk: &Gvk) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(gvk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subresources_are_no_kinds() {
        let discovery = Discovery::default();
        let list: ResourceList = serde_json::from_value(serde_json::json!({"resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true},
        ]}))
        .unwrap();
        discovery.remember("apps", "v1", list.resources);
        let found = discovery.recall(&Gvk::new("apps/v1", "Deployment")).unwrap();
        assert_eq!(
            found.path("shop", "web").unwrap(),
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
        assert!(discovery.recall(&Gvk::new("apps/v1", "Scale")).is_none());
    }

    #[test]
    fn a_missing_kind_is_told_in_the_words_of_the_rest_mapper() {
        let error = DiscoveryError::NoMatch(Gvk::new("example.com/v1", "Thing"));
        assert_eq!(
            error.to_string(),
            "no matches for kind \"Thing\" in version \"example.com/v1\""
        );
    }
}
