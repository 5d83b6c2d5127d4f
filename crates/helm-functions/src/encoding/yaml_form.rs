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
        // Flux: this one does not go by way of JSON, so a float stays one: `1e+06`.
        let text = yaml::emit_pretty(&any(a, 0).to_json()?);
        call.make(text.len())?;
        call.session.spend(text.len() as u64 >> PRINTING)?;
        ok(text.strip_suffix('\n').unwrap_or(&text))
    });
    f.add("fromYaml", [S], |call, a| {
        ok(match read(call, string(a, 0).as_bytes())? {
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
        ok(match read(call, string(a, 0).as_bytes())? {
            Ok(Json::Null) => List::typed(go_template::Elem::Any, Vec::new()),
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
    let json = plain(value.to_json()?)
        .ok_or_else(|| FunctionError::Yaml("yaml: could not find expected ':'".to_owned()))?;
    let mut text = yaml::emit(&json);
    call.make(text.len())?;
    call.session.spend(text.len() as u64 >> PRINTING)?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn has_no_json(value: &Value) -> bool {
    matches!(value, Value::Float(number) if !number.is_finite())
}

/// What is read back from the value's JSON, whence YAML is printed: a float 1e6, written as
/// `1000000`, is an integer then. `None` if the JSON cannot be read.
fn plain(json: Json) -> Option<Json> {
    Some(match json {
        Json::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => whole(float).unwrap_or(Json::Number(number)),
            _ => Json::Number(number),
        },
        Json::String(text) if text.contains(NEXT_LINE) => Json::String(folded(&text)),
        Json::Array(items) => Json::Array(items.into_iter().map(plain).collect::<Option<_>>()?),
        Json::Object(mut members) => {
            for (key, member) in &mut members {
                // A key must not run over lines.
                (!key.contains(NEXT_LINE)).then_some(())?;
                *member = plain(member.take())?;
            }
            Json::Object(members)
        }
        other => other,
    })
}

/// A line end in YAML, but an ordinary character in JSON.
const NEXT_LINE: char = '\u{85}';

/// Line ends within quotes are folded: one to a space, more to one less.
fn folded(text: &str) -> String {
    let mut lines = text.split(NEXT_LINE).peekable();
    let mut out = String::new();
    let mut empty_lines = 0;
    let mut is_first = true;
    while let Some(line) = lines.next() {
        let line = if is_first { line } else { line.trim_start_matches([' ', '\t']) };
        let is_last = lines.peek().is_none();
        let line = if is_last { line } else { line.trim_end_matches([' ', '\t']) };
        if line.is_empty() && !is_first && !is_last {
            empty_lines += 1;
            continue;
        }
        match (is_first, empty_lines) {
            (true, _) => {}
            (false, 0) => out.push(' '),
            (false, count) => out.extend(std::iter::repeat_n('\n', count)),
        }
        out.push_str(line);
        empty_lines = 0;
        is_first = false;
    }
    out
}

/// By its shortest digits: that is what stands in the JSON between.
fn whole(float: f64) -> Option<Json> {
    if float.fract() != 0.0 || (float == 0.0 && float.is_sign_negative()) {
        return None;
    }
    let digits = float.to_string();
    let signed = digits.parse::<i64>().ok().map(Json::from);
    signed.or_else(|| digits.parse::<u64>().ok().map(Json::from))
}

/// The outer error is of the budget, the inner one what the template gets to see.
fn read(call: &mut Call<'_>, text: &[u8]) -> Result<Result<Json, String>, CallError> {
    call.session.spend(text.len() as u64 >> PARSING)?;
    call.make(super::read_bytes(text))?;
    match yaml::parse_with(text, &LIMITS) {
        Err(yaml::Error::TooLarge { what, limit }) => {
            Err(FunctionError::Exhausted { what, limit: limit as u64 }.into())
        }
        other => Ok(other.map_err(|error| format!("error converting YAML to JSON: {error}"))),
    }
}

/// What a YAML text in a template may cost.
const LIMITS: yaml::Limits = yaml::Limits {
    bytes: 8 << 20,
    depth: 256,
    nodes: 200_000,
    aliased_nodes: 100_000,
    aliased_bytes: 8 << 20,
};

/// A step is this many bytes printed, as a power of two.
const PRINTING: u32 = 1;
/// A step is this many bytes parsed.
const PARSING: u32 = 2;

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
