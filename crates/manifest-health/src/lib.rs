//! Whether a Kubernetes object has reached its desired state.
