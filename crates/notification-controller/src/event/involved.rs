//! The object of an event as it is now. Many events of one object are one question.

use std::collections::BTreeMap;
use std::sync::Arc;

use alert_incident::ObjectKey;
use event_api::Event;
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt as _};
use reconcile_loop::controller::api_error;

use super::{LOOK_TIMEOUT, causes};
use crate::context::Context;

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct About {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

/// What alerts want to know of it.
#[derive(Debug)]
pub(crate) struct Involved {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) causes: Vec<ObjectKey>,
}

impl About {
    pub(super) fn of(event: &Event) -> Self {
        let about = &event.involved_object;
        Self {
            api_version: about.api_version.clone(),
            kind: about.kind.clone(),
            namespace: about.namespace.clone(),
            name: about.name.clone(),
        }
    }

    async fn look(&self, event: &Event, client: &Client) -> Result<Involved, String> {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &self.kind));
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &self.namespace, &kind);
        match tokio::time::timeout(LOOK_TIMEOUT, api.get(&self.name)).await {
            Ok(Ok(object)) => {
                let causes = causes::of(event, &object);
                Ok(Involved { labels: object.labels().clone(), causes })
            }
            Ok(Err(error)) => Err(api_error(&error)),
            Err(_elapsed) => Err("the API server did not answer in time".to_owned()),
        }
    }
}

/// The object of an event, as it was within the last second.
///
/// # Errors
/// What the API server said.
pub(super) async fn involved(ctx: &Context, event: &Event) -> Result<Arc<Involved>, Arc<str>> {
    let about = About::of(event);
    ctx.involved.look(&about, about.look(event, &ctx.runtime.client)).await
}
