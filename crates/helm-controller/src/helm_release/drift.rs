//! Drift: what of the cluster is not as the release says.

use std::sync::Arc;
use std::time::Duration;

use helm_release::Record;
use reconcile_loop::events::Event;

use super::run::Run;

pub(super) async fn find(_run: &mut Run, _record: &Arc<Record>) -> Result<bool, String> {
    Ok(false)
}

pub(super) fn warn(_run: &mut Run) -> Option<Event> {
    None
}

pub(super) async fn correct(_run: &mut Run, _timeout: Duration) {}
