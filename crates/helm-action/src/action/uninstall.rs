//! A release taken away.

use std::time::Duration;

use helm_release::{HookEvent, Intent, IntentAction, Record, Status};
use helm_render::UNINSTALL_ORDER;
use manifest::Object;

use super::apply;
use super::run::{Run, conclude, intent, now};
use crate::error::{ActionError, HookError};
use crate::hooks;
use crate::options::{Options, WaitStrategy};
use crate::outcome::Attempt;
use crate::release_objects;
use crate::storage::History;
use crate::target::Target;
use crate::wait;

const KEEP_POLICY: &str = "helm.sh/resource-policy";

/// How a release is uninstalled.
#[derive(Clone, Debug)]
pub struct UninstallOptions {
    /// How long each wait may take.
    pub timeout: Duration,
    /// What is waited for.
    pub wait: WaitStrategy,
    /// Whether hooks run.
    pub hooks: bool,
    /// Whether the records stay.
    pub keep_history: bool,
    /// What becomes of dependents.
    pub propagation: Propagation,
    /// Tells the health of some kinds in its own way.
    pub health: Option<std::sync::Arc<dyn cluster_apply::HealthEvaluator>>,
}

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Kubernetes'")]
pub enum Propagation {
    #[default]
    Background,
    Foreground,
    Orphan,
}

impl Propagation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

impl Default for UninstallOptions {
    /// Flux's defaults.
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(5),
            wait: WaitStrategy::Status,
            hooks: true,
            keep_history: false,
            propagation: Propagation::Background,
            health: None,
        }
    }
}

/// Uninstalls a release: hooks, objects but those to be kept, then the records.
///
/// When it is dropped and begun again, it goes on where it was: hooks that ran are not run again.
pub async fn uninstall(target: &Target, history: &History, options: &UninstallOptions) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history, options).await;
    run.end(result)
}

async fn perform(
    run: &mut Run<'_>,
    history: &History,
    options: &UninstallOptions,
) -> Result<(), ActionError> {
    history.check()?;
    let last = history.last().ok_or(ActionError::NotFound)?;
    if last.info.status == Status::Uninstalled {
        if options.keep_history {
            return Err(ActionError::AlreadyDeleted { name: last.name.clone() });
        }
        return purge(run, history).await;
    }
    let mut record = Record::clone(last);
    begin(run, &mut record).await?;
    let all = Options {
        timeout: options.timeout,
        wait: options.wait,
        health: options.health.clone(),
        ..Options::default()
    };
    if options.hooks {
        let end = hooks::run(run, &mut record, HookEvent::PreDelete, &all, &|_name| true).await;
        end.map_err(hook_error)?;
        "Deletion in progress (or silently failed)".clone_into(&mut record.info.description);
    }
    let mut failures = Vec::new();
    delete_objects(run, &record, options, &mut failures).await?;
    if options.hooks {
        let end = hooks::run(run, &mut record, HookEvent::PostDelete, &all, &|_name| true).await;
        failures.extend(end.map_err(hook_error).err());
    }
    if options.keep_history {
        keep(run, history, record).await?;
    } else if let Err(error) = purge(run, history).await {
        failures.push(error);
    }
    if failures.is_empty() { Ok(()) } else { Err(ActionError::Uninstalled(failures)) }
}

/// Says what is about to be done, unless one who was killed has.
async fn begin(run: &mut Run<'_>, record: &mut Record) -> Result<(), ActionError> {
    let has_begun = record.info.status == Status::Uninstalling
        && matches!(
            record.intent,
            Some(Intent { action: IntentAction::Uninstall, done: false, .. })
        );
    if has_begun {
        return Ok(());
    }
    record.info.status = Status::Uninstalling;
    record.info.deleted = Some(now());
    "Deletion in progress (or silently failed)".clone_into(&mut record.info.description);
    record.intent = Some(intent(IntentAction::Uninstall, None));
    run.update(record).await
}

fn hook_error(error: HookError) -> ActionError {
    match error {
        HookError::Store(error) => *error,
        source => ActionError::Test(Box::new(source)),
    }
}

async fn delete_objects(
    run: &mut Run<'_>,
    record: &Record,
    options: &UninstallOptions,
    failures: &mut Vec<ActionError>,
) -> Result<(), ActionError> {
    let error = |source| ActionError::Build { of: "release manifest", source };
    let mut objects = release_objects::objects(&record.manifest).map_err(error)?;
    // Flux: any other policy neither keeps an object nor deletes it (Helm's `resource_policy.go`).
    objects.retain(|object| object.annotation(KEEP_POLICY).is_none());
    objects.sort_by_key(place);
    let built = release_objects::build_what_is_left(run.target, objects).await.map_err(error)?;
    let (deleted, errors) =
        apply::delete_all(run.target, built, options.propagation.as_str()).await;
    if !errors.is_empty() {
        return Err(ActionError::Delete { name: record.name.clone(), errors });
    }
    if options.wait != WaitStrategy::HooksOnly
        && let Err(error) = wait::until_gone(run.target, &deleted, options.timeout).await
    {
        failures.push(error.into());
    }
    Ok(())
}

/// The place of an object in the order of deletion: kinds that nobody knows come last.
fn place(object: &Object) -> (usize, String) {
    let kind = object.kind();
    UNINSTALL_ORDER
        .iter()
        .position(|known| *known == kind)
        .map_or_else(|| (UNINSTALL_ORDER.len(), kind.to_owned()), |place| (place, String::new()))
}

/// Keeps the records and says that the release is gone.
async fn keep(run: &mut Run<'_>, history: &History, mut record: Record) -> Result<(), ActionError> {
    // The older ones first: as long as the newest is not done, whoever goes on comes here again.
    for older in &history.records {
        if older.version != record.version && older.info.status == Status::Deployed {
            run.supersede(older).await?;
        }
    }
    record.info.status = Status::Uninstalled;
    "Uninstallation complete".clone_into(&mut record.info.description);
    conclude(&mut record);
    run.update(&record).await
}

/// Deletes all records, the newest last: it says what is being done.
async fn purge(run: &mut Run<'_>, history: &History) -> Result<(), ActionError> {
    for corrupt in &history.corrupt {
        run.purge(corrupt.version).await?;
    }
    for record in &history.records {
        run.purge(record.version).await?;
    }
    Ok(())
}
