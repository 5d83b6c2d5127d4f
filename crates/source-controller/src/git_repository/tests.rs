//! What a GitRepository says of its attempts.

use crd_types::conditions::{FETCH_FAILED, INCLUDE_UNAVAILABLE, READY};
use crd_types::source::GitRepositorySpec;
use crd_types::{Artifact, Condition};
use insta::assert_snapshot;
use jiff::Timestamp;
use reconcile_loop::conditions::find;
use reconcile_loop::events::Event;

use super::{halt::Halt, *};
use crate::source::{
    conclude::{suspended, under_way, verdict},
    progress::Step,
};

const NOON: Timestamp = Timestamp::constant(43_200, 0);

fn new_object() -> GitRepository {
    let spec = GitRepositorySpec { interval: "1h".into(), ..GitRepositorySpec::default() };
    let mut object = GitRepository::new("app", spec);
    object.metadata.generation = Some(1);
    let status = GitRepositoryStatus { observed_generation: Some(-1), ..Default::default() };
    object.status = Some(status);
    object
}

fn artifact(revision: &str, digest: &str) -> Artifact {
    Artifact {
        digest: digest.to_owned(),
        last_update_time: None,
        metadata: std::collections::BTreeMap::new(),
        path: String::new(),
        revision: revision.to_owned(),
        size: None,
        url: String::new(),
        checksum: None,
    }
}

/// The end of an attempt that stored this.
fn end_with(progress: &mut Progress<GitRepositoryStatus>, revision: &str, digest: &str) -> Reached {
    progress.fetched = true;
    progress.status.artifact = Some(artifact(revision, digest));
    stored(revision, "say hello")
}

/// The object after a good attempt.
fn ready_object() -> GitRepository {
    let mut object = new_object();
    let mut progress = Progress::resume(&object);
    progress.fetched = true;
    let end = Ok(end_with(&mut progress, "main@sha1:a", "sha256:1"));
    object.status = Some(verdict(&object, &object, &mut progress, &end, NOON).status);
    object
}

fn print(status: &GitRepositoryStatus, events: &[Event]) -> String {
    let mut lines: Vec<String> = status
        .conditions
        .iter()
        .map(|c| {
            let generation = c.observed_generation.unwrap_or_default();
            format!("{}={} {} ({generation}): {}", c.type_, c.status, c.reason, c.message)
        })
        .collect();
    lines.push(format!("observed {:?}", status.observed_generation));
    lines.extend(events.iter().map(|e| format!("{:?} {}: {}", e.severity, e.reason, e.message)));
    lines.join("\n")
}

fn commit_missing() -> Stop {
    let missing = git_client::Error::CommitNotFound { id: "0123".to_owned() };
    Halt::Git(resolve::Error::Plain(Box::new(missing))).into()
}

