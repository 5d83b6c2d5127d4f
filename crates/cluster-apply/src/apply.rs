//! Staged server-side apply: each stage is planned by dry run, then written, then waited for.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use manifest::{Gvk, Object, ObjectId};

use crate::budget::Budget;
use crate::change_set::{Action, ChangeSet};
use crate::cluster::TenantClient;
use crate::controls::Controls;
use crate::error::{ApplyError, ApplyFailure};
use crate::execute::execute;
use crate::health::{HealthTarget, HealthWait};
use crate::ignore::IgnoredFields;
use crate::plan::plan;
use crate::prepare::prepared;
use crate::records::Owner;
use crate::stage::{Stage, sort};

/// How long a stage may take to become ready. Flux: fixed, whatever `spec.timeout` says.
const STAGE_TIMEOUT: Duration = Duration::from_mins(1);

/// How the objects of one owner are applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// Whose objects they are: written as labels on each.
    pub owner: Owner,
    /// Labels to set on each object (`spec.commonMetadata`).
    pub common_labels: BTreeMap<String, String>,
    /// Annotations to set on each object (`spec.commonMetadata`).
    pub common_annotations: BTreeMap<String, String>,
    /// Which fields are left to others (`spec.ignore`).
    pub ignore: Option<Arc<dyn IgnoredFields>>,
    /// Whether objects that refuse a change of an immutable field are made anew (`spec.force`).
    pub force: bool,
    /// Whether the change set keeps each object as the API server answered it, so that health can
    /// be told without reading it again.
    pub retain: bool,
    /// Whether objects that are refused do not keep the others from being applied.
    pub best_effort: bool,
    /// How long the requests may take altogether. Waits for a stage to become ready have their own
    /// limit and do not count.
    pub limit: Option<Duration>,
}

impl ApplyOptions {
    /// Applies objects as they are, for this owner.
    pub const fn for_owner(owner: Owner) -> Self {
        Self {
            owner,
            common_labels: BTreeMap::new(),
            common_annotations: BTreeMap::new(),
            ignore: None,
            force: false,
            retain: false,
            best_effort: false,
            limit: None,
        }
    }
}

/// What an apply has come to so far.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) done: ChangeSet,
    /// What went wrong without ending it.
    pub(crate) failures: Vec<ApplyError>,
}

impl Outcome {
    /// Takes in a failure: it ends the apply, or is told when all the rest is done.
    pub(crate) fn fail(
        &mut self,
        error: ApplyError,
        options: &ApplyOptions,
    ) -> Result<(), ApplyError> {
        if !options.best_effort {
            return Err(error);
        }
        self.failures.push(error);
        Ok(())
    }
}

/// Brings objects to the cluster, stage by stage. One invalid object means that nothing of its
/// stage is written, unless the options ask for best effort: then all that can be applied is, and
/// the failure has what could not.
///
/// The entries of the change set stand in the order of application: the order of the inventory.
///
/// # Errors
/// What went wrong, with what was done nevertheless. Cut off by its limit, it may have written a few
/// objects that nobody is told of.
pub async fn apply(
    tenant: &TenantClient,
    objects: Vec<Object>,
    options: &ApplyOptions,
) -> Result<ChangeSet, ApplyFailure> {
    let settings = tenant.settings();
    let controls = Controls { prefix: &settings.key_prefix };
    let mut objects: Vec<Object> =
        objects.into_iter().map(|object| prepared(object, options, controls)).collect();
    sort(&mut objects);
    let mut outcome = Outcome::default();
    let mut budget = Budget::new(options.limit);
    let mut new_groups = HashSet::new();
    for stage in Stage::ALL {
        let of_stage = |object: &mut Object| Stage::of(object, &settings.custom_stage) == stage;
        let mut objects: Vec<Object> = objects.extract_if(.., of_stage).collect();
        if objects.is_empty() {
            continue;
        }
        objects.shrink_to_fit();
        let run = Run { tenant, options, new_groups: &new_groups };
        if let Err(error) = run.stage(stage, objects, &mut budget, &mut outcome).await {
            outcome.failures.insert(0, error);
            break;
        }
        let changed = outcome.done.changed();
        new_groups.extend(changed.filter_map(|change| defined_group(&change.id)));
    }
    let Outcome { done, failures } = outcome;
    let mut failures = failures.into_iter();
    match failures.next() {
        None => Ok(done),
        Some(first) => {
            Err(ApplyFailure { done, error: Box::new(first), others: failures.collect() })
        }
    }
}

/// What stays the same for all stages.
struct Run<'a> {
    tenant: &'a TenantClient,
    options: &'a ApplyOptions,
    new_groups: &'a HashSet<String>,
}

impl Run<'_> {
    /// Plans, writes and waits for one stage.
    async fn stage(
        &self,
        stage: Stage,
        objects: Vec<Object>,
        budget: &mut Budget,
        outcome: &mut Outcome,
    ) -> Result<(), ApplyError> {
        let first = outcome.done.entries.len();
        let retain = self.options.retain || stage.is_waited_for();
        budget.within(self.write(objects, retain, outcome)).await?;
        if !stage.is_waited_for() {
            return Ok(());
        }
        let mut targets = Vec::new();
        for entry in &mut outcome.done.entries[first..] {
            if entry.action != Action::Skipped {
                let retain = self.options.retain;
                let seen = if retain { entry.live.clone() } else { entry.live.take() };
                targets.push(HealthTarget {
                    id: entry.id.clone(),
                    gvk: gvk(&entry.id, &entry.version),
                    seen,
                });
            }
        }
        // Flux: a stage does not fail early.
        let ready = HealthWait::start(self.tenant, targets, STAGE_TIMEOUT, false, None).await;
        ready.map_or_else(|error| outcome.fail(error.into(), self.options), |_took| Ok(()))
    }

    async fn write(
        &self,
        objects: Vec<Object>,
        retain: bool,
        outcome: &mut Outcome,
    ) -> Result<(), ApplyError> {
        let plan = plan(self.tenant, objects, self.options, self.new_groups, outcome).await?;
        execute(self.tenant, plan, self.options, retain, outcome).await
    }
}

/// The group that a definition is for: its name is `<plural>.<group>`.
fn defined_group(id: &ObjectId) -> Option<String> {
    let is_definition = id.kind == "CustomResourceDefinition";
    let (_plural, group) = id.name.split_once('.').filter(|_| is_definition)?;
    Some(group.to_owned())
}

fn gvk(id: &ObjectId, version: &str) -> Gvk {
    Gvk { group: id.group.clone(), version: version.to_owned(), kind: id.kind.clone() }
}
