//! A kustomization file: its fields, and what is wrong with one.

mod shape;
pub(crate) mod shapes;

pub use shape::ShapeError;
pub(crate) use shape::{Leniency, Struct, json_type, read as read_shape};

use std::collections::BTreeMap;

use manifest::Gvk;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::field_spec::FieldSpec;
use crate::identity::GvkText;
use crate::order::SortOptions;
use crate::selector::Selector;

/// The names that a kustomization file may have; the first that exists counts.
pub(crate) const FILE_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(crate) const KIND: &str = "Kustomization";
pub(crate) const COMPONENT: &str = "Component";
const VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

/// The fields of a kustomization file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Kustomization {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) openapi: BTreeMap<String, String>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: BTreeMap<String, String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: BTreeMap<String, String>,
    pub(crate) patches_strategic_merge: Vec<String>,
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    image_tags: Vec<Image>,
    pub(crate) replacements: Vec<ReplacementField>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) crds: Vec<String>,
    bases: Vec<String>,
    pub(crate) config_map_generator: Vec<GeneratorArgs>,
    pub(crate) secret_generator: Vec<GeneratorArgs>,
    pub(crate) helm_globals: Option<Value>,
    pub(crate) helm_charts: Vec<Value>,
    helm_chart_inflation_generator: Vec<Value>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<String>,
    pub(crate) generators: Vec<String>,
    pub(crate) transformers: Vec<String>,
    pub(crate) validators: Vec<String>,
    pub(crate) build_metadata: Vec<String>,
    /// Whether any field but kind and version is there.
    #[serde(skip)]
    says_something: bool,
}

/// An entry of `labels`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Label {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<FieldSpec>,
}

/// An entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the file format")]
pub(crate) struct Patch {
    pub(crate) path: String,
    pub(crate) patch: String,
    pub(crate) target: Option<Selector>,
    pub(crate) options: Option<PatchOptions>,
}

/// What a strategic merge patch may change besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PatchOptions {
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

/// An entry of `images`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
}

/// An entry of `replicas`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

/// An entry of `replacements`: a replacement, or a file of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ReplacementField {
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) replacement: Replacement,
}

/// A value, and where it is put.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Replacement {
    pub(crate) source: Option<SourceSelector>,
    pub(crate) targets: Option<Vec<TargetSelector>>,
    pub(crate) source_value: Option<String>,
}

/// Where the value of a replacement comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SourceSelector {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) field_path: String,
    pub(crate) options: Option<FieldOptions>,
}

/// Where the value of a replacement goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TargetSelector {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: Option<FieldOptions>,
}

/// Which part of a field a replacement reads or writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: String,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

/// An entry of `vars`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) objref: VarTarget,
    pub(crate) fieldref: FieldSelector,
}

/// As Go prints the struct, of whose target only the kind has words.
impl std::fmt::Display for Var {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let VarTarget { group, version, kind, .. } = &self.objref;
        let gvk = Gvk { group: group.clone(), version: version.clone(), kind: kind.clone() };
        write!(f, "{{{} {} {{{}}}}}", self.name, GvkText(&gvk), self.fieldref.field_path)
    }
}

/// The object that a var reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VarTarget {
    pub(crate) api_version: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// The field that a var reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct FieldSelector {
    pub(crate) field_path: String,
}

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GeneratorArgs {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) env: String,
    pub(crate) options: Option<GeneratorOptions>,
    #[serde(rename = "type")]
    pub(crate) secret_type: String,
}

/// `generatorOptions`, or the options of one generator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

/// What is wrong with a kustomization file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KustomizationError {
    /// It is no YAML.
    #[error("invalid Kustomization: {reason}")]
    Yaml {
        /// What the parser says.
        reason: String,
    },
    /// A field is unknown or of another type.
    #[error("invalid Kustomization: {0}")]
    Shape(ShapeError),
    /// There is nothing in it.
    #[error("kustomization.yaml is empty")]
    Empty,
    /// Kind or version are not those of a kustomization.
    #[error("Failed to read kustomization file under {directory}:\n{}", problems.join("\n"))]
    WrongKind {
        /// The directory.
        directory: String,
        /// What should be.
        problems: Vec<String>,
    },
}

impl Kustomization {
    /// Reads the fields of a document.
    pub(crate) fn read(document: &Value) -> Result<Self, KustomizationError> {
        let fields = shape::read(document, &shapes::KUSTOMIZATION, Leniency::None)
            .map_err(KustomizationError::Shape)?;
        Self::from_fields(fields)
    }

    /// Takes fields that are in shape.
    pub(crate) fn from_fields(fields: Map<String, Value>) -> Result<Self, KustomizationError> {
        let says_something = fields.iter().any(|(name, value)| match name.as_str() {
            "apiVersion" | "kind" => false,
            // What moves to another field is gone where it stood.
            "bases" | "imageTags" | "helmChartInflationGenerator" => !crate::value::is_empty(value),
            _ => value.as_str() != Some(""),
        });
        let read: Self = serde_json::from_value(Value::Object(fields))
            .map_err(|error| KustomizationError::Yaml { reason: format!("json: {error}") })?;
        Ok(Self { says_something, ..read })
    }

    /// The deprecated fields that it uses, as kustomize warns of them.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let edit = "Run 'kustomize edit fix' to update your Kustomization automatically.";
        let fields = [
            (!self.bases.is_empty(), "bases", "resources", ""),
            (!self.common_labels.is_empty(), "commonLabels", "labels", ""),
            (!self.image_tags.is_empty(), "imageTags", "images", ""),
            (!self.patches_json6902.is_empty(), "patchesJson6902", "patches", ""),
            (!self.patches_strategic_merge.is_empty(), "patchesStrategicMerge", "patches", ""),
            (!self.vars.is_empty(), "vars", "replacements", "[EXPERIMENTAL] "),
        ];
        let used = fields.into_iter().filter(|(used, ..)| *used);
        used.map(|(_, old, new, tag)| {
            format!("# Warning: '{old}' is deprecated. Please use '{new}' instead. {tag}{edit}")
        })
        .collect()
    }

    /// Moves what stands in old fields into the new ones, and checks kind and version.
    ///
    /// # Errors
    /// If nothing stands in it, or it is no kustomization.
    pub(crate) fn fixed(mut self, directory: &str) -> Result<Self, KustomizationError> {
        if self.kind.is_empty() {
            KIND.clone_into(&mut self.kind);
        }
        let version = if self.kind == COMPONENT { COMPONENT_VERSION } else { VERSION };
        if self.api_version.is_empty() {
            version.clone_into(&mut self.api_version);
        }
        self.resources.append(&mut self.bases);
        self.images.append(&mut self.image_tags);
        for args in self.config_map_generator.iter_mut().chain(&mut self.secret_generator) {
            if !args.env.is_empty() {
                args.envs.push(std::mem::take(&mut args.env));
            }
        }
        self.helm_charts.append(&mut self.helm_chart_inflation_generator);
        if !self.says_something {
            return Err(KustomizationError::Empty);
        }
        let mut problems = Vec::new();
        if self.kind != KIND && self.kind != COMPONENT {
            problems.push(format!("kind should be {KIND} or {COMPONENT}"));
        }
        if self.api_version != version {
            problems.push(format!("apiVersion for {} should be {version}", self.kind));
        }
        if !problems.is_empty() {
            let directory = directory.to_owned();
            return Err(KustomizationError::WrongKind { directory, problems });
        }
        Ok(self)
    }
}
