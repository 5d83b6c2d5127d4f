//! Which sub-charts take part, under which names, and what they export to their parents.

use serde_json::{Map, Value};

use crate::Rules;
use crate::chart::Chart;
use crate::metadata::Dependency;
use crate::values::{CoalesceError, Node, Nulls, Table, coalesce_table, merge_table, table_under};
use semver_range::{Constraint, Version};

/// Prepares a chart for a release: applies aliases, drops the sub-charts that conditions and tags
/// disable, and imports values from those that stay.
///
/// # Errors
/// If the key of a sub-chart holds something other than a map.
pub fn process(
    chart: &mut Chart,
    values: &Map<String, Value>,
    rules: Rules,
) -> Result<(), CoalesceError> {
    drop_disabled(chart, values, "", rules)?;
    import_values_below(chart, rules)
}

/// Whether a version lies in a range; false if either is malformed.
pub fn is_compatible(range: &str, version: &str) -> bool {
    match (Constraint::parse(range), Version::parse(version)) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => false,
    }
}

/// `path` is that of the chart's values, with a dot at its end.
///
/// Limit: recursion, as deep as charts nest; the loader has the limit.
fn drop_disabled(
    chart: &mut Chart,
    values: &Map<String, Value>,
    path: &str,
    rules: Rules,
) -> Result<(), CoalesceError> {
    let Some(mut wanted) = chart.metadata.dependencies.take() else { return Ok(()) };
    chart.dependencies = named_charts(&chart.dependencies, &wanted);
    for dependency in &mut wanted {
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    let table = coalesce_table(chart, values, rules)?;
    apply_tags(&mut wanted, &table);
    apply_conditions(&mut wanted, &table, path);

    let is_disabled =
        |name: &str| wanted.iter().any(|dependency| !dependency.enabled && dependency.name == name);
    let stays = |subchart: &Chart| !is_disabled(subchart.name());
    let below = chart.dependencies.iter().any(stays).then(|| table.to_map());
    drop(table);
    chart.dependencies.retain(stays);
    let disabled: Vec<String> =
        wanted.iter().filter(|d| !d.enabled).map(|d| d.name.clone()).collect();
    wanted.retain(|dependency| !disabled.contains(&dependency.name));

    if let Some(values) = below {
        for subchart in &mut chart.dependencies {
            let path = format!("{path}{}.", subchart.name());
            drop_disabled(subchart, &values, &path, rules)?;
        }
    }
    chart.metadata.dependencies = (!wanted.is_empty()).then_some(wanted);
    Ok(())
}

/// The charts that nobody lists, then one for each dependency that is there, under its alias.
fn named_charts(present: &[Chart], wanted: &[Dependency]) -> Vec<Chart> {
    let is_for = |chart: &Chart, dependency: &Dependency| {
        chart.name() == dependency.name
            && is_compatible(&dependency.version, &chart.metadata.version)
    };
    let unlisted = present.iter().filter(|chart| !wanted.iter().any(|d| is_for(chart, d)));
    let mut charts: Vec<Chart> = unlisted.cloned().collect();
    for dependency in wanted {
        let Some(chart) = present.iter().find(|chart| is_for(chart, dependency)) else { continue };
        let mut chart = chart.clone();
        if !dependency.alias.is_empty() {
            chart.metadata.name.clone_from(&dependency.alias);
        }
        charts.push(chart);
    }
    charts
}

/// One true tag enables a chart; else one false tag disables it.
fn apply_tags(dependencies: &mut [Dependency], values: &Table<'_>) {
    let Some(tags) = values.table_at("tags") else { return };
    for dependency in dependencies {
        let mut flags = dependency.tags.iter().filter_map(|tag| match tags.get(tag) {
            Some(Node::Leaf(Value::Bool(flag))) => Some(*flag),
            _ => None,
        });
        let first = flags.next();
        dependency.enabled = first != Some(false) || flags.any(|flag| flag);
    }
}

/// The first path that leads to a boolean decides, and it outweighs the tags.
fn apply_conditions(dependencies: &mut [Dependency], values: &Table<'_>, path: &str) {
    for dependency in dependencies {
        let paths = dependency.condition.trim().split(',').filter(|c| !c.is_empty());
        let flag = paths.into_iter().find_map(|condition| {
            match values.leaf_at(&format!("{path}{condition}")) {
                Some(Value::Bool(flag)) => Some(*flag),
                _ => None,
            }
        });
        dependency.enabled = flag.unwrap_or(dependency.enabled);
    }
}

fn import_values_below(chart: &mut Chart, rules: Rules) -> Result<(), CoalesceError> {
    for subchart in &mut chart.dependencies {
        import_values_below(subchart, rules)?;
    }
    import_values(chart, rules)
}

/// Lays what the sub-charts export under the chart's own defaults.
fn import_values(chart: &mut Chart, rules: Rules) -> Result<(), CoalesceError> {
    let Some(dependencies) = &chart.metadata.dependencies else { return Ok(()) };
    let nothing = Map::new();
    // Source and destination of everything that is imported.
    let paths: Vec<(String, String)> = dependencies
        .iter()
        .flat_map(|dependency| dependency.import_values.iter().map(move |i| (dependency, i)))
        .filter_map(|(dependency, import)| {
            let (child, parent) = match import {
                Value::String(export) => (format!("exports.{export}"), ".".to_owned()),
                Value::Object(paths) => (path_text(paths, "child"), path_text(paths, "parent")),
                _ => return None,
            };
            Some((format!("{}.{child}", dependency.name), parent))
        })
        .collect();
    let copy;
    let values = merge_table(chart, &nothing, rules)?;
    let own = if paths.is_empty() {
        values.to_map()
    } else {
        let imported = Table::default();
        for (child, parent) in &paths {
            if let Some(table) = values.table_at(child) {
                table_under(&imported, &nested(parent, table), Nulls::Keep);
            }
        }
        // A copy: what was imported shares its tables with the values it came from.
        copy = values.to_map();
        let own = Table::from(&copy);
        table_under(&own, &imported, Nulls::Keep);
        own.to_map()
    };
    drop(values);
    chart.values = own;
    Ok(())
}

/// Go prints what should be a path, whatever it is.
fn path_text(paths: &Map<String, Value>, key: &str) -> String {
    match paths.get(key) {
        None | Some(Value::Null) => "<nil>".to_owned(),
        Some(Value::String(path)) => path.clone(),
        Some(other) => other.to_string(),
    }
}

/// The table at the end of a path of otherwise empty tables.
fn nested<'a>(path: &'a str, table: Table<'a>) -> Table<'a> {
    if path == "." {
        return table;
    }
    path.rsplit('.').fold(table, |inner, key| {
        let outer = Table::default();
        outer.insert(key, Node::Table(inner));
        outer
    })
}
