//! Alerts that choose by the labels of the object.

use event_api::Event;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use reconcile_loop::controller::api_error;

use super::{LOOK_TIMEOUT, object};
use crate::alert::rules::Chosen;
use crate::context::Context;

/// The alerts whose labels the object has. It is asked for once.
pub(super) async fn admitted(ctx: &Context, event: &Event, chosen: Vec<Chosen>) -> Vec<Chosen> {
    let labels = match involved(&ctx.runtime.client, event).await {
        Ok(object) => object.labels().clone(),
        Err(error) => {
            tracing::error!(error, "error getting the involved object");
            let message = format!("error getting source object {}", object(event));
            for chosen in chosen {
                ctx.complain(&chosen.rule.alert, "SourceFetchFailed", message.clone());
            }
            return Vec::new();
        }
    };
    chosen.into_iter().filter(|chosen| chosen.has_labels(&labels)).collect()
}

/// The object of an event as it is now.
///
/// # Errors
/// What the API server said.
pub(super) async fn involved(client: &Client, event: &Event) -> Result<DynamicObject, String> {
    let about = &event.involved_object;
    let (group, version) = about.api_version.split_once('/').unwrap_or(("", &about.api_version));
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &about.kind));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &about.namespace, &kind);
    match tokio::time::timeout(LOOK_TIMEOUT, api.get(&about.name)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(api_error(&error)),
        Err(_elapsed) => Err("the API server did not answer in time".to_owned()),
    }
}
