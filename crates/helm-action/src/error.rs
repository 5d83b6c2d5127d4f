//! Why an action failed.

use cluster_apply::{ApiError, DiscoveryError, HealthError, TerminationError};
use helm_release::TooLarge;

use crate::storage::StorageError;

/// Why an action failed. The words are Helm's; conditions and records hold them with all causes.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The name is none that Helm takes.
    #[error("release name {name:?}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: helm_chart::name::NameError,
    },
    /// There is a release of that name.
    #[error("cannot reuse a name that is still in use")]
    NameInUse,
    /// There is nothing to upgrade.
    #[error("{name:?} has no deployed releases")]
    NoDeployedRelease {
        /// The release.
        name: String,
    },
    /// There is no release at all.
    #[error("release: not found")]
    NotFound,
    /// Somebody else is at it.
    #[error("another operation (install/upgrade/rollback) is in progress")]
    Pending,
    /// There is no such revision.
    #[error("release has no {version} version")]
    NoSuchVersion {
        /// The revision.
        version: i64,
    },
    /// The release is gone already.
    #[error("the release named {name:?} is already deleted")]
    AlreadyDeleted {
        /// The release.
        name: String,
    },
    /// The record fits no Secret. Nothing was changed.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The records cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The chart was not rendered.
    #[error(transparent)]
    Render(#[from] helm_render::Error),
    /// What the cluster offers could not be found out.
    #[error("could not get server version from Kubernetes")]
    Capabilities(#[source] Box<ApiError>),
    /// The cluster's version is none.
    #[error("could not parse the version of Kubernetes")]
    KubeVersion(#[source] helm_render::KubeVersionError),
    /// This process is about to end.
    #[error("the action was called off")]
    Interrupted,
    /// Something else is wanted meanwhile. The words are Flux's.
    #[error("context canceled")]
    CalledOff,
    /// A definition of the chart was not applied.
    #[error("failed to apply CustomResourceDefinitions")]
    Crds(#[source] Box<Self>),
    /// A manifest is no object, or its kind is not served.
    #[error("unable to build kubernetes objects from {of}")]
    Build {
        /// What was built from: `release manifest`, `new release manifest`, …
        of: &'static str,
        /// What is wrong.
        #[source]
        source: BuildError,
    },
    /// An object is there that belongs to somebody else.
    #[error("unable to continue with {action}")]
    Conflict {
        /// `install` or `update`.
        action: &'static str,
        /// Which one.
        #[source]
        source: OwnershipError,
    },
    /// The API server refused objects. Joined as Helm joins them.
    #[error("{}", joined(.0, " && "))]
    Objects(Vec<ObjectError>),
    /// Objects could not be deleted.
    #[error("failed to delete release: {name}")]
    Delete {
        /// The release.
        name: String,
        /// What went wrong. Differs: Helm says nothing of it.
        errors: Vec<ObjectError>,
    },
    /// A hook failed.
    #[error("{moment}")]
    Hook {
        /// When: `failed pre-install`, `post-upgrade hooks failed`.
        moment: String,
        /// What went wrong.
        #[source]
        source: Box<HookError>,
    },
    /// A test failed.
    #[error(transparent)]
    Test(Box<HookError>),
    /// Objects did not become ready.
    #[error(transparent)]
    Unhealthy(#[from] HealthError),
    /// Objects did not become ready after a rollback.
    #[error("release {name} failed")]
    RollbackUnhealthy {
        /// The release.
        name: String,
        /// Which ones.
        #[source]
        source: HealthError,
    },
    /// Uninstalling came to its end, with errors on its way.
    #[error("uninstallation completed with {} error(s): {}", .0.len(), joined(.0, "; "))]
    Uninstalled(Vec<Self>),
    /// Objects did not go.
    #[error(transparent)]
    Termination(#[from] TerminationError),
    /// The cluster could not be compared with the release.
    #[error("unable to determine cluster state: {}", joined(.0, ", "))]
    Drift(Vec<ObjectError>),
    /// There is no release of which to go on.
    #[error("nothing to resume: the newest record is not in the middle of a change of ours")]
    NothingToResume,
}

/// Why a document is no object.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// It cannot be read.
    #[error("error parsing")]
    Yaml(#[source] yaml::Error),
    /// It has no kind or name.
    #[error("error validating data")]
    Object(#[source] manifest::ObjectError),
    /// The API server does not serve its kind.
    #[error("resource mapping not found for name: {name:?} namespace: {namespace:?}")]
    Kind {
        /// Name of the object.
        name: String,
        /// Namespace of the object.
        namespace: String,
        /// Why.
        #[source]
        source: Box<DiscoveryError>,
    },
    /// The release may not have so many objects.
    #[error("the release has more than {limit} objects")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Why an object may not be taken over. The words are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    /// It belongs to somebody else.
    #[error(
        "{kind} {name:?} in namespace {namespace:?} exists and cannot be imported into the current release: \
         invalid ownership metadata; {}",
        .wrong.join("; ")
    )]
    Foreign {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Its namespace; empty if it lives in none.
        namespace: String,
        /// Each thing that is wrong.
        wrong: Vec<String>,
    },
    /// It could not be looked at.
    #[error(
        "could not get information about the resource {kind} {name:?} in namespace {namespace:?}"
    )]
    Unknown {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Its namespace; empty if it lives in none.
        namespace: String,
        /// Why not.
        #[source]
        source: Box<ApiError>,
    },
}

/// What went wrong with one object. The words are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It could not be read.
    #[error("could not get information about the resource")]
    Get(#[source] Box<ApiError>),
    /// Server-side apply was refused.
    #[error("server-side apply failed for object {object}")]
    Apply {
        /// `namespace/name group/version, Kind=Kind`.
        object: String,
        /// Why.
        #[source]
        source: Box<ApiError>,
    },
    /// Somebody else owns a field.
    #[error("conflict occurred while applying object {object}")]
    Conflict {
        /// `namespace/name group/version, Kind=Kind`.
        object: String,
        /// Which one.
        #[source]
        source: Box<ApiError>,
    },
    /// It was not created.
    #[error("failed to create resource")]
    Create(#[source] Box<Self>),
    /// Another request was refused.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// It was not replaced.
    #[error("failed to replace object")]
    Replace(#[source] Box<ApiError>),
    /// It was not deleted.
    #[error("failed to delete resource namespace={namespace}, name={name}, kind={kind}")]
    Delete {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its kind.
        kind: String,
        /// Why.
        #[source]
        source: Box<ApiError>,
    },
}

/// Why a hook failed. The words are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It is no object.
    #[error("unable to build kubernetes object for {event} hook {path}")]
    Build {
        /// When it runs.
        event: &'static str,
        /// Path of its template.
        path: String,
        /// What is wrong.
        #[source]
        source: BuildError,
    },
    /// It was not created.
    #[error("warning: Hook {event} {path} failed")]
    Create {
        /// When it runs.
        event: &'static str,
        /// Path of its template.
        path: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// It was not deleted.
    #[error(transparent)]
    Delete(ObjectError),
    /// It did not go.
    #[error(transparent)]
    Gone(#[from] TerminationError),
    /// It did not end well, or not in time.
    #[error(transparent)]
    Unhealthy(#[from] HealthError),
    /// How it went could not be stored.
    #[error(transparent)]
    Store(Box<ActionError>),
    /// It failed before a controller that was killed could say so.
    #[error("{failure}")]
    Before {
        /// What that one noted.
        failure: String,
    },
}

fn joined(errors: &[impl std::error::Error], separator: &str) -> String {
    errors.iter().map(|error| error_chain::chain(error)).collect::<Vec<_>>().join(separator)
}