#[test]
fn a_new_object_becomes_ready() {
    let object = new_object();
    let mut progress = Progress::resume(&object);
    assert_snapshot!(print(&under_way(&object, &progress, NOON), &[]), @r"
    Reconciling=True Progressing (1): processing object: new generation -1 -> 1
    Ready=Unknown Progressing (1): processing object: new generation -1 -> 1
    observed Some(-1)
    ");
    news(&mut progress, "main@sha1:a");
    progress.fetched = true;
    let end = Ok(end_with(&mut progress, "main@sha1:a", "sha256:1"));
    let verdict = verdict(&object, &object, &mut progress, &end, NOON);
    assert_snapshot!(print(&verdict.status, &verdict.events), @r"
    Ready=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    ArtifactInStorage=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    observed Some(1)
    Info NewArtifact: stored artifact for commit 'say hello'
    ");
    assert_eq!(verdict.next, Next::Interval(std::time::Duration::from_hours(1)));
}

#[test]
fn an_unchanged_object_is_not_written_and_tells_nothing() {
    let object = ready_object();
    let mut progress = Progress::resume(&object);
    progress.outdated = Outdated::Cleared;
    progress.fetched = true;
    let later = Timestamp::constant(90_000, 0);
    let verdict =
        verdict(&object, &object, &mut progress, &Ok(unchanged("main@sha1:a", true)), later);
    assert_eq!(Some(verdict.status), object.status);
    assert!(verdict.events.is_empty(), "{:?}", verdict.events);
}

#[test]
fn a_failure_keeps_what_is_stored_and_tells_why_once() {
    let mut object = ready_object();
    object.metadata.generation = Some(2);
    let mut progress = Progress::resume(&object);
    let verdict = verdict(&object, &object, &mut progress, &Err(commit_missing()), NOON);
    assert_snapshot!(print(&verdict.status, &verdict.events), @r"
    Reconciling=True ProgressingWithRetry (2): processing object: new generation 1 -> 2
    Ready=False GitOperationFailed (2): failed to checkout and determine revision: unable to resolve commit object for '0123': object not found
    FetchFailed=True GitOperationFailed (2): failed to checkout and determine revision: unable to resolve commit object for '0123': object not found
    ArtifactInStorage=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    observed Some(1)
    Error GitOperationFailed: failed to checkout and determine revision: unable to resolve commit object for '0123': object not found
    ");
    assert!(matches!(verdict.next, Next::Backoff { .. }));
    assert!(verdict.status.artifact.is_some());
}

#[test]
fn a_recovery_is_told() {
    let mut object = ready_object();
    let mut failing = Progress::resume(&object);
    object.status =
        Some(verdict(&object, &object, &mut failing, &Err(commit_missing()), NOON).status);
    let mut progress = Progress::resume(&object);
    progress.outdated = Outdated::Cleared;
    progress.fetched = true;
    let verdict =
        verdict(&object, &object, &mut progress, &Ok(unchanged("main@sha1:a", true)), NOON);
    assert_snapshot!(print(&verdict.status, &verdict.events), @r"
    Ready=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    ArtifactInStorage=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    observed Some(1)
    Info Succeeded: stored artifact for commit 'main@sha1:a'
    ");
}

#[test]
fn a_failure_that_lasts_keeps_its_time() {
    let mut object = ready_object();
    let at = |object: &GitRepository, now| {
        let mut progress = Progress::resume(object);
        verdict(object, object, &mut progress, &Err(commit_missing()), now).status
    };
    object.status = Some(at(&object, NOON));
    let again = at(&object, Timestamp::constant(90_000, 0));
    assert_eq!(find(&again.conditions, FETCH_FAILED), find(&object.conditions(), FETCH_FAILED));
    assert!(find(&again.conditions, FETCH_FAILED).is_some());
}

#[test]
fn what_flux_said_of_an_include_is_forgotten_once_the_repository_was_read() {
    let mut object = ready_object();
    let unavailable = Condition {
        type_: INCLUDE_UNAVAILABLE.to_owned(),
        status: "True".to_owned(),
        ..object.conditions()[0].clone()
    };
    object.status.get_or_insert_default().conditions.push(unavailable);
    let mut progress = Progress::resume(&object);
    progress.fetched = true;
    let end = Ok(unchanged("main@sha1:a", true));
    let verdict = verdict(&object, &object, &mut progress, &end, NOON);
    assert!(is_true(&verdict.status.conditions, READY), "{:?}", verdict.status.conditions);
}

#[test]
fn a_new_commit_makes_the_artifact_outdated_until_it_is_stored() {
    let object = ready_object();
    let mut progress = Progress::resume(&object);
    progress.fetched = true;
    news(&mut progress, "main@sha1:b");
    assert_snapshot!(print(&under_way(&object, &progress, NOON), &[]), @r"
    Reconciling=True Progressing (1): building artifact: new upstream revision 'main@sha1:b'
    Ready=Unknown Progressing (1): building artifact: new upstream revision 'main@sha1:b'
    ArtifactInStorage=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    ArtifactOutdated=True NewRevision (1): new upstream revision 'main@sha1:b'
    observed Some(1)
    ");
    // Equal content under another revision is no new artifact.
    let end = Ok(end_with(&mut progress, "main@sha1:b", "sha256:1"));
    let verdict = verdict(&object, &object, &mut progress, &end, NOON);
    assert_snapshot!(print(&verdict.status, &verdict.events), @r"
    Ready=True Succeeded (1): stored artifact for revision 'main@sha1:b'
    ArtifactInStorage=True Succeeded (1): stored artifact for revision 'main@sha1:b'
    observed Some(1)
    ");
}

#[test]
fn a_lost_artifact_is_not_advertised() {
    let object = ready_object();
    let mut progress = Progress::resume(&object);
    progress.status.artifact = None;
    progress.step = Step::Disappeared;
    let status = under_way(&object, &progress, NOON);
    assert!(status.artifact.is_none());
    assert_snapshot!(print(&status, &[]), @r"
    Reconciling=True Progressing (1): building artifact: disappeared from storage
    Ready=Unknown Progressing (1): building artifact: disappeared from storage
    observed Some(1)
    ");
}

#[test]
fn what_is_not_supported_stalls() {
    let object = new_object();
    let mut progress = Progress::resume(&object);
    let end = Err(Halt::Unsupported { what: "spec.verify", instead: "remove it" }.into());
    let verdict = verdict(&object, &object, &mut progress, &end, NOON);
    assert_snapshot!(print(&verdict.status, &[]), @r"
    Stalled=True UnsupportedField (1): spec.verify is not supported yet, remove it
    Ready=False UnsupportedField (1): spec.verify is not supported yet, remove it
    FetchFailed=True UnsupportedField (1): spec.verify is not supported yet, remove it
    observed Some(1)
    ");
    assert_eq!(verdict.next, Next::Await);
}

#[test]
fn a_suspended_object_counts_as_observed() {
    let mut object = ready_object();
    object.metadata.generation = Some(2);
    let status = suspended(&object, NOON);
    assert_snapshot!(print(&status, &[]), @r"
    Ready=True Succeeded (2): stored artifact for revision 'main@sha1:a'
    ArtifactInStorage=True Succeeded (1): stored artifact for revision 'main@sha1:a'
    observed Some(2)
    ");
}
