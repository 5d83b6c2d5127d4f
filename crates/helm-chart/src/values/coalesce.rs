//! A user's values over the defaults of a chart and of the charts within it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Node, Table};
use crate::Rules;
use crate::chart::Chart;
use crate::quote::float_text;

/// The key that every sub-chart inherits.
const GLOBAL: &str = "global";

/// Why values do not fit a chart. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoalesceError {
    /// The key of a sub-chart holds something other than a map.
    #[error("type mismatch on {chart}: {found}")]
    NotAMap {
        /// Name of the sub-chart.
        chart: String,
        /// Go's `%t` of what is there.
        found: String,
    },
}

/// What nulls do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// A null takes away the default that it stands over.
    Remove,
    /// Nulls stay, for a later round.
    Keep,
}

/// The values that a chart's templates see: `values` over the chart's defaults, each sub-chart's
/// defaults below its name, globals handed down.
///
/// # Errors
/// If the key of a sub-chart holds something other than a map.
pub fn coalesce(
    chart: &Chart,
    values: &Map<String, Value>,
    rules: Rules,
) -> Result<Map<String, Value>, CoalesceError> {
    Ok(coalesce_table(chart, values, rules)?.to_map())
}

/// [`coalesce`], leaving tables shared as Helm does.
pub(crate) fn coalesce_table<'a>(
    chart: &'a Chart,
    values: &'a Map<String, Value>,
    rules: Rules,
) -> Result<Table<'a>, CoalesceError> {
    let table = Table::from(values);
    chart_over(chart, &table, Nulls::Remove, rules)?;
    Ok(table)
}

/// The same without removing nulls.
pub(crate) fn merge_table<'a>(
    chart: &'a Chart,
    values: &'a Map<String, Value>,
    rules: Rules,
) -> Result<Table<'a>, CoalesceError> {
    let table = Table::from(values);
    chart_over(chart, &table, Nulls::Keep, rules)?;
    Ok(table)
}

/// Limit: recursion, as deep as charts nest; the loader has the limit.
fn chart_over<'a>(
    chart: &'a Chart,
    values: &Table<'a>,
    nulls: Nulls,
    rules: Rules,
) -> Result<(), CoalesceError> {
    defaults_under(chart, values, nulls, rules);
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let own = match values.get(name) {
            None => {
                let own = Table::default();
                values.insert(name, Node::Table(own.clone()));
                own
            }
            Some(Node::Table(own)) => own,
            Some(Node::Leaf(found)) => {
                return Err(CoalesceError::NotAMap {
                    chart: name.to_owned(),
                    found: go_boolean_verb(found),
                });
            }
        };
        hand_down_globals(values, &own);
        chart_over(subchart, &own, nulls, rules)?;
    }
    Ok(())
}

/// Puts a chart's own defaults under the values.
fn defaults_under<'a>(chart: &'a Chart, values: &Table<'a>, nulls: Nulls, rules: Rules) {
    for (key, default) in &chart.values {
        let default = Node::from(default);
        // Helm 4: a null among the defaults is no default.
        let clean = |nulls| nulls == Nulls::Remove && rules == Rules::Helm4;
        match (values.get(key), default) {
            (Some(value), _) if value.is_null() && nulls == Nulls::Remove => values.remove(key),
            (Some(Node::Table(value)), Node::Table(default)) => {
                let is_subchart = chart.dependencies.iter().any(|sub| sub.name() == key);
                let nulls = if is_subchart { Nulls::Keep } else { nulls };
                if clean(nulls) {
                    default.remove_nulls();
                }
                table_under(&value, &default, nulls);
            }
            (Some(_), _) => {}
            (None, default) => {
                if clean(nulls) {
                    if default.is_null() {
                        continue;
                    }
                    if let Some(table) = default.table() {
                        table.remove_nulls();
                    }
                }
                values.insert(key, default);
            }
        }
    }
}

/// Puts the entries of `under` below those of `over`; `over` wins.
///
/// `under` changes too: it learns the nulls of `over`.
pub(crate) fn table_under<'a>(over: &Table<'a>, under: &Table<'a>, nulls: Nulls) {
    if over.is_same(under) {
        return;
    }
    let mut default_existed = BTreeSet::new();
    for (key, node) in over.entries() {
        if node.is_null() {
            if under.get(key).is_some_and(|default| !default.is_null()) {
                default_existed.insert(key);
            }
            under.insert(key, Node::NULL);
        }
    }
    for (key, default) in under.entries() {
        match (over.get(key), default) {
            // A null of the user takes a default away; where there was none, it stays.
            (Some(value), _)
                if nulls == Nulls::Remove && value.is_null() && default_existed.contains(key) =>
            {
                over.remove(key);
            }
            (None, default) => over.insert(key, default),
            (Some(Node::Table(value)), Node::Table(default)) => {
                table_under(&value, &default, nulls);
            }
            (Some(_), _) => {}
        }
    }
}

/// Lays a parent's globals over those of a sub-chart.
fn hand_down_globals<'a>(parent: &Table<'a>, child: &Table<'a>) {
    let table = |of: &Table<'a>| match of.get(GLOBAL) {
        None => Some(Table::default()),
        Some(Node::Table(table)) => Some(table),
        Some(Node::Leaf(_)) => None,
    };
    let (Some(to), Some(from)) = (table(child), table(parent)) else { return };
    for (key, node) in from.entries() {
        match (node, to.get(key)) {
            (Node::Table(value), None) => to.insert(key, Node::Table(value.shallow_copy())),
            (Node::Table(value), Some(Node::Table(own))) => {
                let merged = value.shallow_copy();
                table_under(&merged, &own, Nulls::Keep);
                to.insert(key, Node::Table(merged));
            }
            // A map does not replace a plain value, nor the other way round.
            (Node::Table(_), Some(Node::Leaf(_))) | (Node::Leaf(_), Some(Node::Table(_))) => {}
            (leaf @ Node::Leaf(_), None | Some(Node::Leaf(_))) => to.insert(key, leaf),
        }
    }
    child.insert(GLOBAL, Node::Table(to));
}

/// Go's `%t`, which Helm uses here for whatever it finds.
fn go_boolean_verb(value: &Value) -> String {
    match value {
        Value::Null => "%!t(<nil>)".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if number.is_f64() => {
            let text = number.as_f64().map(float_text).unwrap_or_default();
            format!("%!t(float64={text})")
        }
        Value::Number(number) => format!("%!t(int64={number})"),
        Value::String(text) => format!("%!t(string={text})"),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(go_boolean_verb).collect::<Vec<_>>().join(" "))
        }
        Value::Object(_) => "map[]".to_owned(),
    }
}
