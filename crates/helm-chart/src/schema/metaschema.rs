//! Whether a schema is one, by the meta-schema of its draft.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::costs::Costs;
use super::document::{Document, Draft};
use super::{SchemaError, validate};

/// Deepest nesting that is looked at before the meta-schema is asked.
const MAX_DEPTH: usize = 64;

/// The meta-schema of a draft, with the parts that it refers to.
struct Metaschema {
    url: &'static str,
    /// The meta-schema first.
    texts: &'static [&'static str],
}

macro_rules! metaschema {
    ($url:literal, $($file:literal),+) => {
        Metaschema {
            url: $url,
            texts: &[$(include_str!(concat!("metaschemas/", $file, ".json"))),+],
        }
    };
}

/// As json-schema.org publishes them.
const METASCHEMAS: [Metaschema; 5] = [
    metaschema!("http://json-schema.org/draft-04/schema", "draft-04"),
    metaschema!("http://json-schema.org/draft-06/schema", "draft-06"),
    metaschema!("http://json-schema.org/draft-07/schema", "draft-07"),
    metaschema!(
        "https://json-schema.org/draft/2019-09/schema",
        "2019-09/schema",
        "2019-09/core",
        "2019-09/applicator",
        "2019-09/validation",
        "2019-09/meta-data",
        "2019-09/format",
        "2019-09/content"
    ),
    metaschema!(
        "https://json-schema.org/draft/2020-12/schema",
        "2020-12/schema",
        "2020-12/core",
        "2020-12/applicator",
        "2020-12/unevaluated",
        "2020-12/validation",
        "2020-12/meta-data",
        "2020-12/format-annotation",
        "2020-12/content"
    ),
];

/// Checks a schema against the meta-schema of its draft.
///
/// # Errors
/// [`SchemaError::Malformed`], or that it takes too many steps to tell.
pub(super) fn check(
    document: &Document<'_>,
    schema: &Value,
    costs: &Costs,
) -> Result<(), SchemaError> {
    static PARSED: LazyLock<[Vec<Value>; 5]> = LazyLock::new(|| {
        METASCHEMAS.map(|meta| {
            let parsed = meta.texts.iter().map(|text| serde_json::from_str(text));
            parsed.map(Result::unwrap_or_default).collect()
        })
    });
    if (Plain { draft: document.draft, costs }).is_schema(schema, 0) {
        return Ok(());
    }
    let place = document.draft as usize;
    let Some((root, parts)) = PARSED[place].split_first() else { return Ok(()) };
    let root = Document::new(root, costs)?;
    let mut meta = parts.iter().try_fold(root, |all, part| all.with_resource(part, costs))?;
    meta.asserts_format = true;
    match validate::run(&meta, schema, costs)? {
        None => Ok(()),
        Some(failure) => Err(SchemaError::Malformed {
            metaschema: METASCHEMAS[place].url,
            failure: failure.report(),
        }),
    }
}

/// Whether a schema is well-formed beyond doubt, which nearly all are: the meta-schemas take a
/// hundred times as long to say so.
struct Plain<'c> {
    draft: Draft,
    costs: &'c Costs,
}

impl Plain<'_> {
    /// Limit: recursion, to [`MAX_DEPTH`].
    fn is_schema(&self, schema: &Value, depth: usize) -> bool {
        let Value::Object(members) = schema else {
            return schema.is_boolean() && self.draft > Draft::D4;
        };
        depth < MAX_DEPTH
            && members.iter().all(|(keyword, value)| self.is_member(keyword, value, depth + 1))
            && (self.draft > Draft::D4 || is_plain_old(members))
    }

    fn is_member(&self, keyword: &str, value: &Value, depth: usize) -> bool {
        let draft = self.draft;
        let is_schema = |value: &Value| self.is_schema(value, depth);
        // With no steps left none is one; what looks next says so.
        let is_pattern = |text: &str| matches!(self.costs.compiled(text), Ok(Ok(_)));
        let all_schemas = |value: &Value| {
            value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_schema))
        };
        let is_count = |value: &Value| value.as_u64().is_some();
        match keyword {
            "$ref" | "id" => value.as_str().is_some_and(is_plain_url),
            "$id" => value.as_str().is_some_and(|url| is_plain_url(url) && !url.contains('#')),
            "$schema" => value.as_str().is_some_and(|url| is_plain_url(url) && url.contains("://")),
            "title" | "description" | "$comment" | "format" => value.is_string(),
            "default" | "examples" | "example" | "const" => {
                keyword != "examples" || value.is_array()
            }
            "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => value.is_boolean(),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" => is_count(value),
            "minimum" | "maximum" => value.is_number(),
            "exclusiveMinimum" | "exclusiveMaximum" => draft > Draft::D4 && value.is_number(),
            "type" => match value {
                Value::String(name) => is_type(name),
                Value::Array(names) => {
                    !names.is_empty()
                        && names.iter().all(|name| name.as_str().is_some_and(is_type))
                        && is_unique(names)
                }
                _ => false,
            },
            "required" => value.as_array().is_some_and(|names| {
                names.iter().all(Value::is_string)
                    && (draft > Draft::D4 || !names.is_empty())
                    && is_unique(names)
            }),
            // Two drafts want it unique.
            "enum" => value.as_array().is_some_and(|list| !list.is_empty() && is_unique(list)),
            "pattern" => value.as_str().is_some_and(is_pattern),
            "properties" | "definitions" | "$defs" => {
                value.as_object().is_some_and(|schemas| schemas.values().all(is_schema))
            }
            "patternProperties" => value.as_object().is_some_and(|schemas| {
                schemas.iter().all(|(pattern, schema)| is_pattern(pattern) && is_schema(schema))
            }),
            "additionalProperties" | "additionalItems" => value.is_boolean() || is_schema(value),
            "items" => is_schema(value) || (draft < Draft::D2020 && all_schemas(value)),
            "not" | "if" | "then" | "else" | "contains" | "propertyNames" => is_schema(value),
            "allOf" | "anyOf" | "oneOf" => all_schemas(value),
            // What the drafts do not know is not theirs to judge; what else they know is looked up.
            other => !KNOWN.contains(&other),
        }
    }
}

/// The words of the drafts that are not looked at here.
const KNOWN: [&str; 18] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "maxContains",
    "minContains",
    "multipleOf",
    "prefixItems",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// The oldest draft's own rules.
fn is_plain_old(members: &Map<String, Value>) -> bool {
    ["exclusiveMinimum", "exclusiveMaximum"].iter().all(|keyword| !members.contains_key(*keyword))
}

fn is_type(name: &str) -> bool {
    ["array", "boolean", "integer", "null", "number", "object", "string"].contains(&name)
}

/// Whether no item stands twice.
fn is_unique(items: &[Value]) -> bool {
    let mut seen = HashSet::new();
    items.iter().all(|item| seen.insert(item))
}

/// Characters that no format of a URL objects to.
fn is_plain_url(text: &str) -> bool {
    !text.starts_with(':')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"#/$._-:~".contains(&b))
}
