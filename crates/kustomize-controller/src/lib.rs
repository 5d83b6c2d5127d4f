//! The controller of Kustomizations.
