//! Built-in plugins that documents of `generators`, `transformers` and `validators` configure.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::configure::{self, typed};
use super::{ConfigError, PluginError};
use crate::documents;
use crate::field_spec::FieldSpec;
use crate::generator::{IamPolicy, Kind, generate};
use crate::identity::GvkText;
use crate::kustomization::{
    GeneratorArgs, Image, Leniency, Patch, ReplacementField, Replica, Struct, read_shape, shapes,
};
use crate::loader::Loader;
use crate::resource::Resource;
use crate::selector::{Matcher, Selector};
use crate::transform::{
    Annotations, Hash, Images, Labels, NameAffix, Namespace, Replicas, RoleBindingSubjects, Side,
    Transformer, ValueAdd, ValueTarget,
};

/// The fields of the plugins that are not fields of a kustomization too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Settings {
    metadata: Metadata,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    field_specs: Option<Vec<FieldSpec>>,
    unset_only: bool,
    set_role_binding_subjects: String,
    prefix: String,
    suffix: String,
    image_tag: Image,
    replica: Replica,
    replacements: Vec<ReplacementField>,
    target: Option<Selector>,
    path: String,
    json_op: String,
    paths: Vec<String>,
    patches: String,
    value: String,
    targets: Vec<Target>,
    target_file_path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: String,
}

/// Where a value goes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    selector: Option<Selector>,
    field_path: String,
    file_path_position: i64,
}

/// Runs the generator that a document configures.
pub(crate) fn generator(document: &Resource, loader: &Loader<'_>) -> Result<Resource, PluginError> {
    let kind = builtin(document)?;
    let made = match kind.as_str() {
        "ConfigMapGenerator" => key_values(Kind::ConfigMap, document, loader),
        "SecretGenerator" => key_values(Kind::Secret, document, loader),
        "IAMPolicyGenerator" => iam_policy(document),
        "HelmChartInflationGenerator" => return Err(PluginError::Helm { field: "generators" }),
        kind if transforms(kind) => {
            return Err(PluginError::NotAGenerator { id: document.original_id().to_string() });
        }
        _ => return Err(unknown(document)),
    };
    made.map_err(|source| in_document(document, source))
}

/// The transformers that a document configures: one, or two for both ends of a name.
pub(crate) fn transformer(
    document: &Resource,
    loader: &Loader<'_>,
) -> Result<Vec<Box<dyn Transformer>>, PluginError> {
    let kind = builtin(document)?;
    if !transforms(&kind) {
        let generates = matches!(
            kind.as_str(),
            "ConfigMapGenerator"
                | "SecretGenerator"
                | "IAMPolicyGenerator"
                | "HelmChartInflationGenerator"
        );
        return Err(if generates {
            PluginError::NotATransformer { id: document.original_id().to_string() }
        } else {
            unknown(document)
        });
    }
    configured(&kind, document, loader).map_err(|source| in_document(document, source))
}

fn transforms(kind: &str) -> bool {
    shape(kind).is_some()
}

/// The fields of a transformer.
fn shape(kind: &str) -> Option<&'static Struct> {
    Some(match kind {
        "AnnotationsTransformer" => &shapes::ANNOTATIONS_PLUGIN,
        "HashTransformer" => &shapes::HASH_PLUGIN,
        "ImageTagTransformer" => &shapes::IMAGE_PLUGIN,
        "LabelTransformer" => &shapes::LABEL_PLUGIN,
        "NamespaceTransformer" => &shapes::NAMESPACE_PLUGIN,
        "PatchJson6902Transformer" => &shapes::PATCH_JSON_PLUGIN,
        "PatchStrategicMergeTransformer" => &shapes::PATCH_STRATEGIC_PLUGIN,
        "PatchTransformer" => &shapes::PATCH_PLUGIN,
        "PrefixSuffixTransformer" | "PrefixTransformer" | "SuffixTransformer" => {
            &shapes::PREFIX_SUFFIX_PLUGIN
        }
        "ReplacementTransformer" => &shapes::REPLACEMENT_PLUGIN,
        "ReplicaCountTransformer" => &shapes::REPLICA_PLUGIN,
        "ValueAddTransformer" => &shapes::VALUE_ADD_PLUGIN,
        _ => return None,
    })
}

