//! Who asked the API server for what, from its audit log.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// Who asked; [`crate::Cluster::as_user`] gives each program a name of its own. An impersonated
    /// request counts for the program that sent it.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `delete`; a PATCH is `apply` when it is a
    /// server-side apply and `patch` otherwise.
    pub verb: String,
    /// The resource, with `/status` and other subresources.
    pub resource: String,
    /// Whether it was a dry run.
    pub dry_run: bool,
}

/// The requests of a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct ApiRequests {
    counts: BTreeMap<RequestKey, u64>,
}

impl ApiRequests {
    /// Reads an audit log (level `Metadata`) from byte `from` on; returns the counts and where it ended.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn read(log: &Path, from: usize) -> Result<(Self, usize)> {
        let text = std::fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
        // The last line may still be half written.
        let end = text.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let mut requests = Self::default();
        let lines = text.get(from..end).unwrap_or_default().split(|b| *b == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_slice(line).context("unreadable audit log")?;
            if let Some(key) = key(&event) {
                *requests.counts.entry(key).or_insert(0) += 1;
            }
        }
        Ok((requests, end.max(from)))
    }

    /// The sum over what `wanted` accepts.
    pub fn count(&self, mut wanted: impl FnMut(&RequestKey) -> bool) -> u64 {
        self.counts.iter().filter(|(key, _)| wanted(key)).map(|(_, n)| n).sum()
    }

    /// All counts, sorted by user, verb and resource.
    pub fn iter(&self) -> impl Iterator<Item = (&RequestKey, u64)> {
        self.counts.iter().map(|(key, n)| (key, *n))
    }
}

fn key(event: &Value) -> Option<RequestKey> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let user = text("/user/username").unwrap_or("unknown");
    let uri = text("/requestURI").unwrap_or_default();
    let resource = match (text("/objectRef/resource"), text("/objectRef/subresource")) {
        (Some(resource), Some(sub)) => format!("{resource}/{sub}"),
        (Some(resource), None) => resource.to_owned(),
        (None, _) => uri.split('?').next().unwrap_or_default().to_owned(),
    };
    // The log does not tell the format of a patch. Any may carry a field manager, but only an apply
    // can be forced, and nearly all applies of our programs and of Flux's are.
    let verb = match text("/verb")? {
        "patch" if uri.contains("force=true") => "apply",
        verb => verb,
    };
    Some(RequestKey {
        user: user.to_owned(),
        verb: verb.to_owned(),
        resource,
        dry_run: uri.contains("dryRun=All"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("audit.log");
        let lines = concat!(
            r#"{"verb":"patch","user":{"username":"a"},"requestURI":"/api/v1/x?dryRun=All&fieldManager=a&force=true","objectRef":{"resource":"configmaps"}}"#,
            "\n",
            r#"{"verb":"patch","user":{"username":"a"},"requestURI":"/apis/g/v1/ks/status?fieldManager=a","objectRef":{"resource":"ks","subresource":"status"}}"#,
            "\n",
            r#"{"verb":"get","user":{"username":"b"},"requestURI":"/readyz"}"#,
            "\nhalf a li",
        );
        std::fs::write(&log, lines).unwrap();
        let (requests, end) = ApiRequests::read(&log, 0).unwrap();
        assert_eq!(requests.count(|k| k.verb == "apply" && k.dry_run), 1);
        assert_eq!(requests.count(|k| k.verb == "patch" && k.resource == "ks/status"), 1);
        assert_eq!(requests.count(|k| k.user == "b" && k.resource == "/readyz"), 1);
        assert_eq!(ApiRequests::read(&log, end).unwrap().0.iter().count(), 0);
    }
}
