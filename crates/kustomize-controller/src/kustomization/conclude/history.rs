//! What the status remembers of former attempts.

use std::collections::BTreeMap;
use std::time::Duration;

use crd_types::kustomize::{Kustomization, KustomizationStatus, ReconciliationSnapshot};
use crd_types::{GoDuration, Time};
use jiff::Timestamp;

use super::super::progress::Progress;
use super::SUCCEEDED;

/// Limit: snapshots in the history.
const HISTORY: usize = 5;

/// Whether an attempt did no more than find everything as the last one left it.
pub(super) fn confirms(ks: &Kustomization, progress: &Progress) -> bool {
    let Some(status) = &ks.status else { return false };
    let last = status.history.first();
    !progress.changed
        && status.last_applied_revision == progress.attempted_revision
        && last.is_some_and(|last| {
            last.last_reconciled_status == SUCCEEDED
                && Some(&last.digest) == progress.build_digest.as_ref()
        })
}

/// Puts a run at the head of the history; a run like one that is there already counts it up.
pub(super) fn remember(
    status: &mut KustomizationStatus,
    progress: &Progress,
    outcome: &str,
    took: Duration,
    now: Timestamp,
) {
    let Some(digest) = &progress.build_digest else { return };
    let mut history = std::mem::take(&mut status.history);
    let like = |old: &ReconciliationSnapshot| {
        old.digest == *digest && old.last_reconciled_status == outcome
    };
    let standing = history.iter().position(like).map(|at| history.remove(at));
    let mut snapshot = ReconciliationSnapshot {
        digest: digest.clone(),
        first_reconciled: standing.as_ref().map_or(Time(now), |old| old.first_reconciled.clone()),
        last_reconciled: Time(now),
        last_reconciled_duration: GoDuration(go_duration::format(took)),
        last_reconciled_status: outcome.to_owned(),
        metadata: BTreeMap::new(),
        total_reconciliations: standing.map_or(0, |old| old.total_reconciliations) + 1,
    };
    let revision = progress.attempted_revision.clone().unwrap_or_default();
    snapshot.metadata.insert("revision".to_owned(), revision);
    if let Some(origin) = &progress.origin_revision {
        snapshot.metadata.insert("originRevision".to_owned(), origin.clone());
    }
    history.insert(0, snapshot);
    history.truncate(HISTORY);
    status.history = history;
}
