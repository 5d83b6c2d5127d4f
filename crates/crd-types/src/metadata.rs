//! Finalizer, annotations and labels that are part of the wire contract.

/// Finalizer on every object that a controller looks after.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Annotation: a new value asks for a reconciliation now.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Annotation: with the value of [`REQUESTED_AT`], asks for a forced Helm action.
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// Annotation: with the value of [`REQUESTED_AT`], asks to forget counted Helm failures.
pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";

/// Label on a Secret or ConfigMap whose changes are to be followed at once; value [`WATCH_ENABLED`].
pub const WATCH: &str = "reconcile.fluxcd.io/watch";
/// The value of [`WATCH`].
pub const WATCH_ENABLED: &str = "Enabled";

/// Keys with which a Kustomization labels what it owns, and with which objects steer their own apply.
pub mod kustomize {
    /// Label: name of the Kustomization that owns the object.
    pub const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
    /// Label: namespace of the Kustomization that owns the object.
    pub const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
    /// Label or annotation: `Override`, `Merge`, `IfNotPresent` or `Ignore`.
    pub const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
    /// Label or annotation: `disabled` leaves the object alone.
    pub const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
    /// Label or annotation: `enabled` recreates the object where an immutable field changed.
    pub const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
    /// Label or annotation: `disabled` protects the object from pruning.
    pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
    /// Label or annotation: `disabled` switches variable substitution off for the object.
    pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
    /// Annotation: `disabled` switches decryption off for the object.
    pub const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
    /// Annotation of older Flux releases that is cleaned up.
    pub const CHECKSUM: &str = "kustomize.toolkit.fluxcd.io/checksum";
    /// The value that switches [`RECONCILE`], [`PRUNE`], [`SUBSTITUTE`] and [`DECRYPT`] off.
    pub const DISABLED: &str = "disabled";
    /// The value that switches [`FORCE`] on.
    pub const ENABLED: &str = "enabled";
}

/// Keys with which a Helm release labels what it owns.
pub mod helm {
    /// Label: name of the HelmRelease that owns the object.
    pub const OWNER_NAME: &str = "helm.toolkit.fluxcd.io/name";
    /// Label: namespace of the HelmRelease that owns the object.
    pub const OWNER_NAMESPACE: &str = "helm.toolkit.fluxcd.io/namespace";
}
