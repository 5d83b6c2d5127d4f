//! TOML read.

use go_template::{Elem, Entries, Functions, List, Map, Str, Type, Value};

use super::json_read::error_map;
use crate::arguments::{ok, text};

/// What the TOML functions object to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum TomlError {
    #[error("toml: top-level values must be Go maps or structs")]
    TopLevel,
    #[error("toml: cannot encode array with nil element")]
    ArrayNil,
    #[error("unsupported type: complex128")]
    Complex,
}

pub(crate) fn register(f: &mut Functions) {
    // Flux: the error becomes part of the result.
    f.add("fromToml", [Type::String], |call, a| {
        let source = text(a, 0);
        call.session.spend(source.len() as u64 >> 4)?;
        call.make(super::read_bytes(source.as_bytes()))?;
        ok(match source.parse::<toml::Table>() {
            Ok(table) => map(table),
            // Differs: where and why are told in other words than those of Go's library.
            Err(error) => error_map(describe(&source, &error)),
        })
    });
}

fn describe(source: &str, error: &toml::de::Error) -> String {
    let end = error.span().map_or(0, |span| span.start);
    let line = 1 + source.get(..end).unwrap_or_default().matches('\n').count();
    format!("toml: line {line}: {}", error.message())
}

fn map(table: toml::Table) -> Map {
    let entries: Entries =
        table.into_iter().map(|(key, item)| (Str::from(key), value(item))).collect();
    Map::new(entries)
}

fn value(item: toml::Value) -> Value {
    match item {
        toml::Value::String(text) => Value::str(text),
        toml::Value::Integer(number) => Value::int64(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(b) => Value::Bool(b),
        toml::Value::Datetime(datetime) => crate::dates::from_toml(&datetime.to_string()),
        toml::Value::Array(items) => {
            let all_tables =
                !items.is_empty() && items.iter().all(|item| matches!(item, toml::Value::Table(_)));
            let elem = if all_tables { Elem::AnyMap } else { Elem::Any };
            Value::List(List::typed(elem, items.into_iter().map(value).collect()))
        }
        toml::Value::Table(table) => Value::Map(map(table)),
    }
}
