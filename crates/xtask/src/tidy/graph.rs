//! What must hold for the dependency graph as a whole.

use super::Findings;
use crate::cargo;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// `cargo metadata`, dependencies included.
pub(super) fn metadata() -> Result<Value> {
    let text = cargo::output(&["metadata", "--format-version=1", "--locked"])?;
    serde_json::from_str(&text).context("unreadable cargo metadata")
}

/// Two versions of these would cost minutes of build time and megabytes of every program.
const ONE_VERSION: &[&str] = &[
    "aws-lc-rs",
    "axum",
    "gix",
    "gix-transport",
    "hyper",
    "k8s-openapi",
    "kube",
    "regex",
    "reqwest",
    "rustls",
    "schemars",
    "serde",
    "serde_json",
    "tokio",
    "tracing",
];

pub(super) fn check(metadata: &Value, findings: &mut Findings) {
    let mut versions = BTreeMap::<&str, BTreeSet<&str>>::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        versions.entry(name).or_default().insert(package["version"].as_str().unwrap_or_default());
    }
    for name in ONE_VERSION {
        if let Some(found) = versions.get(name).filter(|found| found.len() > 1) {
            findings.fault(format!("Cargo.lock has several versions of {name}: {found:?}"));
        }
    }
    // Go prints maps sorted; a BTreeMap gives that free, an insertion-ordered map does not.
    for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
        let is_serde_json = node["id"].as_str().is_some_and(|id| id.contains("#serde_json@"));
        let features = node["features"].as_array().into_iter().flatten();
        if is_serde_json && features.into_iter().any(|f| f.as_str() == Some("preserve_order")) {
            findings.fault(
                "something turns serde_json/preserve_order on; find it with `cargo tree \
                            -e features -i serde_json`"
                    .to_owned(),
            );
        }
    }
}
