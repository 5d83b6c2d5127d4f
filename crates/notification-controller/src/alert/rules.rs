//! Alerts, compiled: which events each one chooses.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crd_types::notification::{Alert, EventSource};
use event_api::{Event, Severity};
use go_regex::Regex;
use kube::ResourceExt as _;

use super::options::Options;

/// All alerts, found by what they listen to.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    by_object: HashMap<(String, String), Vec<Arc<Rule>>>,
    by_name: HashMap<(String, String), Arc<Rule>>,
}

/// One alert.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) alert: Arc<Alert>,
    pub(crate) options: Options,
    /// Events of this severity only; all if there is none.
    severity: Option<String>,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

/// A regular expression of an alert, or what is wrong with it.
#[derive(Debug)]
enum Pattern {
    Valid(Regex),
    Invalid(String),
}

/// An alert that chooses an event.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) rule: Arc<Rule>,
    /// Whether the event is told as it is. If not, it may be the end of what was told.
    pub(crate) is_admitted: bool,
    /// Only if the object has one of these sets of labels; in any case if there are none.
    pub(crate) if_labelled: Vec<BTreeMap<String, String>>,
}

/// What an event comes to.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) chosen: Vec<Chosen>,
    /// Alerts with an expression that is none, and what to say of it.
    pub(crate) invalid: Vec<(Arc<Alert>, String)>,
}

impl Chosen {
    /// Whether the labels of the object are such that the alert chooses it.
    pub(crate) fn has_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |wanted: &BTreeMap<String, String>| {
            wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
        };
        self.if_labelled.is_empty() || self.if_labelled.iter().any(has)
    }
}

impl Rules {
    /// Compiles alerts. Suspended ones choose nothing.
    pub(crate) fn compile(mut alerts: Vec<Arc<Alert>>) -> Self {
        alerts.retain(|alert| !alert.spec.suspend);
        alerts.sort_by_key(|alert| (alert.namespace(), alert.name_any()));
        let mut rules = Self::default();
        for alert in alerts {
            let rule = Arc::new(Rule::compile(alert));
            rules.by_name.insert(rule.name(), Arc::clone(&rule));
            let sources = &rule.alert.spec.event_sources;
            let mut keys: Vec<_> = sources.iter().map(|source| rule.key(source)).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                rules.by_object.entry(key).or_default().push(Arc::clone(&rule));
            }
        }
        rules
    }

    /// The alerts that choose an event.
    pub(crate) fn choice(&self, event: &Event) -> Choice {
        let about = &event.involved_object;
        let key = (about.namespace.clone(), about.kind.clone());
        let mut choice = Choice::default();
        for rule in self.by_object.get(&key).into_iter().flatten() {
            let Some(if_labelled) = rule.listens(event, &key) else { continue };
            let is_admitted =
                rule.is_severe_enough(event) && rule.admits(&event.message, &mut choice.invalid);
            // Who remembers failures has to hear of their ends, be they told or not.
            if is_admitted || rule.options.has_memory() && !event.is_error() {
                choice.chosen.push(Chosen { rule: Arc::clone(rule), is_admitted, if_labelled });
            }
        }
        choice
    }

    /// The rule of an alert that is not suspended.
    pub(crate) fn of_alert(&self, namespace: &str, name: &str) -> Option<Arc<Rule>> {
        self.by_name.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Namespaces and kinds of what alerts listen to that remember what they told.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = (&str, &str)> {
        let remember = |rules: &[Arc<Rule>]| rules.iter().any(|rule| rule.options.has_memory());
        let of = self.by_object.iter().filter(move |(_, rules)| remember(rules));
        of.map(|((namespace, kind), _)| (namespace.as_str(), kind.as_str()))
    }

    /// Whether there is an alert that remembers what it told.
    pub(crate) fn remember(&self) -> bool {
        self.by_name.values().any(|rule| rule.options.has_memory())
    }
}

impl Rule {
    pub(crate) fn compile(alert: Arc<Alert>) -> Self {
        let compile = |(what, source): (&str, &String)| match Regex::new(source) {
            Ok(regex) => Pattern::Valid(regex),
            Err(_) => Pattern::Invalid(format!("failed to compile {what} regex: {source}")),
        };
        let spec = &alert.spec;
        let severity = spec.event_severity.clone().unwrap_or_else(|| "info".to_owned());
        Self {
            // What is wrong with others is told when the alert is admitted.
            options: Options::of(&alert).0,
            severity: Some(severity).filter(|severity| severity != Severity::Info.as_str()),
            include: spec.inclusion_list.iter().map(|it| compile(("inclusion", it))).collect(),
            exclude: spec.exclusion_list.iter().map(|it| compile(("exclusion", it))).collect(),
            alert,
        }
    }

    /// Namespace and name.
    pub(crate) fn name(&self) -> (String, String) {
        (self.alert.namespace().unwrap_or_default(), self.alert.name_any())
    }

    /// Namespace and kind of what a source names.
    fn key(&self, source: &EventSource) -> (String, String) {
        let own = || self.alert.namespace().unwrap_or_default();
        let namespace = source.namespace.clone().filter(|it| !it.is_empty()).unwrap_or_else(own);
        (namespace, source.kind.clone())
    }

