//! Objects of a release written to the cluster.

use std::collections::HashMap;

use cluster_apply::{ApiError, ServerSide};
use futures::StreamExt as _;
use jiff::Timestamp;
use manifest::{Object, ObjectId};
use serde_json::{Value, json};

use super::client_side;
use super::run::Run;
use crate::error::{ActionError, ObjectError, OwnershipError};
use crate::options::Options;
use crate::release_objects::Built;
use crate::target::Target;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const HELM: &str = "Helm";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// How many requests one action has in flight at once.
const CONCURRENCY: usize = 8;

/// What applying the objects of a release did.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// What the API server answered to each, in their order.
    pub(crate) live: Vec<Option<Object>>,
    /// The objects that were not there before.
    pub(crate) created: Vec<Built>,
}

/// Objects applied, and what went wrong with some.
pub(crate) type Outcome = (Applied, Result<(), ActionError>);

/// How the objects of a release are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How<'a> {
    pub(crate) options: &'a Options,
    pub(crate) server_side: bool,
    /// Whether fields that we own by other writes become ours by apply first.
    pub(crate) migrate: bool,
    /// When the action began: what was created before was not created by it.
    pub(crate) since: Timestamp,
}

/// Labels every object as the release's.
pub(crate) fn own(target: &Target, built: &mut [Built]) {
    for built in built {
        built.object.set_label(MANAGED_BY, HELM);
        built.object.set_annotation(RELEASE_NAME, &target.name);
        built.object.set_annotation(RELEASE_NAMESPACE, &target.namespace);
    }
}

/// Refuses to go on if one of these objects exists and belongs to somebody else.
///
/// # Errors
/// If so. Nothing was written.
pub(crate) async fn check_ownership(
    target: &Target,
    built: &[Built],
    action: &'static str,
) -> Result<(), ActionError> {
    let checks: Vec<_> = built.iter().map(|built| check_one(target, built)).collect();
    let mut checks = futures::stream::iter(checks).buffered(CONCURRENCY);
    while let Some(check) = checks.next().await {
        check.map_err(|source| ActionError::Conflict { action, source })?;
    }
    Ok(())
}

