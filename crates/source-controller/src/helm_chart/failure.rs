//! Why there is no chart, and what is said of it.

use crd_types::{
    conditions::{BUILD_FAILED, FETCH_FAILED},
    reasons,
};
use reconcile_loop::chain;

use crate::source::{
    Stop,
    conclude::{Retry, Told},
};

/// Why there is no chart: what was being done, and what went wrong.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", stage.prefix())]
pub(super) struct Failure {
    stage: Stage,
    message: String,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Choosing the chart and its version.
    Reference,
    /// Bringing it over.
    Pull,
    /// Giving it another version.
    Metadata,
    /// Merging its values files.
    Values,
    /// Bringing over the charts it needs.
    Dependencies,
    /// Packing it.
    Package,
    /// Reading a field that cannot be used yet. Flux has no such stage.
    Support,
    /// Anything else; with the reason to tell, and whether only an edit helps.
    Other { reason: &'static str, needs_edit: bool },
}

/// What registries and servers say to those whom they do not know.
const UNAUTHORISED: [&str; 5] =
    ["401", "unauthorized", "authentication required", "tls", "unknown certificate authority"];

impl Stage {
    /// A failure at this stage.
    pub(super) fn failed(self, message: impl Into<String>) -> Failure {
        Failure { stage: self, message: message.into() }
    }

    /// A failure at this stage, told with its causes.
    pub(super) fn because(self, what: &str, error: &dyn std::error::Error) -> Failure {
        let cause = chain(error);
        self.failed(if what.is_empty() { cause } else { format!("{what}: {cause}") })
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Reference => "InvalidChartReference",
            Self::Pull => "ChartPullError",
            Self::Metadata => "MetadataPatchError",
            Self::Values => "ValuesFilesError",
            Self::Dependencies => "DependencyBuildError",
            Self::Package => "ChartPackageError",
            Self::Support => "UnsupportedField",
            Self::Other { reason, .. } => reason,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Reference => "invalid chart reference: ",
            Self::Pull => "chart pull error: ",
            Self::Metadata => "chart metadata patch error: ",
            Self::Values => "values files merge error: ",
            Self::Dependencies => "dependency build error: ",
            Self::Package => "chart package error: ",
            Self::Support | Self::Other { .. } => "",
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Reference | Self::Pull | Self::Support | Self::Other { .. } => FETCH_FAILED,
            Self::Metadata | Self::Values | Self::Dependencies | Self::Package => BUILD_FAILED,
        }
    }

    const fn needs_edit(self) -> bool {
        match self {
            Self::Reference | Self::Metadata | Self::Values | Self::Support => true,
            Self::Pull | Self::Dependencies | Self::Package => false,
            Self::Other { needs_edit, .. } => needs_edit,
        }
    }
}

impl Failure {
    /// What it is to the object.
    ///
    /// Flux: what has no stage of its own is `Unknown` to the condition, whatever the event says of
    /// it; and what looks like a refusal counts as one.
    pub(super) fn into_stop(self) -> Stop {
        let message = self.to_string();
        let is_refusal = UNAUTHORISED.iter().any(|word| message.contains(word));
        let unknown = |message: &str| Told {
            reason: "Unknown",
            message: format!("unknown build error: {message}"),
        };
        if is_refusal {
            let message = format!("failed to authenticate with the Helm repository: {message}");
            return Stop {
                reason: reasons::AUTHENTICATION_FAILED,
                blame: Some((FETCH_FAILED, unknown(&message))),
                message,
                retry: Retry::Backoff,
            };
        }
        let reason = self.stage.reason();
        let told = match self.stage {
            Stage::Other { .. } => unknown(&message),
            Stage::Reference
            | Stage::Pull
            | Stage::Metadata
            | Stage::Values
            | Stage::Dependencies
            | Stage::Package
            | Stage::Support => Told { reason, message: message.clone() },
        };
        let retry = if self.stage.needs_edit() { Retry::Edit } else { Retry::Backoff };
        Stop { reason, message, blame: Some((self.stage.condition(), told)), retry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_its_stage() {
        let stop = Stage::Values.failed("no values file").into_stop();
        assert_eq!(stop.message, "values files merge error: no values file");
        assert_eq!(stop.blame.unwrap().0, BUILD_FAILED);
        assert_eq!(stop.retry, Retry::Edit);
    }

    #[test]
    fn a_refusal_is_one_whatever_the_stage() {
        let stop = Stage::Pull.failed("failed to fetch x : 401 Unauthorized").into_stop();
        assert_eq!(stop.reason, "AuthenticationFailed");
        let told = stop.blame.unwrap().1;
        assert_eq!(told.reason, "Unknown");
        assert_eq!(
            told.message,
            "unknown build error: failed to authenticate with the Helm repository: \
             chart pull error: failed to fetch x : 401 Unauthorized"
        );
    }

    #[test]
    fn what_has_no_stage_is_unknown_to_the_condition() {
        let stage = Stage::Other { reason: "URLInvalid", needs_edit: true };
        let stop = stage.failed("bad").into_stop();
        assert_eq!((stop.reason, stop.message.as_str()), ("URLInvalid", "bad"));
        assert_eq!(stop.blame.unwrap().1.message, "unknown build error: bad");
    }
}
