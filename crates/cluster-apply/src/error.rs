//! Why objects could not be applied, in the words that Flux puts into conditions and events.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use manifest::ObjectId;

use crate::api::ApiError;
use crate::chain;
use crate::change_set::ChangeSet;
use crate::discovery::DiscoveryError;
use crate::health::HealthError;

/// An apply that did not do all it should.
#[derive(Debug)]
pub struct ApplyFailure {
    /// What was done nevertheless.
    pub done: ChangeSet,
    /// Why it broke off, or the first thing that went wrong.
    pub error: Box<ApplyError>,
    /// What else went wrong, where it did not break off
    /// ([`crate::ApplyOptions::best_effort`]).
    pub others: Vec<ApplyError>,
}

impl ApplyFailure {
    /// All that went wrong, one a line.
    pub fn message(&self) -> String {
        let all = std::iter::once(&*self.error).chain(&self.others);
        all.map(|error| chain(error)).collect::<Vec<_>>().join("\n")
    }
}

/// Reads as the first thing that went wrong.
impl fmt::Display for ApplyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for ApplyFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Why an object could not be applied. The message on the wire is [`chain`](crate::chain): each error, then its
/// source, separated by `: `. A refusal never quotes the values of a Secret.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It lives in a namespace, but names none.
    #[error("{object} namespace not specified: the server could not find the requested resource")]
    NamespaceMissing {
        /// The object.
        object: ObjectId,
    },
    /// Its namespace, or its kind, is not there.
    #[error("{object} not found")]
    NotFound {
        /// The object.
        object: ObjectId,
        /// What the API server said.
        #[source]
        source: Box<ApiError>,
    },
    /// The API server would not accept it. Nothing of its stage was written.
    #[error("{object} dry-run failed{}", in_parentheses(.source.reason()))]
    DryRun {
        /// The object.
        object: ObjectId,
        /// What the API server said.
        #[source]
        source: DryRunError,
    },
    /// The live object could not be read.
    #[error("{object} query failed")]
    Query {
        /// The object.
        object: ObjectId,
        /// What the API server said.
        #[source]
        source: Box<ApiError>,
    },
    /// What earlier owners left could not be taken over.
    #[error("{object} metadata.managedFields cleanup failed")]
    Cleanup {
        /// The object.
        object: ObjectId,
        /// What the API server said.
        #[source]
        source: Box<ApiError>,
    },
    /// It had to be made anew, but the old one did not go.
    #[error("{object} immutable field detected, failed to delete object")]
    Recreate {
        /// The object.
        object: ObjectId,
        /// What the API server said.
        #[source]
        source: Box<ApiError>,
    },
    /// The dry run passed and the write did not.
    #[error("{object} apply failed")]
    Apply {
        /// The object.
        object: ObjectId,
        /// What the API server said.
        #[source]
        source: Box<ApiError>,
    },
    /// The requests took longer than they may.
    #[error("apply timed out after {}", go_duration::format(*.limit))]
    TimedOut {
        /// How long they may take.
        limit: Duration,
    },
    /// What the next stage needs did not become ready.
    #[error(transparent)]
    NotReady(#[from] HealthError),
}

impl ApplyError {
    /// Whether it passes by itself: the API server or a webhook behind it was not there.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotFound { source, .. }
            | Self::Query { source, .. }
            | Self::Cleanup { source, .. }
            | Self::Recreate { source, .. }
            | Self::Apply { source, .. } => source.is_passing(),
            Self::DryRun { source: DryRunError::Api(error), .. } => error.is_passing(),
            Self::DryRun { source: DryRunError::Kind(error), .. } => match &**error {
                DiscoveryError::Unavailable { source, .. } => source.is_passing(),
                DiscoveryError::NoMatch(_) => false,
            },
            Self::NamespaceMissing { .. } | Self::TimedOut { .. } | Self::NotReady(_) => false,
        }
    }

    /// Whether the API server does not serve the kind (yet).
    pub(crate) fn is_of_unserved_kind(&self) -> bool {
        match self {
            Self::DryRun { source: DryRunError::Kind(kind), .. } => {
                matches!(**kind, DiscoveryError::NoMatch(_))
            }
            Self::NotFound { .. } => true,
            _ => false,
        }
    }
}

/// Why a dry run failed.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// The API server refused the object.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// It does not know the kind.
    #[error(transparent)]
    Kind(Box<DiscoveryError>),
}

impl DryRunError {
    /// Flux: a conflict between field managers has a reason of its own.
    fn reason(&self) -> &str {
        const OWNED: &str = "FieldManagerConflict";
        match self {
            Self::Api(error) => {
                let causes = error.refusal().map(|refusal| refusal.details.causes.as_slice());
                let owned = causes.unwrap_or_default().iter().any(|cause| cause.reason == OWNED);
                if owned { OWNED } else { error.reason() }
            }
            Self::Kind(_) => "",
        }
    }
}

fn in_parentheses(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Refusal;

    #[test]
    fn messages_read_as_those_of_flux() {
        let object = ObjectId::from_inventory_id("shop_web__Service").unwrap();
        let refused = |reason: &str| {
            let message = "Service \"web\" is invalid".to_owned();
            let reason = reason.to_owned();
            ApiError::Refused(Box::new(Refusal { reason, message, ..Refusal::default() }))
        };
        let dry_run = |reason: &str| ApplyError::DryRun {
            object: object.clone(),
            source: DryRunError::Api(Box::new(refused(reason))),
        };
        assert_eq!(
            chain(&dry_run("Invalid")),
            "Service/shop/web dry-run failed (Invalid): Service \"web\" is invalid"
        );
        assert_eq!(
            chain(&dry_run("")),
            "Service/shop/web dry-run failed: Service \"web\" is invalid"
        );
        let kind = manifest::Gvk::new("example.com/v1", "Thing");
        let source = DryRunError::Kind(Box::new(DiscoveryError::NoMatch(kind)));
        assert_eq!(
            chain(&ApplyError::DryRun { object: object.clone(), source }),
            "Service/shop/web dry-run failed: no matches for kind \"Thing\" in version \
             \"example.com/v1\""
        );
        let failure = ApplyFailure {
            done: ChangeSet::default(),
            error: Box::new(ApplyError::Apply { object, source: Box::new(refused("Conflict")) }),
            others: vec![ApplyError::TimedOut { limit: Duration::from_secs(30) }],
        };
        let first = "Service/shop/web apply failed: Service \"web\" is invalid";
        assert_eq!(chain(&failure), first);
        assert_eq!(failure.message(), format!("{first}\napply timed out after 30s"));
    }
}