async fn check_one(target: &Target, built: &Built) -> Result<(), OwnershipError> {
    let (kind, name) = (built.object.kind().to_owned(), built.object.name().to_owned());
    let namespace = built.object.namespace().to_owned();
    let live = match target.client.get_object(&built.resource, &namespace, &name).await {
        Ok(Some(live)) => live,
        Ok(None) => return Ok(()),
        Err(source) => {
            let source = Box::new(source);
            return Err(OwnershipError::Unknown { kind, name, namespace, source });
        }
    };
    let wanted = [
        ("label validation error", "labels", MANAGED_BY, HELM),
        ("annotation validation error", "annotations", RELEASE_NAME, target.name.as_str()),
        ("annotation validation error", "annotations", RELEASE_NAMESPACE, &target.namespace),
    ];
    let mut wrong = Vec::new();
    for (what, map, key, value) in wanted {
        match live["metadata"][map][key].as_str() {
            None => wrong.push(format!("{what}: missing key {key:?}: must be set to {value:?}")),
            Some(actual) if actual != value => wrong.push(format!(
                "{what}: key {key:?} must equal {value:?}: current value is {actual:?}"
            )),
            Some(_) => {}
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(OwnershipError::Foreign { kind, name, namespace, wrong })
    }
}

/// Creates the objects of a new release: kind after kind, those of one kind at once.
pub(crate) async fn create(run: &mut Run<'_>, built: &[Built], how: How<'_>) -> Outcome {
    run.logs.say(format!("creating resource(s): {}", json!({ "resources": built.len() })));
    say_how(run, "creation", how, false);
    let mut applied = Applied::default();
    for alike in built.chunk_by(|a, b| a.object.kind() == b.object.kind()) {
        let mut failures = Vec::new();
        let ends = write_at_once(run.target, alike, &HashMap::new(), how).await;
        for (built, end) in alike.iter().zip(ends) {
            match end {
                Ok(written) => applied.take_in(run, built, written),
                Err(error) => {
                    say_failed(run, built, "creating resource via patch", how);
                    failures.push(error);
                }
            }
        }
        if let Some(first) = failures.into_iter().next() {
            return (applied, Err(ActionError::Objects(vec![first])));
        }
    }
    (applied, Ok(()))
}

/// Brings a release from the objects of one revision to those of another. What is not wanted any
/// more is deleted last, unless it asks to be kept.
pub(crate) async fn update(
    run: &mut Run<'_>,
    base: &[Built],
    built: &[Built],
    how: How<'_>,
) -> Outcome {
    say_how(run, "creation", how, true);
    say_how(run, "update", how, true);
    run.logs
        .say(format!("checking resources for changes: {}", json!({ "resources": built.len() })));
    let originals: HashMap<ObjectId, &Built> = base.iter().map(|base| (base.id(), base)).collect();
    let mut applied = Applied::default();
    let mut failures = Vec::new();
    for alike in built.chunk_by(|a, b| a.object.kind() == b.object.kind()) {
        let ends = write_at_once(run.target, alike, &originals, how).await;
        for (built, end) in alike.iter().zip(ends) {
            match end {
                Ok(written) => applied.take_in(run, built, written),
                // Helm goes on if an object that is there is not changed, and stops if one that is
                // not there is not created.
                Err(error) if is_there(run.target, built).await => {
                    say_failed(run, built, "patching resource", how);
                    failures.push(error);
                    applied.live.push(None);
                }
                Err(error) => {
                    say_failed(run, built, "creating resource via patch", how);
                    let error = ObjectError::Create(Box::new(error));
                    return (applied, Err(ActionError::Objects(vec![error])));
                }
            }
        }
    }
    if !failures.is_empty() {
        return (applied, Err(ActionError::Objects(failures)));
    }
    let kept: std::collections::HashSet<ObjectId> = built.iter().map(Built::id).collect();
    for stale in base.iter().filter(|stale| !kept.contains(&stale.id())) {
        if let Err(error) = drop_stale(run, stale).await {
            failures.push(error);
        }
    }
    let result = if failures.is_empty() { Ok(()) } else { Err(ActionError::Objects(failures)) };
    (applied, result)
}

async fn drop_stale(run: &mut Run<'_>, stale: &Built) -> Result<(), ObjectError> {
    let (namespace, name) = (stale.object.namespace(), stale.object.name());
    let live = run.target.client.get_object(&stale.resource, namespace, name).await;
    // Flux: an object that cannot be read is left alone (Helm's `update`).
    let Ok(Some(live)) = live else { return Ok(()) };
    // Flux: here the live object decides, when uninstalling the stored manifest does.
    if live["metadata"]["annotations"]["helm.sh/resource-policy"] == json!("keep") {
        return Ok(());
    }
    let kind = stale.object.kind();
    run.logs.say(format!(
        "deleting resource: {}",
        json!({ "kind": kind, "name": name, "namespace": namespace })
    ));
    match run.target.client.delete_object(&stale.resource, namespace, name, "Background").await {
        Err(error) if !error.is_not_found() => Err(ObjectError::Delete {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            source: Box::new(error),
        }),
        _ => Ok(()),
    }
}

async fn is_there(target: &Target, built: &Built) -> bool {
    let (namespace, name) = (built.object.namespace(), built.object.name());
    !matches!(target.client.get_object(&built.resource, namespace, name).await, Ok(None))
}

/// An object that was written.
struct Written {
    live: Option<Object>,
    is_new: bool,
}

impl Applied {
    fn take_in(&mut self, run: &mut Run<'_>, built: &Built, written: Written) {
        say_written(run, built, written.is_new);
        if written.is_new {
            self.created.push(built.clone());
        }
        self.live.push(written.live);
    }
}

/// Writes these objects at once, and says how each ended, in their order. `originals` are what was
/// wanted of them before.
async fn write_at_once(
    target: &Target,
    wanted: &[Built],
    originals: &HashMap<ObjectId, &Built>,
    how: How<'_>,
) -> Vec<Result<Written, ObjectError>> {
    let original = |built: &Built| originals.get(&built.id()).copied();
    let writes: Vec<_> =
        wanted.iter().map(|built| write(target, built, original(built), how)).collect();
    futures::stream::iter(writes).buffered(CONCURRENCY).collect().await
}

async fn write(
    target: &Target,
    built: &Built,
    original: Option<&Built>,
    how: How<'_>,
) -> Result<Written, ObjectError> {
    let live = if how.server_side {
        if how.migrate {
            client_side::migrate(target, built).await?;
        }
        let apply =
            ServerSide { force: true, strict: how.options.validate_objects, dry_run: false };
        let answer = target.client.apply_object(&built.resource, &built.object, apply).await;
        answer.map_err(|source| refused(built, source))?
    } else {
        client_side::write(target, built, original, how.options).await?
    };
    let is_new = original.is_none() && is_new(&live, how.since);
    Ok(Written { live: Object::new(live).ok(), is_new })
}

fn refused(built: &Built, source: ApiError) -> ObjectError {
    let (object, source) = (built.title(), Box::new(source));
    if source.is_conflict() {
        ObjectError::Conflict { object, source }
    } else {
        ObjectError::Apply { object, source }
    }
}

/// Whether the answer to a write shows an object that was not there before. Times have whole
/// seconds.
fn is_new(live: &Value, since: Timestamp) -> bool {
    let created = live["metadata"]["creationTimestamp"].as_str();
    let created = created.and_then(|text| text.parse::<Timestamp>().ok());
    created.is_some_and(|created| created.as_second() >= since.as_second())
}

/// Creates a hook. `perhaps` says that one who was killed may have done so: then what is there is
/// left as it is.
pub(crate) async fn create_hook(
    run: &mut Run<'_>,
    built: &Built,
    options: &Options,
    perhaps: bool,
) -> Result<(), ObjectError> {
    let client = &run.target.client;
    if perhaps {
        let (namespace, name) = (built.object.namespace(), built.object.name());
        let live = client.get_object(&built.resource, namespace, name).await;
        if live.is_ok_and(|live| live.is_some()) {
            return Ok(());
        }
    }
    let apply = ServerSide { force: false, strict: options.validate_objects, dry_run: false };
    let answer = client.apply_object(&built.resource, &built.object, apply).await;
    answer.map(drop).map_err(|source| refused(built, source))
}

/// Deletes an object. False if it was not there.
pub(crate) async fn delete(
    target: &Target,
    built: &Built,
    propagation: &str,
) -> Result<bool, ObjectError> {
    let (namespace, name) = (built.object.namespace(), built.object.name());
    match target.client.delete_object(&built.resource, namespace, name, propagation).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(ObjectError::Api(Box::new(error))),
    }
}