    /// Whether one of the sources is the object, and which labels it must have for that: none if a
    /// source takes it as it is.
    fn listens(
        &self,
        event: &Event,
        key: &(String, String),
    ) -> Option<Vec<BTreeMap<String, String>>> {
        let is_named = |source: &&EventSource| {
            self.key(source) == *key
                && (source.name == "*" || source.name == event.involved_object.name)
        };
        let mut if_labelled = Vec::new();
        for source in self.alert.spec.event_sources.iter().filter(is_named) {
            if source.match_labels.is_empty() {
                return Some(Vec::new());
            }
            if_labelled.push(source.match_labels.clone());
        }
        (!if_labelled.is_empty()).then_some(if_labelled)
    }

    fn is_severe_enough(&self, event: &Event) -> bool {
        self.severity.as_ref().is_none_or(|only| only == event.severity.as_str())
    }

    fn admits(&self, message: &str, invalid: &mut Vec<(Arc<Alert>, String)>) -> bool {
        let mut matches = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| match pattern {
                Pattern::Valid(regex) => regex.is_match(message),
                Pattern::Invalid(complaint) => {
                    invalid.push((Arc::clone(&self.alert), complaint.clone()));
                    false
                }
            })
        };
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn alert(name: &str, spec: &Value) -> Arc<Alert> {
        let mut whole = json!({"providerRef": {"name": "p"}, "eventSources": [
            {"kind": "Kustomization", "name": "*"},
        ]});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let alert = json!({
            "apiVersion": "notification.toolkit.fluxcd.io/v1beta3", "kind": "Alert",
            "metadata": {"name": name, "namespace": "apps"}, "spec": whole,
        });
        Arc::new(serde_json::from_value(alert).unwrap())
    }

    fn event(kind: &str, path: &str, severity: &str, message: &str) -> Event {
        let (namespace, name) = path.split_once('/').unwrap();
        serde_json::from_value(json!({
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
            "severity": severity, "message": message,
        }))
        .unwrap()
    }

    fn names(rules: &Rules, event: &Event) -> Vec<String> {
        rules.choice(event).chosen.iter().map(|chosen| chosen.rule.alert.name_any()).collect()
    }

    #[test]
    fn an_alert_chooses_by_kind_name_namespace_and_severity() {
        let rules = Rules::compile(vec![
            alert("all", &json!({})),
            alert("errors", &json!({"eventSeverity": "error"})),
            alert("suspended", &json!({"suspend": true})),
            alert("web", &json!({"eventSources": [{"kind": "Kustomization", "name": "web"}]})),
            alert(
                "far",
                &json!({"eventSources": [
                    {"kind": "Kustomization", "name": "*", "namespace": "far"},
                    {"kind": "Bucket", "name": "*"},
                ]}),
            ),
        ]);
        for (kind, path, severity, wanted) in [
            ("Kustomization", "apps/web", "info", &["all", "web"][..]),
            ("Kustomization", "apps/db", "error", &["all", "errors"]),
            ("Kustomization", "far/web", "info", &["far"]),
            ("Bucket", "apps/b", "trace", &["far"]),
            ("Bucket", "far/b", "info", &[]),
        ] {
            assert_eq!(names(&rules, &event(kind, path, severity, "m")), wanted, "{kind} {path}");
        }
    }

    #[test]
    fn messages_are_included_then_excluded_and_bad_expressions_told() {
        let rules = Rules::compile(vec![
            alert("in", &json!({"inclusionList": ["^Health", "("]})),
            alert("out", &json!({"exclusionList": ["failed$", "("]})),
        ]);
        let of = |message: &str| {
            let choice = rules.choice(&event("Kustomization", "apps/web", "info", message));
            let names = choice.chosen.iter().map(|chosen| chosen.rule.alert.name_any());
            let invalid = choice.invalid.into_iter().map(|(_, said)| said);
            (names.collect::<Vec<_>>(), invalid.collect::<Vec<_>>())
        };
        let (chosen, invalid) = of("Health check failed");
        assert_eq!((chosen, invalid), (vec!["in".to_owned()], vec![]));
        let (chosen, invalid) = of("applied");
        assert_eq!(chosen, ["out"]);
        assert_eq!(
            invalid,
            ["failed to compile inclusion regex: (", "failed to compile exclusion regex: ("]
        );
    }

    #[test]
    fn labels_are_asked_for_only_where_no_other_source_matches() {
        let labelled = json!({"kind": "Kustomization", "name": "*", "matchLabels": {"a": "b"}});
        let plain = json!({"kind": "Kustomization", "name": "web"});
        let rules = Rules::compile(vec![alert("x", &json!({"eventSources": [labelled, plain]}))]);
        let conditions = |path: &str| {
            let choice = rules.choice(&event("Kustomization", path, "info", "m"));
            choice.chosen[0].if_labelled.len()
        };
        assert_eq!((conditions("apps/web"), conditions("apps/db")), (0, 1));
    }
}
