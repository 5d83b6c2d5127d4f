//! From what schemars derives to what an API server accepts as a structural schema.
//!
//! Keywords of a field are given by `#[schemars(extend(…))]`. Two of them have a meaning of their own
//! here: `x-required` marks a field as required that the Rust type can do without, because an older
//! version did not require it, and `null` takes a derived keyword away.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

const REQUIRED: &str = "x-required";
const ANYTHING: &str = "x-kubernetes-preserve-unknown-fields";

/// The structural schema of a type.
pub(super) fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    structural(settings.into_generator().into_root_schema_for::<T>().to_value())
}

// Limit: recursion as deep as our own types nest, which is fixed at compile time.
fn structural(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else {
        return json!({ ANYTHING: true });
    };
    schema.retain(|keyword, value| keyword != "title" && !value.is_null());
    unwrap_option(&mut schema);
    if let Some(Value::Object(properties)) = schema.remove("properties") {
        let (properties, required) = fields(properties, schema.remove("required").as_ref());
        schema.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = schema.remove(keyword) {
            schema.insert(keyword.to_owned(), structural(inner));
        }
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if !schema.contains_key("type") {
        schema.insert(ANYTHING.to_owned(), json!(true));
    }
    Value::Object(schema)
}

/// The fields of an object, and the sorted names of those that are required.
fn fields(
    fields: Map<String, Value>,
    derived: Option<&Value>,
) -> (Map<String, Value>, BTreeSet<String>) {
    let mut required: BTreeSet<String> = derived
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let fields = fields
        .into_iter()
        .map(|(name, mut field)| {
            if field.as_object_mut().and_then(|field| field.remove(REQUIRED)).is_some() {
                required.insert(name.clone());
            }
            (name, structural(field))
        })
        .collect();
    (fields, required)
}

/// Takes the `null` out of an optional field: Go leaves absent fields out, and so do the upstream schemas.
fn unwrap_option(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(mut branches)) = schema.remove("anyOf") {
        branches.retain(|branch| branch["type"] != "null");
        for (keyword, value) in branches.into_iter().filter_map(into_object).flatten() {
            // What the field says stands over what its type says.
            schema.entry(keyword).or_insert(value);
        }
    }
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
