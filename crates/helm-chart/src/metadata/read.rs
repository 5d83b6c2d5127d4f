//! From a YAML document to fields, as Go's decoder fills a struct.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Dependency, Lock, Maintainer, Metadata};
use crate::document::{DocumentError, mismatch};
use crate::quote::float_text;

/// Metadata as it was written: entries of lists may be null, nothing is checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawMetadata {
    pub(super) fields: Metadata,
    pub(super) maintainers: Vec<Option<Maintainer>>,
    pub(super) dependencies: Option<Vec<Option<Dependency>>>,
}

impl RawMetadata {
    /// Lays a document over what is there; a later file overrides fields of an earlier one.
    pub(crate) fn apply(&mut self, document: &Value) -> Result<(), DocumentError> {
        let fields = Fields::of(document, "Metadata", "", "value of type v2.Metadata")?;
        let to = &mut self.fields;
        fields.text("name", &mut to.name)?;
        fields.text("home", &mut to.home)?;
        fields.texts("sources", &mut to.sources)?;
        fields.text("version", &mut to.version)?;
        fields.text("description", &mut to.description)?;
        fields.texts("keywords", &mut to.keywords)?;
        fields.text("icon", &mut to.icon)?;
        fields.text("apiVersion", &mut to.api_version)?;
        fields.text("condition", &mut to.condition)?;
        fields.text("tags", &mut to.tags)?;
        fields.text("appVersion", &mut to.app_version)?;
        fields.flag("deprecated", &mut to.deprecated)?;
        fields.text_map("annotations", &mut to.annotations)?;
        fields.text("kubeVersion", &mut to.kube_version)?;
        fields.text("type", &mut to.kind)?;
        if let Some(list) = fields.list("maintainers", "[]*v2.Maintainer")? {
            self.maintainers = list.iter().map(maintainer).collect::<Result<_, _>>()?;
        }
        if let Some(list) = fields.list("dependencies", "[]*v2.Dependency")? {
            self.dependencies = Some(list.iter().map(dependency).collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Which kind of chart this is, by `apiVersion` alone: Helm looks at that first.
    pub(crate) fn api_version_of(document: &Value) -> Result<String, DocumentError> {
        let fields = Fields::of(document, "chartBase", "", "value of type loader.chartBase")?;
        let mut version = String::new();
        fields.text("apiVersion", &mut version)?;
        Ok(version)
    }

    pub(crate) fn set_default_api_version(&mut self) {
        if self.fields.api_version.is_empty() {
            "v1".clone_into(&mut self.fields.api_version);
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.fields.version
    }

    pub(crate) fn is_v1(&self) -> bool {
        self.fields.is_v1()
    }
}

impl Lock {
    pub(crate) fn read(document: &Value) -> Result<Self, DocumentError> {
        let mut lock = Self::default();
        let fields = Fields::of(document, "Lock", "", "value of type v2.Lock")?;
        fields.text("generated", &mut lock.generated)?;
        fields.text("digest", &mut lock.digest)?;
        if let Some(list) = fields.list("dependencies", "[]*v2.Dependency")? {
            for item in list {
                lock.dependencies.extend(dependency(item)?);
            }
        }
        Ok(lock)
    }
}

fn maintainer(value: &Value) -> Result<Option<Maintainer>, DocumentError> {
    if value.is_null() {
        return Ok(None);
    }
    let mut to = Maintainer::default();
    let fields = Fields::of(value, "Maintainer", "maintainers.", "v2.Maintainer")?;
    fields.text("name", &mut to.name)?;
    fields.text("email", &mut to.email)?;
    fields.text("url", &mut to.url)?;
    Ok(Some(to))
}

fn dependency(value: &Value) -> Result<Option<Dependency>, DocumentError> {
    if value.is_null() {
        return Ok(None);
    }
    let mut to = Dependency::default();
    let fields = Fields::of(value, "Dependency", "dependencies.", "v2.Dependency")?;
    fields.text("name", &mut to.name)?;
    fields.text("version", &mut to.version)?;
    fields.text("repository", &mut to.repository)?;
    fields.text("condition", &mut to.condition)?;
    fields.texts("tags", &mut to.tags)?;
    fields.flag("enabled", &mut to.enabled)?;
    fields.text("alias", &mut to.alias)?;
    if let Some(list) = fields.list("import-values", "[]interface {}")? {
        to.import_values.clone_from(list);
    }
    Ok(Some(to))
}

/// The members of one object, on their way into one Go struct.
struct Fields<'a> {
    members: Option<&'a Map<String, Value>>,
    go_type: &'static str,
    path: &'static str,
}

impl<'a> Fields<'a> {
    fn of(
        value: &'a Value,
        go_type: &'static str,
        path: &'static str,
        wanted: &str,
    ) -> Result<Self, DocumentError> {
        match value {
            Value::Object(members) => Ok(Self { members: Some(members), go_type, path }),
            Value::Null => Ok(Self { members: None, go_type, path }),
            other if path.is_empty() => Err(mismatch(other, wanted.to_owned())),
            other => {
                let list = path.trim_end_matches('.');
                Err(mismatch(other, format!("struct field Metadata.{list} of type {wanted}")))
            }
        }
    }

    /// Go finds a field whatever the case of its letters, preferring the exact name.
    fn value(&self, name: &str) -> Option<&'a Value> {
        let members = self.members?;
        let found = members.get(name).or_else(|| {
            members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        found.filter(|value| !value.is_null())
    }

    fn text(&self, name: &str, to: &mut String) -> Result<(), DocumentError> {
        if let Some(value) = self.value(name) {
            *to = scalar_text(value).ok_or_else(|| self.mismatch(value, name, "string"))?;
        }
        Ok(())
    }

    fn texts(&self, name: &str, to: &mut Vec<String>) -> Result<(), DocumentError> {
        if let Some(list) = self.list(name, "[]string")? {
            *to = list
                .iter()
                .map(|v| null_or_text(v).ok_or_else(|| self.mismatch(v, name, "string")))
                .collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    fn text_map(
        &self,
        name: &str,
        to: &mut Option<BTreeMap<String, String>>,
    ) -> Result<(), DocumentError> {
        match self.value(name) {
            None => {}
            Some(Value::Object(members)) => {
                let texts = members.iter().map(|(key, value)| {
                    let text = null_or_text(value);
                    text.map(|text| (key.clone(), text))
                        .ok_or_else(|| self.mismatch(value, name, "string"))
                });
                to.get_or_insert_default().extend(texts.collect::<Result<Vec<_>, _>>()?);
            }
            Some(other) => return Err(self.mismatch(other, name, "map[string]string")),
        }
        Ok(())
    }

    fn flag(&self, name: &str, to: &mut bool) -> Result<(), DocumentError> {
        match self.value(name) {
            None => {}
            Some(Value::Bool(flag)) => *to = *flag,
            Some(other) => return Err(self.mismatch(other, name, "bool")),
        }
        Ok(())
    }

    fn list(&self, name: &str, go_type: &str) -> Result<Option<&'a Vec<Value>>, DocumentError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.mismatch(other, name, go_type)),
        }
    }

    fn mismatch(&self, found: &Value, name: &str, go_type: &str) -> DocumentError {
        let (outer, path) = (self.go_type, self.path);
        mismatch(found, format!("struct field {outer}.{path}{name} of type {go_type}"))
    }
}

fn null_or_text(value: &Value) -> Option<String> {
    if value.is_null() { Some(String::new()) } else { scalar_text(value) }
}

/// Helm's YAML reader knows that the field is a text and prints other scalars: `1.10` is `1.1`.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) if number.is_f64() => number.as_f64().map(float_text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
