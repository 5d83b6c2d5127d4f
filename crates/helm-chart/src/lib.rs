//! Helm charts: loading, dependencies, values.
