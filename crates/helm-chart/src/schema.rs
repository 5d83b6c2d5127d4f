//! `values.schema.json`: whether values are what a chart expects.
//!
//! Drafts 4 to 2020-12 are understood, with Helm 4's words for what is wrong. A schema is hostile
//! input: nothing is ever fetched, and depth and steps are limited.
//!
//! Differs: a `$ref` to a URL is an error, where Helm fetches it.

mod costs;
mod document;
mod failure;
mod format;
mod metaschema;
mod path;
mod validate;

use serde_json::{Map, Value};

use crate::chart::Chart;
use crate::document::with_floats;
use crate::quote::quoted;
use costs::Costs;
use document::Document;
use failure::Failure;

/// Why a schema could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SchemaError {
    #[error(transparent)]
    Json(#[from] strvals::JsonError),
    #[error("failing loading {}: remote references are not allowed", quoted(.url))]
    Remote { url: String },
    #[error("failing loading {0}: no URLLoader registered for {0}", quoted(.url))]
    NoLoader { url: String },
    #[error("json-pointer in {} not found", quoted(.url))]
    NotFound { url: String },
    #[error("anchor in {} not found in schema {}", quoted(.url), quoted(.schema))]
    NoAnchor { url: String, schema: &'static str },
    /// The meta-schema of its draft does not hold.
    #[error(
        "\"file:///values.schema.json#\" is not valid against metaschema: jsonschema validation failed with '{metaschema}#'\n{}",
        .failure.trim_end()
    )]
    Malformed { metaschema: &'static str, failure: String },
    #[error("a URL in the schema has more than {} bytes", document::MAX_URL_BYTES)]
    LongUrl,
    #[error("invalid regex {} in the schema", quoted(.pattern))]
    Pattern { pattern: String },
    #[error("schema nests deeper than {} levels", validate::MAX_DEPTH)]
    TooDeep,
    #[error("checking schemas takes more than {} steps", costs::MAX_STEPS)]
    TooManySteps,
}

/// Values are not what one or more charts expect. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "values don't meet the specifications of the schema(s) in the following chart(s):\n{charts}"
)]
pub struct Mismatch {
    /// For each chart its name and what is wrong.
    charts: String,
}

/// Checks coalesced values against the schema of a chart and those of its sub-charts.
///
/// # Errors
/// If values violate a schema, or a schema cannot be used.
pub fn validate(chart: &Chart, values: &Map<String, Value>) -> Result<(), Mismatch> {
    let mut charts = String::new();
    report(chart, values, &Costs::default(), &mut charts);
    if charts.is_empty() { Ok(()) } else { Err(Mismatch { charts }) }
}

/// Limit: recursion, as deep as charts nest; the loader has the limit.
fn report(chart: &Chart, values: &Map<String, Value>, costs: &Costs, out: &mut String) {
    if let Some(schema) = &chart.schema
        && let Err(complaint) = check(schema, values, costs)
    {
        out.push_str(chart.name());
        out.push_str(":\n");
        out.push_str(&complaint);
    }
    for subchart in &chart.dependencies {
        match values.get(subchart.name()) {
            None | Some(Value::Null) => {}
            Some(Value::Object(values)) => report(subchart, values, costs, out),
            Some(other) => {
                let found = go_type(other);
                out.push_str(subchart.name());
                out.push_str(":\ninvalid type for values: expected object (map), got ");
                out.push_str(found);
                out.push('\n');
            }
        }
    }
}

fn check(schema: &[u8], values: &Map<String, Value>, costs: &Costs) -> Result<(), String> {
    match failure(schema, values, costs) {
        Ok(None) => Ok(()),
        Ok(Some(failure)) => Err(failure.report()),
        Err(error) => Err(error.to_string()),
    }
}

fn failure(
    schema: &[u8],
    values: &Map<String, Value>,
    costs: &Costs,
) -> Result<Option<Failure>, SchemaError> {
    // Reading it and looking through it.
    costs.spend(schema.len() >> 6)?;
    let schema = strvals::json_document(&String::from_utf8_lossy(schema))?;
    document::check_draft(&schema)?;
    let document = Document::new(&schema, costs)?;
    metaschema::check(&document, &schema, costs)?;
    document.check_references(costs)?;
    // Numbers of `--set` are integers; a schema does not tell them from floats.
    validate::run(&document, &Value::Object(with_floats(values.clone())), costs)
}

const fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
