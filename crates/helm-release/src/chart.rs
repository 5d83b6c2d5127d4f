//! A chart as a record holds it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helm_chart::{Chart, ChartFile, Metadata};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::record::null_is_empty;

/// The time that Go prints for none.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A chart as a record holds it: without its sub-charts, which Helm does not store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChartRecord {
    /// `Chart.yaml`.
    pub metadata: Option<Map<String, Value>>,
    /// `Chart.lock`.
    pub lock: Value,
    /// Files below `templates/`.
    #[serde(deserialize_with = "null_is_empty")]
    pub templates: Vec<FileRecord>,
    /// `values.yaml`.
    pub values: Option<Map<String, Value>>,
    /// `values.schema.json` in base64.
    pub schema: Option<String>,
    /// All other files.
    #[serde(deserialize_with = "null_is_empty")]
    pub files: Vec<FileRecord>,
    /// Times of files, and fields of other versions of Helm.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// A file of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileRecord {
    /// Path below the chart's folder.
    pub name: String,
    /// The content in base64.
    pub data: Option<String>,
    /// The time of the file, and fields of other versions of Helm.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// A chart that several records hold, stored as if each had its own.
pub(crate) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::ChartRecord;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(
        chart: &Option<Arc<ChartRecord>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        chart.as_deref().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<ChartRecord>>, D::Error> {
        Ok(Option::<ChartRecord>::deserialize(deserializer)?.map(Arc::new))
    }
}

impl ChartRecord {
    /// What is stored of a chart.
    pub fn of(chart: &Chart) -> Self {
        let lock = chart.lock.as_ref().map_or(Value::Null, |lock| {
            json!({
                "generated": if lock.generated.is_empty() { NO_TIME } else { &lock.generated },
                "digest": lock.digest,
                "dependencies": lock.dependencies.iter().map(dependency).collect::<Vec<_>>(),
            })
        });
        Self {
            metadata: Some(metadata(&chart.metadata)),
            lock,
            templates: chart.templates.iter().map(file).collect(),
            values: Some(chart.values.clone()),
            schema: chart.schema.as_ref().map(|schema| STANDARD.encode(schema)),
            files: chart.files.iter().map(file).collect(),
            others: BTreeMap::from([("schemamodtime".to_owned(), Value::from(NO_TIME))]),
        }
    }

    /// A text of `Chart.yaml`; empty if it says nothing.
    pub fn text(&self, field: &str) -> &str {
        let value = self.metadata.as_ref().and_then(|metadata| metadata.get(field));
        value.and_then(Value::as_str).unwrap_or_default()
    }
}

fn file(file: &ChartFile) -> FileRecord {
    FileRecord {
        name: file.name.clone(),
        data: Some(STANDARD.encode(&file.bytes)),
        others: BTreeMap::new(),
    }
}

/// `Chart.yaml` as Go prints it: what is empty is left out.
fn metadata(metadata: &Metadata) -> Map<String, Value> {
    let mut map = Map::new();
    let texts = [
        ("name", &metadata.name),
        ("home", &metadata.home),
        ("version", &metadata.version),
        ("description", &metadata.description),
        ("icon", &metadata.icon),
        ("apiVersion", &metadata.api_version),
        ("condition", &metadata.condition),
        ("tags", &metadata.tags),
        ("appVersion", &metadata.app_version),
        ("kubeVersion", &metadata.kube_version),
        ("type", &metadata.kind),
    ];
    put_texts(&mut map, &texts);
    for (name, list) in [("sources", &metadata.sources), ("keywords", &metadata.keywords)] {
        if !list.is_empty() {
            map.insert(name.to_owned(), json!(list));
        }
    }
    if metadata.deprecated {
        map.insert("deprecated".to_owned(), Value::Bool(true));
    }
    if let Some(annotations) = metadata.annotations.as_ref().filter(|map| !map.is_empty()) {
        map.insert("annotations".to_owned(), json!(annotations));
    }
    let maintainer = |of: &helm_chart::Maintainer| {
        let mut map = Map::new();
        put_texts(&mut map, &[("name", &of.name), ("email", &of.email), ("url", &of.url)]);
        Value::Object(map)
    };
    if !metadata.maintainers.is_empty() {
        let all: Vec<Value> = metadata.maintainers.iter().map(maintainer).collect();
        map.insert("maintainers".to_owned(), Value::Array(all));
    }
    if let Some(dependencies) = metadata.dependencies.as_ref().filter(|list| !list.is_empty()) {
        let all: Vec<Value> = dependencies.iter().map(dependency).collect();
        map.insert("dependencies".to_owned(), Value::Array(all));
    }
    map
}

fn dependency(of: &helm_chart::Dependency) -> Value {
    let mut map = Map::new();
    map.insert("name".to_owned(), Value::from(of.name.as_str()));
    map.insert("repository".to_owned(), Value::from(of.repository.as_str()));
    let texts = [("version", &of.version), ("condition", &of.condition), ("alias", &of.alias)];
    put_texts(&mut map, &texts);
    if !of.tags.is_empty() {
        map.insert("tags".to_owned(), json!(of.tags));
    }
    if of.enabled {
        map.insert("enabled".to_owned(), Value::Bool(true));
    }
    if !of.import_values.is_empty() {
        map.insert("import-values".to_owned(), Value::Array(of.import_values.clone()));
    }
    Value::Object(map)
}

fn put_texts(map: &mut Map<String, Value>, texts: &[(&str, &String)]) {
    for (name, text) in texts {
        if !text.is_empty() {
            map.insert((*name).to_owned(), Value::from(text.as_str()));
        }
    }
}
