//! Hooks: manifests that run at a moment of a release instead of being part of it.

use crate::manifest::Manifest;

/// A manifest that is created when an event occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `metadata.name`.
    pub name: String,
    /// `kind`.
    pub kind: String,
    /// Path of the template.
    pub path: String,
    /// The document as rendered.
    pub manifest: String,
    /// When it runs.
    pub events: Vec<HookEvent>,
    /// Lower runs first; 0 if the annotation is no number.
    pub weight: i64,
    /// `hook-succeeded`, `hook-failed`, `before-hook-creation`, or other words as written.
    pub delete_policies: Vec<String>,
    /// `hook-succeeded`, `hook-failed`, or other words as written.
    pub output_log_policies: Vec<String>,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are Helm's")]
pub enum HookEvent {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

impl HookEvent {
    /// Helm's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::Test => "test",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        // A word of Helm 2.
        if word == "test-success" {
            return Some(Self::Test);
        }
        let all = [
            Self::PreInstall,
            Self::PostInstall,
            Self::PreDelete,
            Self::PostDelete,
            Self::PreUpgrade,
            Self::PostUpgrade,
            Self::PreRollback,
            Self::PostRollback,
            Self::Test,
        ];
        all.into_iter().find(|event| event.name() == word)
    }
}

/// What a document is.
pub(crate) enum Class {
    Manifest(Manifest),
    Hook(Hook),
    /// A hook for an event that nobody knows. Flux: it is dropped without a word (Helm's
    /// `manifest_sorter.go`).
    Unknown,
}

pub(crate) fn classify(manifest: Manifest) -> Class {
    let Some(events) = manifest.annotations.get("helm.sh/hook") else {
        return Class::Manifest(manifest);
    };
    let events: Option<Vec<HookEvent>> =
        words(events).map(|word| HookEvent::parse(&word)).collect();
    let Some(events) = events else { return Class::Unknown };
    let list = |annotation: &str| {
        manifest.annotations.get(annotation).map(|text| words(text).collect()).unwrap_or_default()
    };
    let weight = manifest.annotations.get("helm.sh/hook-weight");
    Class::Hook(Hook {
        events,
        weight: weight.and_then(|weight| weight.parse().ok()).unwrap_or(0),
        delete_policies: list("helm.sh/hook-delete-policy"),
        output_log_policies: list("helm.sh/hook-output-log-policy"),
        name: manifest.name,
        kind: manifest.kind,
        path: manifest.path,
        manifest: manifest.content,
    })
}

fn words(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|word| word.trim().to_lowercase())
}
