//! An object that is waited for.

use manifest::Object;

use super::super::{HealthEvaluator, HealthStatus, HealthTarget, pods, status};

/// An object and how it does.
pub(super) struct Tracked {
    pub(super) target: HealthTarget,
    pub(super) status: Option<HealthStatus>,
    pub(super) error: Option<String>,
    /// Whether its pods are watched.
    pub(super) has_pods: bool,
    pub(super) failed_pods: usize,
}

impl Tracked {
    pub(super) const fn new(target: HealthTarget) -> Self {
        Self { target, status: None, error: None, has_pods: false, failed_pods: 0 }
    }

    /// How it does. Flux: a workload on its way has failed if one of its pods has.
    pub(super) fn status(&self) -> Option<HealthStatus> {
        match self.status {
            Some(HealthStatus::InProgress) if self.failed_pods > 0 => Some(HealthStatus::Failed),
            status => status,
        }
    }

    pub(super) fn judge(&mut self, object: &Object, evaluator: Option<&dyn HealthEvaluator>) {
        let judged = evaluator
            .and_then(|evaluator| evaluator.evaluate(object))
            .unwrap_or_else(|| status(object).map_err(|error| error.to_string()));
        (self.status, self.error) = match judged {
            Ok(status) => (Some(status), None),
            Err(reason) => (Some(HealthStatus::Unknown), Some(reason)),
        };
    }

    /// It is not there. Flux: a Job that says how long it stays after its end has ended.
    pub(super) fn lose(&mut self) {
        let has_ended = self.target.seen.as_ref().is_some_and(|seen| {
            let stays =
                seen.fields().get("spec").and_then(|spec| spec.get("ttlSecondsAfterFinished"));
            seen.kind() == "Job" && stays.is_some_and(|stays| !stays.is_null())
        });
        self.status = Some(if has_ended { HealthStatus::Current } else { HealthStatus::NotFound });
        self.error = None;
    }

    /// Remembers what is needed later: a Job that may vanish, a workload that has pods. A long wait
    /// keeps nothing else.
    pub(super) fn keep(&mut self, object: Object) {
        self.target.seen = Some(object).filter(|seen| seen.kind() == "Job" || pods::has_pods(seen));
    }

    pub(super) fn forget_content(&mut self) {
        if let Some(seen) = self.target.seen.take() {
            self.keep(seen);
        }
    }
}
