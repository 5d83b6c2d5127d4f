//! Kustomizations built as kustomize builds them.