/// Deletes objects, kind after kind. Those that were there come back, and what went wrong.
pub(crate) async fn delete_all(
    target: &Target,
    built: Vec<Built>,
    propagation: &str,
) -> (Vec<Built>, Vec<ObjectError>) {
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for alike in built.chunk_by(|a, b| a.object.kind() == b.object.kind()) {
        let mut requests = futures::stream::iter(alike.to_vec())
            .map(|built| async move {
                let end = delete(target, &built, propagation).await;
                (built, end)
            })
            .buffered(CONCURRENCY);
        while let Some((built, end)) = requests.next().await {
            match end {
                Ok(true) => deleted.push(built),
                Ok(false) => {}
                Err(error) => failures.push(error),
            }
        }
    }
    (deleted, failures)
}

fn say_how(run: &mut Run<'_>, what: &str, how: How<'_>, force: bool) {
    if !how.server_side {
        run.logs.say(format!("using client-side apply for resource {what}"));
        return;
    }
    let mut attributes = json!({
        "dryRun": false, "fieldValidationDirective": "Strict", "forceConflicts": force,
    });
    if what == "update" {
        attributes["upgradeClientSideFieldManager"] = json!(how.migrate);
    }
    run.logs.say(format!("using server-side apply for resource {what}: {attributes}"));
}

fn attributes(built: &Built) -> Value {
    let gvk = built.object.gvk();
    json!({
        "gvk": format!("{}/{}, Kind={}", gvk.group, gvk.version, gvk.kind),
        "name": built.object.name(), "namespace": built.object.namespace(),
    })
}

fn say_written(run: &mut Run<'_>, built: &Built, is_new: bool) {
    let what = if is_new { "Created resource via patch" } else { "Patched resource" };
    run.logs.say(format!("{what}: {}", attributes(built)));
}

fn say_failed(run: &mut Run<'_>, built: &Built, what: &str, how: How<'_>) {
    if how.server_side {
        let mut attributes = attributes(built);
        attributes["error"] = json!({});
        run.logs.say(format!("Error {what}: {attributes}"));
    }
}
