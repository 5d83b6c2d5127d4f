//! What we are about to do to a release, written before it is done.

use serde::{Deserialize, Serialize};

/// The annotation on the Secret of a record that holds the intent. Helm keeps no annotations, so
/// whatever Helm writes over our record is recognisable as its own.
pub const ANNOTATION: &str = "ferroflux.dev/intent";

/// What was about to be done when a record was written. A controller that finds one was killed in
/// the middle, and goes on where that one stopped.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// What is being done.
    pub action: IntentAction,
    /// When it began, in RFC 3339: a hook that ran later ran for it.
    pub started_at: String,
    /// The revision that an upgrade starts from, or that a rollback goes back to.
    pub from: Option<i64>,
    /// For tests: what made the revision that is tested. Who was killed before the status said that
    /// there is this revision learns it here.
    pub made_by: Option<IntentAction>,
    /// Why a hook failed, until the action has come to its end; of tests beyond that.
    pub failure: Option<String>,
    /// Whether it is done, well or badly. Such a mark stays, so that a controller that was killed
    /// before it noted the end in the status knows it for its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
}

/// What is being done to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum IntentAction {
    Install,
    Upgrade,
    Rollback,
    Uninstall,
    Test,
}

impl Intent {
    /// What made the revision that bears the intent, if that is known.
    pub const fn maker(&self) -> Option<IntentAction> {
        match self.action {
            IntentAction::Test => self.made_by,
            action => Some(action),
        }
    }

    /// The intent as the annotation holds it.
    pub fn to_annotation(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an annotation. What cannot be read is not ours.
    pub fn from_annotation(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
