//! Whether a Kubernetes object has reached its desired state, by the rules of kstatus as Flux has
//! them (`fluxcd/cli-utils`).
//!
//! What holds for every object comes first: deletion, the generation, the conditions `Reconciling`
//! and `Stalled`. Then the rules of the kind, if it has any; else the condition `Ready`.

mod fields;
mod rules;

pub use fields::FieldError;

use fields::Fields;
use jiff::Timestamp;
use manifest::Object;

/// How an object does, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it does.
    pub status: Status,
    /// Why, in a sentence.
    pub message: String,
}

/// How an object does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is what it should be.
    Current,
    /// It is on its way.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
}

impl Status {
    /// As kstatus spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
        }
    }
}

impl Health {
    fn current(message: impl Into<String>) -> Self {
        Self { status: Status::Current, message: message.into() }
    }

    fn in_progress(message: impl Into<String>) -> Self {
        Self { status: Status::InProgress, message: message.into() }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self { status: Status::Failed, message: message.into() }
    }
}

/// The health of an object.
///
/// # Errors
/// If a field that decides has another type than it must have.
pub fn health(object: &Object) -> Result<Health, FieldError> {
    let fields = Fields::of(object);
    if let Some(general) = general(object, fields)? {
        return Ok(general);
    }
    if let Some(rule) = rules::rule(&object.gvk()) {
        return rule(fields);
    }
    by_ready(fields)
}

/// As [`health`], at a time: a Pod that no node takes has failed after 15 seconds.
///
/// # Errors
/// As [`health`].
pub fn health_at(object: &Object, now: Timestamp) -> Result<Health, FieldError> {
    let fields = Fields::of(object);
    let gvk = object.gvk();
    let is_pod = gvk.group.is_empty() && gvk.kind == "Pod";
    if is_pod && general(object, fields)?.is_none() && rules::is_given_up(fields, now)? {
        return Ok(Health::failed("Pod could not be scheduled"));
    }
    health(object)
}

/// The health of an object with Flux's own rule for Jobs: one that runs is not done.
///
/// Flux: kstatus calls a Job current as soon as it runs; the controllers wait for its end, unless
/// it is suspended.
///
/// # Errors
/// As [`health`].
pub fn health_for_wait(object: &Object) -> Result<Health, FieldError> {
    let gvk = object.gvk();
    if gvk.group != "batch" || gvk.kind != "Job" {
        return health(object);
    }
    let fields = Fields::of(object);
    match general(object, fields)? {
        Some(general) => Ok(general),
        None => rules::awaited_job(fields),
    }
}

/// What holds for every object.
fn general(object: &Object, fields: Fields<'_>) -> Result<Option<Health>, FieldError> {
    if fields.at("metadata", "deletionTimestamp").is_some() {
        let message = "Resource scheduled for deletion".to_owned();
        return Ok(Some(Health { status: Status::Terminating, message }));
    }
    let observed = fields.integer("status", "observedGeneration")?;
    let generation = fields.integer("metadata", "generation")?;
    if let (Some(observed), Some(generation)) = (observed, generation)
        && observed != generation
    {
        return Ok(Some(Health::in_progress(format!(
            "{} generation is {generation}, but latest observed generation is {observed}",
            object.kind()
        ))));
    }
    for condition in fields.conditions()? {
        match (condition.type_, condition.status) {
            ("Reconciling", "True") => return Ok(Some(Health::in_progress(condition.message))),
            ("Stalled", "True") => return Ok(Some(Health::failed(condition.message))),
            _ => {}
        }
    }
    Ok(None)
}

/// The rule for kinds without one of their own.
fn by_ready(fields: Fields<'_>) -> Result<Health, FieldError> {
    let ready = fields.conditions()?.into_iter().find(|condition| condition.type_ == "Ready");
    Ok(match ready {
        Some(ready) if ready.status == "True" => Health::current("Resource is Ready"),
        Some(ready) if matches!(ready.status, "False" | "Unknown") => {
            Health::in_progress(ready.message)
        }
        _ => Health::current("Resource is current"),
    })
}
