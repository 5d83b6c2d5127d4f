//! What the specification means once defaults are filled in.

use std::time::Duration;

use crd_types::GoDuration;
use crd_types::kustomize::Kustomization;

use super::halt::Halt;
use crate::settings::Settings;

/// The shortest timeout that counts.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);
/// What an interval that cannot be read counts as. The schema refuses such intervals, so this is
/// for objects that were stored before it did.
const FALLBACK_INTERVAL: Duration = Duration::from_mins(10);

/// The times of a Kustomization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// Between two runs that end well.
    pub(crate) interval: Duration,
    /// After a run that failed.
    pub(crate) retry: Duration,
    /// For each of the steps that can hang.
    pub(crate) timeout: Duration,
    /// While a dependency is not ready.
    pub(crate) dependency: Duration,
}

impl Timing {
    /// The times of an object; `dependency` is the flag of the controller.
    ///
    /// Flux: the timeout is the interval less 30 seconds unless it is given, and never less than
    /// 30 seconds (api, `GetTimeout`).
    pub(crate) fn of(ks: &Kustomization, dependency: Duration) -> Self {
        let interval = read(Some(&ks.spec.interval)).unwrap_or(FALLBACK_INTERVAL);
        let timeout = read(ks.spec.timeout.as_ref())
            .unwrap_or_else(|| interval.saturating_sub(SHORTEST_TIMEOUT));
        Self {
            interval,
            retry: read(ks.spec.retry_interval.as_ref()).unwrap_or(interval),
            timeout: timeout.max(SHORTEST_TIMEOUT),
            dependency,
        }
    }
}

/// Fields that need a gate must not look as if they were honoured without it.
pub(crate) fn supported(ks: &Kustomization, settings: &Settings) -> Result<(), Halt> {
    let spec = &ks.spec;
    let identity = spec.decryption.as_ref().and_then(|it| it.service_account_name.as_ref());
    if identity.is_some() && !settings.object_level_identity {
        return Err(Halt::Stalled {
            reason: "FeatureGateDisabled",
            message: "to use spec.decryption.serviceAccountName for decryption authentication \
                      please enable the ObjectLevelWorkloadIdentity feature gate in the controller"
                .to_owned(),
        });
    }
    Ok(())
}

fn read(duration: Option<&GoDuration>) -> Option<Duration> {
    let nanoseconds = go_duration::parse(duration?.as_str()).ok()?;
    Duration::try_from(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use serde_json::json;

    #[test]
    fn an_identity_for_decryption_needs_its_gate() {
        let ks: Kustomization = serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "app"},
            "spec": {
                "interval": "1h", "prune": true,
                "sourceRef": {"kind": "GitRepository", "name": "app"},
                "decryption": {"provider": "sops", "serviceAccountName": "sops"},
            },
        }))
        .unwrap();
        let settings =
            |flag: &str| crate::Arguments::try_parse_from(["x", flag]).unwrap().settings().unwrap();
        let off = supported(&ks, &settings("--sops-verify-mac=false")).unwrap_err();
        assert_eq!(off.reason(), "FeatureGateDisabled");
        let gate = "--feature-gates=ObjectLevelWorkloadIdentity=true";
        assert!(supported(&ks, &settings(gate)).is_ok());
    }
}
