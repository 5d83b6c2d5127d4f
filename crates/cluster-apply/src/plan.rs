//! What applying objects would do, by dry run. Writes nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::StreamExt as _;
use manifest::Object;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{Answer, ApiError};
use crate::apply::{ApplyOptions, Outcome};
use crate::cluster::TenantClient;
use crate::compare::{content_digest, has_drifted};
use crate::controls::Controls;
use crate::discovery::{DiscoveryError, Resource};
use crate::error::{ApplyError, DryRunError};
use crate::ignore::yielding;
use crate::managed_fields::{applied_at, cleanup_patch, fingerprint_of, needs_cleanup};
use crate::records::{Verified, resource_version};
use crate::recreate::is_refused_change;
use crate::redact::redacted;
use crate::undeclared::strip_undeclared;

/// What applying the objects of a stage will do. Made by [`plan`], carried out by
/// [`crate::execute`].
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
}

/// What will be done to one object.
pub(crate) struct Step {
    pub(crate) object: Object,
    pub(crate) verdict: Verdict,
}

pub(crate) enum Verdict {
    /// A control says to leave it alone.
    Skip,
    /// It is as it should be. Holds the live object (with the status it has).
    Keep(Object),
    /// It is to be written.
    Write(Write),
}

/// How an object will be written.
pub(crate) struct Write {
    /// The address of the object.
    pub(crate) path: String,
    /// The object, as it was sent to the dry run.
    pub(crate) body: Bytes,
    /// What has to happen first.
    pub(crate) before: Before,
}

/// What has to happen before an object is written.
pub(crate) enum Before {
    /// Nothing: it is not there yet.
    Create,
    /// Nothing: it is there.
    Change,
    /// Earlier owners left something, which this JSON patch takes over.
    CleanUp(Value),
    /// It refuses the change, and may be deleted first. Holds its uid.
    Delete(String),
}

/// How long an object is tried whose kind has just been defined: the API server says that a
/// definition is established a moment before it serves it.
const NEW_KIND_PATIENCE: Duration = Duration::from_secs(10);
/// The pause between two tries.
const NEW_KIND_PAUSE: Duration = Duration::from_millis(100);

/// How often fields that Kubernetes does not know are dropped from one object: a refusal names only
/// some of them.
const MAX_STRIPS: usize = 16;

/// Finds out what applying these objects would do, several at a time. The kinds of `new_groups`
/// were defined a moment ago.
///
/// # Errors
/// If any of them would be refused; with best effort the plan is without those.
pub(crate) async fn plan(
    tenant: &TenantClient,
    objects: Vec<Object>,
    options: &ApplyOptions,
    new_groups: &HashSet<String>,
    outcome: &mut Outcome,
) -> Result<Plan, ApplyError> {
    let mut answers = futures::stream::iter(objects)
        .map(|object| step(tenant, object, options, new_groups))
        .buffered(tenant.settings().concurrency.max(1));
    let mut steps = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(step) => steps.push(step),
            Err(error) => outcome.fail(error, options)?,
        }
    }
    Ok(Plan { steps })
}

async fn step(
    tenant: &TenantClient,
    mut object: Object,
    options: &ApplyOptions,
    new_groups: &HashSet<String>,
) -> Result<Step, ApplyError> {
    let controls = Controls { prefix: &tenant.settings().key_prefix };
    if controls.skips_apply(&object) {
        tenant.records().settle(&object.id(), Verified::Exempt);
        return Ok(Step { object, verdict: Verdict::Skip });
    }
    let is_new_kind = new_groups.contains(&object.gvk().group);
    let mut strips = 0;
    loop {
        let question = Question { tenant, object: &object, options, controls };
        let answer =
            if is_new_kind { question.patient_verdict().await } else { question.verdict().await };
        match answer {
            Err(error) if strips < MAX_STRIPS && strip_undeclared(&mut object, &error) => {
                strips += 1;
            }
            settled => return Ok(Step { verdict: settled?, object }),
        }
    }
}