fn configured(
    kind: &str,
    document: &Resource,
    loader: &Loader<'_>,
) -> Result<Vec<Box<dyn Transformer>>, ConfigError> {
    let Some(shape) = shape(kind) else { return Ok(Vec::new()) };
    let fields = read_shape(&Value::Object(document.fields.clone()), shape, Leniency::All)?;
    if kind == "PatchTransformer" {
        let patch: Patch = typed(Value::Object(fields))?;
        let config = crate::emit::document(&Value::Object(document.fields.clone()));
        return Ok(vec![Box::new(configure::patch(&patch, &config, loader)?)]);
    }
    let settings: Settings = typed(Value::Object(fields))?;
    let specs = settings.field_specs.clone().unwrap_or_default();
    let affix = |side, affix: &str| -> Result<Box<dyn Transformer>, ConfigError> {
        let specs = settings.field_specs.as_ref().ok_or(ConfigError::NoFieldSpecs)?;
        Ok(Box::new(NameAffix::new(side, affix.to_owned(), specs)))
    };
    Ok(match kind {
        "AnnotationsTransformer" => vec![Box::new(Annotations::new(settings.annotations, &specs))],
        "HashTransformer" => vec![Box::new(Hash)],
        "ImageTagTransformer" => vec![Box::new(Images::new(settings.image_tag, &specs)?)],
        "LabelTransformer" => vec![Box::new(Labels::new(settings.labels, &specs))],
        "NamespaceTransformer" => {
            let subjects = RoleBindingSubjects::parse(&settings.set_role_binding_subjects)?;
            let namespace = settings.metadata.namespace;
            vec![Box::new(Namespace::new(namespace, &specs, settings.unset_only, subjects))]
        }
        "PatchJson6902Transformer" => {
            let Settings { target, path, json_op, .. } = &settings;
            vec![Box::new(configure::patch_json6902(target.as_ref(), path, json_op, loader)?)]
        }
        "PatchStrategicMergeTransformer" => {
            let Settings { paths, patches, .. } = &settings;
            vec![Box::new(configure::patch_strategic_merge(paths, patches, loader)?)]
        }
        "PrefixSuffixTransformer" => {
            vec![affix(Side::Prefix, &settings.prefix)?, affix(Side::Suffix, &settings.suffix)?]
        }
        "PrefixTransformer" => vec![affix(Side::Prefix, &settings.prefix)?],
        "SuffixTransformer" => vec![affix(Side::Suffix, &settings.suffix)?],
        "ReplacementTransformer" => {
            vec![Box::new(configure::replacements(&settings.replacements, loader)?)]
        }
        "ReplicaCountTransformer" => vec![Box::new(Replicas::new(settings.replica, &specs))],
        "ValueAddTransformer" => vec![Box::new(value_add(settings, loader)?)],
        _ => Vec::new(),
    })
}

fn value_add(settings: Settings, loader: &Loader<'_>) -> Result<ValueAdd, ConfigError> {
    let mut value = settings.value.trim().to_owned();
    if value.is_empty() {
        loader.root_name().rsplit('/').next().unwrap_or_default().clone_into(&mut value);
    }
    let mut targets = settings.targets;
    if !settings.target_file_path.is_empty() {
        let document = documents::plain(&loader.load(&settings.target_file_path)?)?;
        let fields = read_shape(&document, &shapes::VALUE_ADD_PLUGIN, Leniency::All)?;
        targets.extend(typed::<Settings>(Value::Object(fields))?.targets);
    }
    if targets.is_empty() {
        return Err(ConfigError::NoTargets);
    }
    let targets = targets.into_iter().map(|target| {
        if target.field_path.is_empty() {
            return Err(ConfigError::NoFieldPath);
        }
        let position = target.file_path_position;
        Ok(ValueTarget {
            selector: target.selector.as_ref().map(Matcher::new).transpose()?,
            field_path: target.field_path,
            file_path_position: usize::try_from(position)
                .or(Err(ConfigError::NegativePosition { position }))?,
        })
    });
    Ok(ValueAdd { value, targets: targets.collect::<Result<_, _>>()? })
}

fn key_values(
    kind: Kind,
    document: &Resource,
    loader: &Loader<'_>,
) -> Result<Resource, ConfigError> {
    let document = Value::Object(document.fields.clone());
    let fields = read_shape(&document, &shapes::GENERATOR_PLUGIN, Leniency::All)?;
    let metadata: Metadata =
        typed(fields.get("metadata").cloned().unwrap_or_else(|| Value::Object(Map::new())))?;
    let mut args: GeneratorArgs = typed(Value::Object(fields))?;
    if args.name.is_empty() {
        args.name = metadata.name;
    }
    if args.namespace.is_empty() {
        args.namespace = metadata.namespace;
    }
    Ok(generate(kind, &args, loader)?)
}

fn iam_policy(document: &Resource) -> Result<Resource, ConfigError> {
    let document = Value::Object(document.fields.clone());
    let fields = read_shape(&document, &shapes::IAM_PLUGIN, Leniency::All)?;
    Ok(typed::<IamPolicy>(Value::Object(fields))?.generate()?)
}

/// The kind of a document that configures a built-in plugin.
fn builtin(document: &Resource) -> Result<String, PluginError> {
    let gvk = document.gvk();
    if gvk.group.is_empty() && gvk.version == "builtin" {
        return Ok(gvk.kind);
    }
    Err(PluginError::External { kind: document.original_id().gvk.kind })
}

fn unknown(document: &Resource) -> PluginError {
    PluginError::Unknown { kind: GvkText(&document.gvk()).to_string() }
}

fn in_document(document: &Resource, source: ConfigError) -> PluginError {
    PluginError::Document { id: document.original_id().to_string(), source: Box::new(source) }
}
