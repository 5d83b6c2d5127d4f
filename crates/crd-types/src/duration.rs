//! Durations as their author wrote them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A duration in Go's notation (`90s`, `1h30m`), kept letter for letter.
///
/// Never parsed on the way through: printing a parsed duration again would change `1m0s` to `60s`
/// in a user's spec, and one malformed value must not make a whole list undecodable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GoDuration(pub String);

impl GoDuration {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How long it is, as Go reads it.
    ///
    /// # Errors
    /// If the text is no duration, which only an API server without our schema lets through.
    pub fn to_duration(&self) -> Result<go_duration::Duration, go_duration::Error> {
        go_duration::parse(&self.0)
    }
}

impl From<&str> for GoDuration {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for GoDuration {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for GoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for GoDuration {
    fn schema_name() -> Cow<'static, str> {
        "GoDuration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// The notation Flux admits almost everywhere; fields with another one say so themselves.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$" })
    }
}
