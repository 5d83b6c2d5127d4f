//! One custom resource definition: its schema, and the versions that serve it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::column::Column;
use super::schema;

/// A limit of the newest version that an older version did not have: the path of a field, and the
/// keyword that is taken away there. `required` means that the field itself may be absent.
pub(super) type Lift = (&'static str, &'static str);

/// A kind with all versions that are served.
pub(super) struct Definition {
    resource: CustomResourceDefinition,
    description: Value,
    annotations: Vec<(&'static str, &'static str)>,
    spec: Value,
    versions: Vec<Version>,
}

struct Version {
    name: String,
    columns: Vec<Column>,
    status: Option<Value>,
    lifts: &'static [Lift],
}

impl Definition {
    /// A kind whose newest version, which is the stored one, has these columns.
    pub(super) fn new<Kind, Spec>(columns: &[Column]) -> Self
    where
        Kind: CustomResourceExt,
        Spec: JsonSchema,
    {
        let stored = Version {
            name: Kind::api_resource().version,
            columns: columns.to_vec(),
            status: None,
            lifts: &[],
        };
        let mut spec = schema::of::<Spec>();
        // What the type says of itself says most about the kind.
        let description = spec["description"].take();
        spec["description"] = json!("What is wished for.");
        Self {
            resource: Kind::crd(),
            description,
            annotations: Vec::new(),
            spec,
            versions: vec![stored],
        }
    }

    /// Serves an older version as well. Columns and lifts are its own, the rest is the newest version's.
    pub(super) fn also(mut self, name: &str, columns: &[Column], lifts: &'static [Lift]) -> Self {
        let columns = columns.to_vec();
        self.versions.push(Version { name: name.to_owned(), columns, status: None, lifts });
        self
    }

    /// Gives every version this status.
    pub(super) fn status<Status: JsonSchema>(mut self) -> Self {
        set_status::<Status>(&mut self.versions);
        self
    }

    /// Gives every version but the newest this status.
    pub(super) fn older_status<Status: JsonSchema>(mut self) -> Self {
        set_status::<Status>(&mut self.versions[1..]);
        self
    }

    /// Adds an annotation to the definition itself.
    pub(super) fn annotated(mut self, key: &'static str, value: &'static str) -> Self {
        self.annotations.push((key, value));
        self
    }

    /// `<group>_<plural>.yaml`
    pub(super) fn file_name(&self) -> String {
        format!("{}_{}.yaml", self.resource.spec.group, self.resource.spec.names.plural)
    }

    /// The definition as it is applied.
    pub(super) fn manifest(&self) -> Value {
        let spec = &self.resource.spec;
        let mut metadata = json!({ "name": self.resource.metadata.name });
        for (key, value) in &self.annotations {
            metadata["annotations"][*key] = json!(value);
        }
        let mut names = json!({
            "kind": spec.names.kind,
            "listKind": format!("{}List", spec.names.kind),
            "plural": spec.names.plural,
            "singular": spec.names.singular,
        });
        for (key, words) in
            [("shortNames", &spec.names.short_names), ("categories", &spec.names.categories)]
        {
            if let Some(words) = words.as_ref().filter(|words| !words.is_empty()) {
                names[key] = json!(words);
            }
        }
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": {
                "group": spec.group,
                "names": names,
                "scope": spec.scope,
                "versions": self.versions.iter().map(|version| self.version(version)).collect::<Vec<_>>(),
            },
        })
    }

    fn version(&self, version: &Version) -> Value {
        let (kind, stored) = (&self.resource.spec.names.kind, &self.versions[0].name);
        let is_stored = version.name == *stored;
        let mut manifest = json!({
            "name": version.name,
            "served": true,
            "storage": is_stored,
            "additionalPrinterColumns": version.columns.iter().map(Column::manifest).collect::<Vec<_>>(),
            "schema": { "openAPIV3Schema": self.schema(version) },
            "subresources": version.status.as_ref().map_or_else(|| json!({}), |_| json!({ "status": {} })),
        });
        if !is_stored {
            let name = &version.name;
            manifest["deprecated"] = json!(true);
            manifest["deprecationWarning"] =
                json!(format!("{name} {kind} is deprecated, upgrade to {stored}"));
        }
        manifest
    }

    fn schema(&self, version: &Version) -> Value {
        let mut schema = self.strict_schema(version);
        for (path, limit) in version.lifts {
            lift(&mut schema, path, limit);
        }
        schema
    }

    fn strict_schema(&self, version: &Version) -> Value {
        let mut schema = json!({
            "description": self.description,
            "type": "object",
            "properties": {
                "apiVersion": { "type": "string", "description": "Group and version of this object." },
                "kind": { "type": "string", "description": "Kind of this object." },
                "metadata": { "type": "object" },
                "spec": self.spec,
            },
        });
        if let Some(status) = &version.status {
            schema["properties"]["status"] = status.clone();
        }
        schema
    }

    /// Lifts that change nothing, because the newest version has no such limit.
    #[cfg(test)]
    pub(super) fn stale_lifts(&self) -> Vec<String> {
        let mut stale = Vec::new();
        for version in &self.versions {
            let mut schema = self.strict_schema(version);
            for (path, limit) in version.lifts {
                if !lift(&mut schema, path, limit) {
                    stale.push(format!("{} {} {path} {limit}", self.file_name(), version.name));
                }
            }
        }
        stale
    }
}

fn set_status<Status: JsonSchema>(versions: &mut [Version]) {
    let mut status = schema::of::<Status>();
    if status.pointer("/properties/observedGeneration").is_some() {
        status["default"] = json!({ "observedGeneration": -1 });
    }
    for version in versions {
        version.status = Some(status.clone());
    }
}

/// Takes a limit away, and says whether it was there. A path is like `spec.resources[].kind`.
fn lift(schema: &mut Value, path: &str, limit: &str) -> bool {
    let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
    let Some(parent) = descend(schema, parent) else { return false };
    if limit == "required" {
        let Some(required) = parent.get_mut("required").and_then(Value::as_array_mut) else {
            return false;
        };
        let before = required.len();
        required.retain(|name| name != field);
        let is_lifted = required.len() < before;
        if required.is_empty()
            && let Some(parent) = parent.as_object_mut()
        {
            parent.remove("required");
        }
        return is_lifted;
    }
    descend(parent, field)
        .and_then(Value::as_object_mut)
        .and_then(|field| field.remove(limit))
        .is_some()
}

fn descend<'a>(schema: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(schema, |schema, step| {
        let name = step.trim_end_matches("[]");
        let field = schema.get_mut("properties")?.get_mut(name)?;
        if name == step { Some(field) } else { field.get_mut("items") }
    })
}
