//! Alerts that choose by the labels of the object.

use event_api::Event;

use super::involved::involved;
use super::object;
use crate::alert::rules::Chosen;
use crate::context::Context;

/// The alerts whose labels the object has.
pub(super) async fn admitted(ctx: &Context, event: &Event, chosen: Vec<Chosen>) -> Vec<Chosen> {
    let involved = match involved(ctx, event).await {
        Ok(involved) => involved,
        Err(error) => {
            tracing::error!(%error, "error getting the involved object");
            let message = format!("error getting source object {}", object(event));
            for chosen in chosen {
                ctx.complain(&chosen.rule.alert, "SourceFetchFailed", message.clone());
            }
            return Vec::new();
        }
    };
    chosen.into_iter().filter(|chosen| chosen.has_labels(&involved.labels)).collect()
}
