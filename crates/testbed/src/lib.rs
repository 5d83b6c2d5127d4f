//! Real parts for tests: a Kubernetes control plane, git servers, faults.
