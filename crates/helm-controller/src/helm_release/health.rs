//! Health by the expressions of the object.

use std::sync::Arc;

use cel_expressions::{Health, HealthExpressions};
use cluster_apply::{HealthEvaluator, HealthStatus};
use crd_types::helm::HelmRelease;
use manifest::Object;

use super::halt::Halt;

/// Tells health by the expressions of an object.
#[derive(Debug)]
struct ByExpressions(HealthExpressions);

impl HealthEvaluator for ByExpressions {
    fn evaluate(&self, object: &Object) -> Option<Result<HealthStatus, String>> {
        let health = self.0.health(object)?;
        Some(match health {
            Ok(Health::Current) => Ok(HealthStatus::Current),
            Ok(Health::InProgress) => Ok(HealthStatus::InProgress),
            Ok(Health::Failed) => Ok(HealthStatus::Failed),
            Err(error) => Err(reconcile_loop::chain(&error)),
        })
    }
}

/// What judges health in its own way; none if the object has no expressions.
pub(super) fn evaluator(hr: &HelmRelease) -> Result<Option<Arc<dyn HealthEvaluator>>, Halt> {
    if hr.spec.health_check_exprs.is_empty() {
        return Ok(None);
    }
    let compiled = HealthExpressions::compile(&hr.spec.health_check_exprs)
        .map_err(|error| Halt::Expression { message: reconcile_loop::chain(&error) })?;
    Ok(Some(Arc::new(ByExpressions(compiled))))
}
