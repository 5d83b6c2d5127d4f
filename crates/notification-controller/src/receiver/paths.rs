//! Receivers by their paths, with their filters.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crd_types::notification::Receiver;
use kube::ResourceExt as _;
use sha2::{Digest as _, Sha256};

use super::filters::{Filters, InvalidFilter};

/// All Receivers, by the digests of their paths.
///
/// A path is a secret of sorts. Of a search for a digest, nobody learns how much of the path was right.
#[derive(Debug, Default)]
pub(crate) struct Paths(HashMap<[u8; 32], Arc<Hook>>);

/// A Receiver, as requests see it.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) receiver: Arc<Receiver>,
    /// Compiled for the first request.
    filters: OnceLock<Result<Filters, InvalidFilter>>,
}

impl Paths {
    /// Where two have the same path, the first by namespace and name has it.
    pub(super) fn of(mut receivers: Vec<Arc<Receiver>>) -> Self {
        receivers.sort_by_key(|receiver| (receiver.namespace(), receiver.name_any()));
        let mut paths = HashMap::new();
        for receiver in receivers {
            let path = receiver.status.as_ref().and_then(|it| it.webhook_path.as_deref());
            if let Some(path) = path.filter(|path| !path.is_empty()) {
                let key = digest(path);
                paths.entry(key).or_insert_with(|| Arc::new(Hook::of(receiver)));
            }
        }
        Self(paths)
    }

    /// The Receiver whose path this is, letter for letter.
    pub(super) fn at(&self, path: &str) -> Option<Arc<Hook>> {
        self.0.get(&digest(path)).cloned()
    }
}

impl Hook {
    fn of(receiver: Arc<Receiver>) -> Self {
        Self { receiver, filters: OnceLock::new() }
    }

    /// The filters of the Receiver, or why it has none that can be used.
    pub(super) fn filters(&self) -> Result<&Filters, &InvalidFilter> {
        self.filters.get_or_init(|| Filters::of(&self.receiver.spec)).as_ref()
    }
}

fn digest(path: &str) -> [u8; 32] {
    Sha256::digest(path).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn receiver(name: &str, path: Option<&str>) -> Arc<Receiver> {
        let receiver = json!({
            "metadata": {"name": name, "namespace": "apps"},
            "spec": {"type": "generic", "resources": []},
            "status": {"webhookPath": path},
        });
        Arc::new(serde_json::from_value(receiver).unwrap())
    }

    #[test]
    fn a_receiver_is_found_by_its_whole_path_only() {
        let paths = Paths::of(vec![
            receiver("c", Some("/hook/1")),
            receiver("b", Some("/hook/1")),
            receiver("a", Some("/hook/2")),
            receiver("blank", Some("")),
            receiver("none", None),
        ]);
        let at = |path: &str| paths.at(path).map(|hook| hook.receiver.name_any());
        assert_eq!(at("/hook/1").as_deref(), Some("b"));
        assert_eq!(at("/hook/2").as_deref(), Some("a"));
        for other in ["", "/hook/", "/hook/3", "/hook/1?x=y", "/hook/1/", "/HOOK/1"] {
            assert_eq!(at(other), None, "{other}");
        }
    }
}
