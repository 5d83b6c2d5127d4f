//! Drift: what of the cluster is not as the release says.

use std::sync::Arc;
use std::time::Duration;

use cluster_apply::IgnoredFields;
use crd_types::helm::HelmRelease;
use crd_types::object_selection::Selector;
use helm_action::{Correction, DriftReport, DriftRules, correct_drift, find_drift};
use helm_release::Record;
use kustomize_build::{ObjectSelector, generate};
use manifest::Object;
use reconcile_loop::events::{Event, Severity};

use super::conclude::outcome::tagged;
use super::run::Run;

/// Fields that are left to others, by the rules of the object.
#[derive(Debug)]
struct Rules(Vec<(Option<ObjectSelector>, Vec<String>)>);

impl IgnoredFields for Rules {
    fn of(&self, object: &Object) -> Vec<String> {
        let holds = |target: &Option<ObjectSelector>| {
            target.as_ref().is_none_or(|target| target.selects(object))
        };
        let rules = self.0.iter().filter(|(target, _)| holds(target));
        rules.flat_map(|(_, paths)| paths.clone()).collect()
    }
}

/// Looks for drift. Answers whether there is any.
pub(super) async fn find(run: &mut Run, record: &Arc<Record>) -> Result<bool, String> {
    let rules = rules(&run.hr)?;
    let report = find_drift(&run.target, record, &rules).await;
    let report = report.map_err(|error| reconcile_loop::chain(&error))?;
    let found = report.has_drift();
    if !found {
        run.report.not_drifted();
    }
    run.drift = Some(report);
    Ok(found)
}

/// Tells that drift was found.
pub(super) fn warn(run: &mut Run) -> Option<Event> {
    let report = run.drift.as_ref()?;
    let full = run.latest().full();
    let message =
        format!("Cluster state of release {full} has drifted from the desired state:\n{report}");
    run.report.drifted(message.clone());
    Some(Event::new(Severity::Error, "DriftDetected", message))
}

/// Puts right what was found.
///
/// Flux: what cannot be put right is told, and is no failure of the release.
pub(super) async fn correct(run: &mut Run, timeout: Duration) {
    let report: DriftReport = run.drift.take().unwrap_or_default();
    let Correction { corrected, failed } = correct_drift(&run.target, &report, timeout).await;
    let of = run.latest();
    let full = of.full();
    if failed.is_empty() {
        let done = corrected.join("\n");
        let message = format!("Cluster state of release {full} has been corrected:\n{done}");
        let event = Event::new(Severity::Info, "DriftCorrected", message);
        run.events.push(tagged(event, &of));
        return;
    }
    let told = failed.iter().map(|(id, error)| format!("{id}: {}", reconcile_loop::chain(error)));
    let told: Vec<String> = told.collect();
    let partially = if corrected.is_empty() { "" } else { "partially " };
    let mut message = format!(
        "Failed to {partially}correct cluster state of release {full}:\n{}",
        told.join("\n")
    );
    if !corrected.is_empty() {
        message.push_str("\n\nSuccessful corrections:\n");
        message.push_str(&corrected.join("\n"));
    }
    let event = Event::new(Severity::Error, "DriftCorrectionFailed", message);
    run.events.push(tagged(event, &of));
}

fn rules(hr: &HelmRelease) -> Result<DriftRules, String> {
    let detection = hr.spec.drift_detection.as_ref();
    let ignore = detection.map_or(&[][..], |detection| &detection.ignore);
    if ignore.is_empty() {
        return Ok(DriftRules::default());
    }
    let mut rules = Vec::new();
    for rule in ignore {
        let target = rule.target.as_ref().map(selector).transpose()?;
        rules.push((target, rule.paths.clone()));
    }
    Ok(DriftRules { ignore: Some(Arc::new(Rules(rules))) })
}

fn selector(of: &Selector) -> Result<ObjectSelector, String> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let selector = generate::Selector {
        group: text(&of.group),
        version: text(&of.version),
        kind: text(&of.kind),
        name: text(&of.name),
        namespace: text(&of.namespace),
        label_selector: text(&of.label_selector),
        annotation_selector: text(&of.annotation_selector),
    };
    ObjectSelector::new(&selector).map_err(|error| reconcile_loop::chain(&error))
}
