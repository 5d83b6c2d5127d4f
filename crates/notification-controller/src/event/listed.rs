//! The objects that controllers tell of, as they are: all of one kind in one namespace at a time.

use alert_incident::Sight;
use jiff::{SignedDuration, Timestamp};
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use reconcile_loop::controller::api_error;
use serde_json::Value;

/// Limit: objects that are read of one kind in one namespace.
const MOST: usize = 10_000;
const PAGE: u32 = 500;
/// How long an object is ready before it is believed without a word: its event may be under way.
const SETTLED: SignedDuration = SignedDuration::from_secs(30);

/// API versions of kinds, and who tells of them.
const KINDS: [(&str, &str, &[&str]); 6] = [
    (
        "source.toolkit.fluxcd.io/v1",
        "source-controller",
        &["Bucket", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository"],
    ),
    ("kustomize.toolkit.fluxcd.io/v1", "kustomize-controller", &["Kustomization"]),
    ("helm.toolkit.fluxcd.io/v2", "helm-controller", &["HelmRelease"]),
    (
        "image.toolkit.fluxcd.io/v1",
        "image-reflector-controller",
        &["ImageRepository", "ImagePolicy"],
    ),
    ("image.toolkit.fluxcd.io/v1", "image-automation-controller", &["ImageUpdateAutomation"]),
    ("source.extensions.fluxcd.io/v1beta1", "source-watcher", &["ArtifactGenerator"]),
];

/// Objects of one kind in one namespace.
pub(super) struct Source {
    pub(super) resource: ApiResource,
    pub(super) namespace: String,
    pub(super) controller: &'static str,
}

impl Source {
    pub(super) fn of(namespace: &str, kind: &str) -> Option<Self> {
        let (api_version, controller, _) =
            KINDS.iter().find(|(_, _, kinds)| kinds.contains(&kind))?;
        let (group, version) = api_version.split_once('/')?;
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Some(Self { resource, namespace: namespace.to_owned(), controller })
    }

    /// Takes one object after the other, and says whether these were all.
    ///
    /// # Errors
    /// What the API server said.
    pub(super) async fn each(
        &self,
        client: &Client,
        mut take: impl FnMut(DynamicObject),
    ) -> Result<bool, String> {
        let api: Api<DynamicObject> =
            Api::namespaced_with(client.clone(), &self.namespace, &self.resource);
        let mut parameters = ListParams::default().limit(PAGE);
        let mut read = 0;
        while read < MOST {
            let page = api.list(&parameters).await.map_err(|error| api_error(&error))?;
            read += page.items.len();
            page.items.into_iter().for_each(&mut take);
            match page.metadata.continue_ {
                Some(rest) if !rest.is_empty() => parameters = parameters.continue_token(&rest),
                _ => return Ok(true),
            }
        }
        Ok(false)
    }
}

/// How an object is, if that is sure. One that is suspended or goes is left as it was.
pub(super) fn sight(object: &DynamicObject, now: Timestamp) -> Option<Sight> {
    if failing(object).is_some() {
        return Some(Sight::Unwell);
    }
    let conditions = object.data["status"]["conditions"].as_array()?;
    let is_ready = |it: &&Value| it["type"] == "Ready" && it["status"] == "True";
    let ready = conditions.iter().find(is_ready)?;
    let since: Timestamp = ready["lastTransitionTime"].as_str()?.parse().ok()?;
    (now.duration_since(since) >= SETTLED).then_some(Sight::Ready(since))
}

/// The condition that says that an object is not well. Of those that are suspended or go, nobody will
/// hear that they are well again.
pub(super) fn failing(object: &DynamicObject) -> Option<&Value> {
    let is_left_alone = object.data["spec"]["suspend"] == true;
    if is_left_alone || object.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let conditions = object.data["status"]["conditions"].as_array()?;
    let condition = |kind: &str| conditions.iter().find(|condition| condition["type"] == kind);
    let tries_again =
        || condition("Reconciling").is_some_and(|it| it["reason"] == "ProgressingWithRetry");
    let ready = condition("Ready")?;
    let is_unwell = match ready["status"].as_str()? {
        "False" => true,
        "Unknown" => tries_again(),
        _ => false,
    };
    is_unwell.then_some(ready)
}
