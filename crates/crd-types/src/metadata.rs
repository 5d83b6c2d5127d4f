//! Finalizer, annotations and labels that are part of the wire contract.

/// Finalizer on every object that a controller looks after.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Annotation: a new value asks for a reconciliation now.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Annotation: with the value of [`REQUESTED_AT`], asks for a forced Helm action.
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// Annotation: with the value of [`REQUESTED_AT`], asks to forget counted Helm failures.
pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";

/// Keys with which objects steer how a Kustomization handles them. Those that steer their apply are
/// put together in `cluster-apply`, as each controller has its own prefix.
pub mod kustomize {
    /// Label or annotation: `disabled` switches variable substitution off for the object.
    pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
    /// Annotation: `disabled` switches decryption off for the object.
    pub const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
    /// The value that switches [`SUBSTITUTE`] and [`DECRYPT`] off.
    pub const DISABLED: &str = "disabled";
}

/// Keys with which a Helm release labels what it owns.
pub mod helm {
    /// Label: name of the HelmRelease that owns the object.
    pub const OWNER_NAME: &str = "helm.toolkit.fluxcd.io/name";
    /// Label: namespace of the HelmRelease that owns the object.
    pub const OWNER_NAMESPACE: &str = "helm.toolkit.fluxcd.io/namespace";
}
