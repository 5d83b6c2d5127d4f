//! Jobs.

use serde_json::Value;

use crate::fields::Fields;
use crate::{FieldError, Health};

/// A Job as kstatus sees it: current as soon as it runs.
pub(super) fn job(fields: Fields<'_>) -> Result<Health, FieldError> {
    if let Some(ended) = ended(fields)? {
        return Ok(ended);
    }
    if fields.text("status", "startTime").is_empty() {
        return Ok(Health::in_progress("Job not started"));
    }
    Ok(Health::current(running(fields)?))
}

/// A Job as Flux waits for it: to its end.
pub(crate) fn awaited_job(fields: Fields<'_>) -> Result<Health, FieldError> {
    if fields.at("spec", "suspend").and_then(Value::as_bool) == Some(true) {
        return Ok(Health::current("Job is suspended"));
    }
    match ended(fields)? {
        Some(ended) => Ok(ended),
        None if fields.text("status", "startTime").is_empty() => {
            let parallelism = fields.integer("spec", "parallelism")?.unwrap_or(1);
            Ok(Health::in_progress(format!("Job not started. active: 0/{parallelism}")))
        }
        None => Ok(Health::in_progress(running(fields)?)),
    }
}

fn ended(fields: Fields<'_>) -> Result<Option<Health>, FieldError> {
    let parallelism = fields.integer("spec", "parallelism")?.unwrap_or(1);
    let completions = fields.integer("spec", "completions")?.unwrap_or(parallelism);
    for condition in fields.conditions()? {
        match (condition.type_, condition.status) {
            ("Complete", "True") => {
                let succeeded = fields.count("succeeded")?;
                let message = format!("Job Completed. succeeded: {succeeded}/{completions}");
                return Ok(Some(Health::current(message)));
            }
            ("Failed", "True") => {
                let failed = fields.count("failed")?;
                let message = format!("Job Failed. failed: {failed}/{completions}");
                return Ok(Some(Health::failed(message)));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn running(fields: Fields<'_>) -> Result<String, FieldError> {
    Ok(format!(
        "Job in progress. success:{}, active: {}, failed: {}",
        fields.count("succeeded")?,
        fields.count("active")?,
        fields.count("failed")?,
    ))
}
