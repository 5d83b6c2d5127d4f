//! The wait until objects are healthy, driven by watches.

mod expressions;
mod pods;
mod wait;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manifest::{Gvk, Object, ObjectId};
use manifest_health::{FieldError, Status, health_for_wait};

use self::wait::Wait;
use crate::cluster::TenantClient;

/// An object whose health is waited for.
#[derive(Clone)]
pub struct HealthTarget {
    /// The object.
    pub id: ObjectId,
    /// Its kind, in the version to watch it under.
    pub gvk: Gvk,
    /// The object as the API server answered it last, if it did ([`crate::Change::live`]): spares
    /// a request.
    pub seen: Option<Object>,
}

/// How an object does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthStatus {
    /// It is what it should be.
    Current,
    /// It is on its way.
    InProgress,
    /// It will not get there.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
    /// It cannot be told.
    Unknown,
}

/// Tells the health of some kinds in its own way (`spec.healthCheckExprs`).
pub trait HealthEvaluator: fmt::Debug + Send + Sync {
    /// The health of an object; none if the usual rules apply to it.
    ///
    /// # Errors
    /// A sentence that says why it cannot be told (for now).
    fn evaluate(&self, object: &Object) -> Option<Result<HealthStatus, String>>;
}

/// A wait under way.
#[derive(Debug)]
pub struct HealthWait;

/// Why objects are not healthy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// Time is up.
    #[error("timeout waiting for: [{}]", listed(.0))]
    TimedOut(Vec<Unhealthy>),
    /// What is not healthy has failed for good.
    #[error("failed early due to stalled resources: [{}]", listed(.0))]
    Stalled(Vec<Unhealthy>),
}

/// An object that is not healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhealthy {
    /// The object.
    pub id: ObjectId,
    /// How it does; none if it could not be read.
    pub status: Option<HealthStatus>,
    /// Why its status is not known.
    pub error: Option<String>,
}

/// Without the content of the object, which is nobody's business.
impl fmt::Debug for HealthTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.gvk)
    }
}

fn listed(unhealthy: &[Unhealthy]) -> String {
    unhealthy.iter().map(Unhealthy::to_string).collect::<Vec<_>>().join(", ")
}

/// As Flux lists it: `Kind/namespace/name status: 'InProgress'`.
impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(status) = self.status else {
            return write!(f, "can't determine status for {}", self.id);
        };
        write!(f, "{} status: '{status}'", self.id)?;
        self.error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

/// As kstatus spells it.
impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}

impl HealthWait {
    /// Waits until all targets are healthy; tells how long it took. With `fail_fast` it ends as
    /// soon as nothing but failed and healthy objects is left. Drop it to end it.
    ///
    /// Opens watches only for targets that are not healthy yet.
    ///
    /// # Errors
    /// If not all of them are healthy in time.
    pub async fn start(
        tenant: &TenantClient,
        targets: Vec<HealthTarget>,
        timeout: Duration,
        fail_fast: bool,
        evaluator: Option<Arc<dyn HealthEvaluator>>,
    ) -> Result<Duration, HealthError> {
        let begun = Instant::now();
        Wait::new(targets, fail_fast, evaluator).run(tenant, timeout).await?;
        Ok(begun.elapsed())
    }
}

/// The health of an object by the usual rules.
fn status(object: &Object) -> Result<HealthStatus, FieldError> {
    Ok(match health_for_wait(object)?.status {
        Status::Current => HealthStatus::Current,
        Status::InProgress => HealthStatus::InProgress,
        Status::Failed => HealthStatus::Failed,
        Status::Terminating => HealthStatus::Terminating,
    })
}
