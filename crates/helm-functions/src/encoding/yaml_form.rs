//! YAML, by way of JSON as Kubernetes does it.

use go_template::{Call, CallError, Functions, Integers, List, Map, Type, Value};
use serde_json::Value as Json;

use super::json_read::{error_list, error_map};
use crate::Dialect;
use crate::arguments::{any, ok, string};
use crate::error::FunctionError;

const ANY: Type = Type::Any;
const S: Type = Type::String;

pub(crate) fn register(f: &mut Functions, dialect: Dialect) {
    f.add("toYaml", [ANY], |call, a| match emit(call, any(a, 0)) {
        // Flux: what cannot be written becomes nothing.
        Err(CallError::Function(_)) => ok(""),
        other => ok(other?),
    });
    if dialect == Dialect::Helm4 {
        f.add("mustToYaml", [ANY], |call, a| ok(emit(call, any(a, 0))?));
    }
    f.add("toYamlPretty", [ANY], |call, a| {
        let json = plain(&any(a, 0).to_json()?);
        let text = yaml::emit_pretty(&json);
        call.make(text.len())?;
        ok(text.trim_end_matches('\n'))
    });
    f.add("fromYaml", [S], |call, a| {
        call.session.spend(string(a, 0).len() as u64 >> 5)?;
        ok(match read(string(a, 0).as_bytes()) {
            Ok(Json::Null) => Map::default(),
            Ok(json @ Json::Object(_)) => match Value::from_json(&json, Integers::Float64) {
                Value::Map(map) => map,
                _ => Map::default(),
            },
            Ok(other) => error_map(wrong_kind(&other, "map[string]interface {}")),
            Err(message) => error_map(message),
        })
    });
    f.add("fromYamlArray", [S], |call, a| {
        call.session.spend(string(a, 0).len() as u64 >> 5)?;
        ok(match read(string(a, 0).as_bytes()) {
            Ok(Json::Null) => List::nil(go_template::Elem::Any),
            Ok(json @ Json::Array(_)) => match Value::from_json(&json, Integers::Float64) {
                Value::List(list) => list,
                _ => List::nil(go_template::Elem::Any),
            },
            Ok(other) => error_list(wrong_kind(&other, "[]interface {}")),
            Err(message) => error_list(message),
        })
    });
}

fn emit(call: &mut Call<'_>, value: &Value) -> Result<String, CallError> {
    if has_no_json(value) {
        return Err(FunctionError::from(super::Unsupported("NaN")).into());
    }
    let mut text = yaml::emit(&plain(&value.to_json()?));
    call.make(text.len())?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn has_no_json(value: &Value) -> bool {
    matches!(value, Value::Float(number) if !number.is_finite())
}

/// Whole numbers as whole numbers: `encoding/json` writes a float 1e6 as `1000000`, which is read
/// back as an integer.
fn plain(json: &Json) -> Json {
    match json {
        Json::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => whole(float).unwrap_or_else(|| json.clone()),
            _ => json.clone(),
        },
        Json::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Json::Object(members) => {
            Json::Object(members.iter().map(|(key, member)| (key.clone(), plain(member))).collect())
        }
        other => other.clone(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the range was checked"
)]
fn whole(float: f64) -> Option<Json> {
    if float.fract() != 0.0 || (float == 0.0 && float.is_sign_negative()) {
        return None;
    }
    if float >= i64::MIN as f64 && float < i64::MAX as f64 {
        return Some(Json::from(float as i64));
    }
    (float > 0.0 && float < u64::MAX as f64).then(|| Json::from(float as u64))
}

fn read(text: &[u8]) -> Result<Json, String> {
    yaml::parse(text).map_err(|error| format!("error converting YAML to JSON: {error}"))
}

fn wrong_kind(json: &Json, wanted: &str) -> String {
    let found = match json {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    )
}
