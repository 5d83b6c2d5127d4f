//! Staged server-side apply: each stage is planned by dry run, then written, then waited for.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use manifest::{Gvk, Object, ObjectId};

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
        }
    }
}

/// Brings objects to the cluster, stage by stage. One invalid object means that nothing of its
/// stage is written.
///
/// The entries of the change set stand in the order of application: the order of the inventory.
///
/// # Errors
/// The first thing that went wrong, with what was done before it.
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
    let mut done = ChangeSet::default();
    let mut new_groups = HashSet::new();
    for stage in Stage::ALL {
        let of_stage = |object: &mut Object| Stage::of(object, &settings.custom_stage) == stage;
        let mut objects: Vec<Object> = objects.extract_if(.., of_stage).collect();
        if objects.is_empty() {
            continue;
        }
        objects.shrink_to_fit();
        if let Err(error) = run(tenant, stage, objects, options, &new_groups, &mut done).await {
            return Err(ApplyFailure { done, error: Box::new(error) });
        }
        new_groups.extend(done.changed().filter_map(|change| defined_group(&change.id)));
    }
    Ok(done)
}

/// Plans, writes and waits for one stage.
async fn run(
    tenant: &TenantClient,
    stage: Stage,
    objects: Vec<Object>,
    options: &ApplyOptions,
    new_groups: &HashSet<String>,
    done: &mut ChangeSet,
) -> Result<(), ApplyError> {
    let plan = plan(tenant, objects, options, new_groups).await?;
    let first = done.entries.len();
    let retain = options.retain || stage.is_waited_for();
    execute(tenant, plan, options, retain, done).await?;
    if !stage.is_waited_for() {
        return Ok(());
    }
    let mut targets = Vec::new();
    for entry in &mut done.entries[first..] {
        if entry.action != Action::Skipped {
            let seen = if options.retain { entry.live.clone() } else { entry.live.take() };
            targets.push(HealthTarget {
                id: entry.id.clone(),
                gvk: gvk(&entry.id, &entry.version),
                seen,
            });
        }
    }
    // Flux: a stage does not fail early.
    HealthWait::start(tenant, targets, STAGE_TIMEOUT, false, None).await?;
    Ok(())
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
