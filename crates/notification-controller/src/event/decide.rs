//! What becomes of an event that an alert has chosen. Pure: event, alert and providers in, an errand
//! out.

use std::sync::Arc;

use alert_message::Kind;
use crd_types::notification::Provider;
use event_api::Event;
use kube::ResourceExt as _;
use kube::runtime::reflector::{ObjectRef, Store};

use super::metadata::{self, Conflicts};
use super::object;
use super::tale::Chapter;
use crate::alert::rules::Rule;
use crate::provider::admission::{Withheld, admits};
use crate::settings::Settings;
use crate::watched::Watched;

/// Something to tell a provider.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) rule: Arc<Rule>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) kind: Kind,
    /// The event as the alert has it told.
    pub(crate) event: Event,
    /// Which message of an incident it is.
    pub(crate) chapter: Option<Chapter>,
    pub(crate) conflicts: Conflicts,
}

/// What becomes of an event.
#[derive(Debug)]
pub(crate) enum Decision {
    Tell(Box<Errand>),
    /// The provider is not told.
    Withheld(Arc<Provider>, Reason),
}

/// Why a provider is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error("the provider is suspended")]
    Suspended,
    #[error(transparent)]
    NotForIt(#[from] Withheld),
}

/// Why a provider cannot be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "discarding event, access denied to cross-namespace sources: alert '{alert}' can't process \
         event from '{object}', cross-namespace references have been blocked"
    )]
    CrossNamespace { alert: String, object: String },
    #[error(
        "failed to read provider: Provider.notification.toolkit.fluxcd.io \"{name}\" not found"
    )]
    NoProvider { name: String },
    #[error(
        "failed to initialize notifier for provider '{name}': failed to initialize notifier: \
         provider {kind} not supported"
    )]
    UnknownKind { name: String, kind: String },
    #[error(
        "to use spec.serviceAccountName for provider authentication please enable the \
         ObjectLevelWorkloadIdentity feature gate in the controller"
    )]
    ServiceAccount,
    /// Limit: what waits for slow providers is bounded.
    #[error("too many notifications are waiting for their providers")]
    Busy,
}

/// Decides what becomes of an event that an alert has chosen.
///
/// # Errors
/// Why the provider cannot be told.
pub(crate) fn decide(
    event: &Event,
    rule: &Arc<Rule>,
    providers: &Watched<Provider>,
    settings: &Settings,
) -> Result<Decision, Error> {
    of(event, rule, providers.store(), settings)
}

fn of(
    event: &Event,
    rule: &Arc<Rule>,
    providers: &Store<Provider>,
    settings: &Settings,
) -> Result<Decision, Error> {
    let alert = &rule.alert;
    let namespace = alert.namespace().unwrap_or_default();
    if settings.no_cross_namespace_refs && event.involved_object.namespace != namespace {
        let alert = format!("{namespace}/{}", alert.name_any());
        return Err(Error::CrossNamespace { alert, object: object(event) });
    }
    let name = &alert.spec.provider_ref.name;
    let provider = provider(rule, providers);
    let provider = provider.ok_or_else(|| Error::NoProvider { name: name.clone() })?;
    let spec = &provider.spec;
    if spec.suspend {
        return Ok(Decision::Withheld(provider, Reason::Suspended));
    }
    let unknown = || Error::UnknownKind { name: name.clone(), kind: spec.type_.clone() };
    let kind = Kind::named(&spec.type_).ok_or_else(unknown)?;
    if let Err(why) = admits(kind.class(), event) {
        return Ok(Decision::Withheld(provider, why.into()));
    }
    let account = spec.service_account_name.as_ref().filter(|name| !name.is_empty());
    if account.is_some() && !settings.object_level_identity {
        return Err(Error::ServiceAccount);
    }
    let (metadata, conflicts) = metadata::combined(event, &alert.spec);
    let event = Event { metadata, ..event.clone() };
    let errand = Errand { rule: Arc::clone(rule), provider, kind, event, chapter: None, conflicts };
    Ok(Decision::Tell(Box::new(errand)))
}

/// The provider of an alert, if there is one.
pub(crate) fn provider(rule: &Rule, providers: &Store<Provider>) -> Option<Arc<Provider>> {
    let namespace = rule.alert.namespace().unwrap_or_default();
    providers.get(&ObjectRef::new(&rule.alert.spec.provider_ref.name).within(&namespace))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use kube::runtime::reflector;
    use kube::runtime::watcher;
    use serde_json::{Value, json};

    use super::*;

    fn settings(flags: &[&str]) -> Settings {
        let all = ["x"].iter().chain(flags);
        crate::Arguments::try_parse_from(all).unwrap().settings().unwrap()
    }

    fn decided(provider: &Value, namespace: &str, flags: &[&str]) -> Result<Decision, Error> {
        let (store, mut writer) = reflector::store();
        let meta = json!({"name": "p", "namespace": "apps"});
        let mut spec = json!({"type": "slack"});
        spec.as_object_mut().unwrap().extend(provider.as_object().unwrap().clone());
        let object = json!({"metadata": meta, "spec": spec});
        let provider: Provider = serde_json::from_value(object).unwrap();
        writer.apply_watcher_event(&watcher::Event::Apply(provider));
        let alert = json!({"metadata": {"name": "a", "namespace": "apps"}, "spec": {
            "providerRef": {"name": "p"}, "eventSources": [], "summary": "s",
        }});
        let event = json!({"involvedObject": {"kind": "K", "name": "n", "namespace": namespace}});
        let event: Event = serde_json::from_value(event).unwrap();
        let alert = Arc::new(serde_json::from_value(alert).unwrap());
        of(&event, &Arc::new(Rule::compile(alert)), &store, &settings(flags))
    }

    #[test]
    fn an_event_becomes_an_errand_or_a_reason() {
        match decided(&json!({}), "apps", &[]).unwrap() {
            Decision::Tell(errand) => {
                assert_eq!(
                    (errand.kind, errand.event.metadata["summary"].as_str()),
                    (Kind::Slack, "s")
                );
            }
            Decision::Withheld(..) => panic!("withheld"),
        }
        let withheld = |provider: Value| match decided(&provider, "apps", &[]).unwrap() {
            Decision::Withheld(_, reason) => reason,
            Decision::Tell(_) => panic!("told"),
        };
        assert_eq!(withheld(json!({"suspend": true})), Reason::Suspended);
        assert_eq!(withheld(json!({"type": "github"})), Reason::NotForIt(Withheld::NoCommit));
        let error =
            |provider: Value, flags: &[&str]| decided(&provider, "other", flags).unwrap_err();
        assert!(
            error(json!({"type": "carrier-pigeon"}), &[]).to_string().contains("not supported")
        );
        assert_eq!(error(json!({"serviceAccountName": "me"}), &[]), Error::ServiceAccount);
        assert_eq!(
            error(json!({}), &["--no-cross-namespace-refs"]).to_string(),
            "discarding event, access denied to cross-namespace sources: alert 'apps/a' can't \
             process event from 'K/other/n', cross-namespace references have been blocked"
        );
    }
}
