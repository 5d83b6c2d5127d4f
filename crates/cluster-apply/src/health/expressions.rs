//! Health by CEL expressions (`spec.healthCheckExprs`).

use cel_expressions::{Health, HealthExpressions};
use manifest::Object;

use super::{HealthEvaluator, HealthStatus};

impl HealthEvaluator for HealthExpressions {
    fn evaluate(&self, object: &Object) -> Option<Result<HealthStatus, String>> {
        let health = self.health(object)?;
        Some(health.map_err(|error| error.to_string()).map(|health| match health {
            Health::Current => HealthStatus::Current,
            Health::InProgress => HealthStatus::InProgress,
            Health::Failed => HealthStatus::Failed,
        }))
    }
}
