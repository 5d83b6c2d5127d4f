//! Reasons of conditions and events, word for word as Flux reports them.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => { $($(#[$doc])* pub const $name: &str = $text;)* };
}

// Every kind.
reasons! {
    /// It worked.
    SUCCEEDED = "Succeeded";
    /// It did not work, and no other reason says why.
    FAILED = "Failed";
    /// It is under way.
    PROGRESSING = "Progressing";
    /// It failed and will be tried again.
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry";
    /// The object is suspended.
    SUSPENDED = "Suspended";
    /// A reference into another namespace is not allowed.
    ACCESS_DENIED = "AccessDenied";
    /// A dependency is not ready.
    DEPENDENCY_NOT_READY = "DependencyNotReady";
    /// A CEL expression does not compile.
    INVALID_CEL_EXPRESSION = "InvalidCELExpression";
    /// The spec uses what a feature gate switched off.
    FEATURE_GATE_DISABLED = "FeatureGateDisabled";
}

// Sources.
reasons! {
    /// The address cannot be parsed.
    URL_INVALID = "URLInvalid";
    /// Credentials are missing or unusable.
    AUTHENTICATION_FAILED = "AuthenticationFailed";
    /// A signature does not verify.
    VERIFICATION_ERROR = "VerificationError";
    /// A directory could not be created.
    DIRECTORY_CREATION_FAILED = "DirectoryCreationFailed";
    /// A path could not be examined.
    STAT_OPERATION_FAILED = "StatOperationFailed";
    /// A file could not be read.
    READ_OPERATION_FAILED = "ReadOperationFailed";
    /// The lock of an artifact could not be taken.
    ACQUIRE_LOCK_FAILED = "AcquireLockFailed";
    /// A path is not what it must be.
    INVALID_PATH = "InvalidPath";
    /// The artifact could not be packed or stored.
    ARCHIVE_OPERATION_FAILED = "ArchiveOperationFailed";
    /// A link could not be updated.
    SYMLINK_UPDATE_FAILED = "SymlinkUpdateFailed";
    /// The stored artifact is the newest.
    ARTIFACT_UP_TO_DATE = "ArtifactUpToDate";
    /// The cache failed.
    CACHE_OPERATION_FAILED = "CacheOperationFailed";
    /// A write of the object failed.
    PATCH_OPERATION_FAILED = "PatchOperationFailed";
    /// `spec.sts` does not fit the provider.
    INVALID_STS_CONFIGURATION = "InvalidSTSConfiguration";
    /// `spec.provider` does not fit the rest of the spec.
    INVALID_PROVIDER_CONFIGURATION = "InvalidProviderConfiguration";
    /// Upstream has a new revision.
    NEW_REVISION = "NewRevision";
    /// An included artifact has changed.
    INCLUDE_CHANGE = "IncludeChange";
    /// A new chart was packaged or pulled.
    NEW_CHART = "NewChart";
    /// The referent does not exist.
    NOT_FOUND = "NotFound";
    /// The referent has no artifact.
    NO_ARTIFACT = "NoArtifact";
    /// The repository has no commit.
    EMPTY_GIT_REPOSITORY = "EmptyGitRepository";
    /// The ignore rules could not be loaded.
    SOURCE_IGNORE_ERROR = "SourceIgnoreError";
    /// A path leads outside its root.
    ILLEGAL_PATH = "IllegalPath";
    /// An included artifact could not be copied in.
    COPY_FAILURE = "CopyFailure";
}

// Git.
reasons! {
    /// A Git operation failed.
    GIT_OPERATION_FAILED = "GitOperationFailed";
}

// Kustomization.
reasons! {
    /// The revision is applied, pruned and healthy.
    RECONCILIATION_SUCCEEDED = "ReconciliationSucceeded";
    /// Applying failed.
    RECONCILIATION_FAILED = "ReconciliationFailed";
    /// The source or its artifact is not usable.
    ARTIFACT_FAILED = "ArtifactFailed";
    /// Manifests could not be built.
    BUILD_FAILED = "BuildFailed";
    /// Objects could not be deleted.
    PRUNE_FAILED = "PruneFailed";
    /// Objects did not become healthy.
    HEALTH_CHECK_FAILED = "HealthCheckFailed";
    /// A newer request ended the health checks.
    HEALTH_CHECK_CANCELED = "HealthCheckCanceled";
}