/// What is to become of one object?
struct Question<'a> {
    tenant: &'a TenantClient,
    object: &'a Object,
    options: &'a ApplyOptions,
    controls: Controls<'a>,
}

impl Question<'_> {
    async fn patient_verdict(&self) -> Result<Verdict, ApplyError> {
        let deadline = Instant::now() + NEW_KIND_PATIENCE;
        loop {
            match self.verdict().await {
                Err(error) if error.is_of_unserved_kind() && Instant::now() < deadline => {
                    sleep(NEW_KIND_PAUSE).await;
                }
                settled => return settled,
            }
        }
    }

    async fn verdict(&self) -> Result<Verdict, ApplyError> {
        let resource = self.resource().await?;
        let path = resource.path(self.object.namespace(), self.object.name());
        let path = path.map_err(|error| self.failed(ApiError::Name(error)))?;
        if self.controls.only_if_absent(self.object)
            && let Some(live) = self.live(&path).await?
        {
            return Ok(self.skip(&live));
        }
        let body = self.body(self.object)?;
        let create = Write { path, body, before: Before::Create };
        match self.tenant.patch_apply(&create.path, create.body.clone(), true).await {
            Ok(answer) => self.judge(answer, create).await,
            Err(error) => self.refused(error, create).await,
        }
    }

    async fn resource(&self) -> Result<Arc<Resource>, ApplyError> {
        let kind = |source: DiscoveryError| ApplyError::DryRun {
            object: self.object.id(),
            source: DryRunError::Kind(Box::new(source)),
        };
        let resource = self.tenant.resource(&self.object.gvk()).await.map_err(kind)?;
        if resource.namespaced && self.object.namespace().is_empty() {
            return Err(ApplyError::NamespaceMissing { object: self.object.id() });
        }
        Ok(resource)
    }

    /// Judges by what the dry run answered, and reads the live object only if that leaves a doubt.
    async fn judge(&self, answer: Answer<Value>, create: Write) -> Result<Verdict, ApplyError> {
        let asked_after = answer.asked_after;
        let dry_run = self.understood(answer.body)?;
        if is_new(&dry_run) {
            return Ok(Verdict::Write(create));
        }
        if !self.controls.skips_apply(&dry_run) && self.is_as_verified(&dry_run, asked_after) {
            return Ok(Verdict::Keep(dry_run));
        }
        let Some(live) = self.live(&create.path).await? else {
            return Ok(Verdict::Write(create));
        };
        if self.controls.skips_apply(&live) {
            return Ok(self.skip(&live));
        }
        let settings = self.tenant.settings();
        let merges = self.controls.merges(self.object) || self.controls.merges(&live);
        let cleanup = (!merges).then(|| cleanup_patch(live.fields(), self.object, settings));
        let ignored = self.options.ignore.as_ref().map(|ignore| ignore.of(&dry_run));
        let ignored = ignored.unwrap_or_default();
        let before = match cleanup.flatten() {
            Some(patch) => Before::CleanUp(patch),
            None if has_drifted(&live, &dry_run, &ignored) => Before::Change,
            None => {
                self.settle(&live);
                return Ok(Verdict::Keep(live));
            }
        };
        let body = self.yielding_body(&create, &live, &ignored).await?;
        Ok(Verdict::Write(Write { body, before, ..create }))
    }

    /// What is written where some fields are left to others. Another dry run, if that is not what
    /// the first one tried.
    async fn yielding_body(
        &self,
        create: &Write,
        live: &Object,
        ignored: &[String],
    ) -> Result<Bytes, ApplyError> {
        if ignored.is_empty() {
            return Ok(create.body.clone());
        }
        let manager = &self.tenant.settings().field_manager;
        let body = self.body(&yielding(self.object, live, ignored, manager))?;
        if body != create.body {
            let tried = self.tenant.patch_apply(&create.path, body.clone(), true).await;
            tried.map_err(|error| self.failed(error))?;
        }
        Ok(body)
    }

    fn body(&self, object: &Object) -> Result<Bytes, ApplyError> {
        let body = serde_json::to_vec(object.fields()).map(Bytes::from);
        body.map_err(|error| self.failed(ApiError::Malformed(error)))
    }

    /// Whether the dry run shows, without a look at the live object, that nothing is to be done:
    /// it gives the content that was verified before, and it took nothing from anybody. That shows
    /// in the resource version, if the object has not been touched at all; or in our managed fields,
    /// whose time a dry run that changes something sets to the present.
    ///
    /// Limit: content that others changed, and that a mutating webhook restores in every request,
    /// looks unchanged.
    fn is_as_verified(&self, dry_run: &Object, asked_after: Option<SystemTime>) -> bool {
        let settings = self.tenant.settings();
        let Some(Verified::State { version, content, fingerprint, .. }) =
            self.tenant.records().verified(&self.object.id())
        else {
            return false;
        };
        if content_digest(dry_run.fields()) != content {
            return false;
        }
        let merges = self.controls.merges(self.object) || self.controls.merges(dry_run);
        if !merges && needs_cleanup(dry_run.fields(), self.object, settings) {
            return false;
        }
        let found = resource_version(dry_run.fields());
        if found == version && found != 0 {
            return true;
        }
        let applied_at = applied_at(dry_run.fields(), &settings.field_manager);
        let took_nothing = fingerprint_of(dry_run.fields(), settings) == fingerprint
            && applied_at.zip(asked_after).is_some_and(|(applied, asked)| applied < asked);
        if took_nothing {
            self.settle(dry_run);
        }
        took_nothing
    }

    /// The dry run was refused: the live object may ask to be left alone, or to be made anew.
    async fn refused(&self, error: ApiError, create: Write) -> Result<Verdict, ApplyError> {
        if error.is_not_found() {
            self.tenant.cluster.discovery.forget(&self.object.gvk());
            return Err(ApplyError::NotFound { object: self.object.id(), source: Box::new(error) });
        }
        // Who may not write may not be able to read either: the refusal says more.
        let Ok(Some(live)) = self.live(&create.path).await else {
            return Err(self.failed(error));
        };
        if self.controls.skips_apply(&live) {
            return Ok(self.skip(&live));
        }
        if is_refused_change(self.tenant, self.object, self.options.force, &error).await
            && let Some(uid) = uid(&live)
        {
            let before = Before::Delete(uid.to_owned());
            return Ok(Verdict::Write(Write { before, ..create }));
        }
        Err(self.failed(error))
    }

    async fn live(&self, path: &str) -> Result<Option<Object>, ApplyError> {
        let answer = self.tenant.get::<Value>(path).await.map_err(|source| ApplyError::Query {
            object: self.object.id(),
            source: Box::new(redacted(source, self.object)),
        })?;
        answer.map(|answer| self.understood(answer.body)).transpose()
    }

    fn skip(&self, live: &Object) -> Verdict {
        self.settle(live);
        Verdict::Skip
    }

    fn settle(&self, live: &Object) {
        let state = Verified::state(live.fields(), &self.options.owner, self.tenant.settings());
        self.tenant.records().settle(&self.object.id(), state);
    }

    fn understood(&self, answer: Value) -> Result<Object, ApplyError> {
        Object::new(answer).map_err(|_not_an_object| {
            let error = serde::de::Error::custom("the answer is no object");
            self.failed(ApiError::Malformed(error))
        })
    }

    fn failed(&self, error: ApiError) -> ApplyError {
        ApplyError::DryRun {
            object: self.object.id(),
            source: DryRunError::Api(Box::new(redacted(error, self.object))),
        }
    }
}

/// Whether a dry run created the object.
fn is_new(dry_run: &Object) -> bool {
    let version = dry_run.metadata().and_then(|metadata| metadata.get("resourceVersion"));
    version.is_none_or(|version| version.as_str().is_none_or(str::is_empty))
}

/// What tells an object from another one of the same name.
pub(crate) fn uid(live: &Object) -> Option<&str> {
    live.metadata()?.get("uid")?.as_str()
}
