//! What the fields of a kustomization do.

use serde::Serialize;
use serde_json::{Value, json};

use super::{ConfigError, PluginError, configure};
use crate::budget::Budget;
use crate::config::{Config, merge_specs};
use crate::emit;
use crate::field_spec::FieldSpec;
use crate::generator::{GeneratorError, Kind, generate, with_defaults};
use crate::kustomization::{GeneratorArgs, Kustomization};
use crate::loader::Loader;
use crate::resource::Resource;
use crate::transform::{
    Annotations, Images, Labels, NameAffix, Namespace, Replicas, RoleBindingSubjects, Side,
    Transformer,
};

/// What `configMapGenerator` and `secretGenerator` make, one by one, and what kustomize calls the
/// generator.
pub(crate) fn generated(
    kustomization: &Kustomization,
    loader: &Loader<'_>,
) -> impl Iterator<Item = Result<(&'static str, Resource), GeneratorError>> {
    let defaults = kustomization.generator_options.as_ref();
    [
        ("ConfigMapGenerator", Kind::ConfigMap, &kustomization.config_map_generator),
        ("SecretGenerator", Kind::Secret, &kustomization.secret_generator),
    ]
    .into_iter()
    .flat_map(|(name, kind, all)| all.iter().map(move |args| (name, kind, args)))
    .map(move |(name, kind, args)| {
        let options = with_defaults(args.options.clone(), defaults);
        let args = GeneratorArgs { options, ..args.clone() };
        Ok((name, generate(kind, &args, loader)?))
    })
}

/// The transformers that the fields ask for, in the order in which they work.
pub(crate) fn transformers(
    kustomization: &Kustomization,
    config: &Config,
    loader: &Loader<'_>,
    budget: &Budget,
) -> Result<Vec<Box<dyn Transformer>>, PluginError> {
    budget.spend(copied_specs(kustomization, config).saturating_mul(size_of::<FieldSpec>()))?;
    let mut all: Vec<Box<dyn Transformer>> = Vec::new();
    if !kustomization.patches_strategic_merge.is_empty() {
        let paths = &kustomization.patches_strategic_merge;
        let made = configure::patch_strategic_merge(paths, "", loader);
        all.push(Box::new(
            made.map_err(in_field("PatchStrategicMergeTransformer", || json!({"paths": paths})))?,
        ));
    }
    for patch in &kustomization.patches {
        let shown = || pruned(patch);
        let made = configure::patch(patch, &emit::document(&shown()), loader);
        all.push(Box::new(made.map_err(in_field("PatchTransformer", shown))?));
    }
    if !kustomization.namespace.is_empty() {
        let namespace = kustomization.namespace.clone();
        let subjects = RoleBindingSubjects::default();
        all.push(Box::new(Namespace::new(namespace, &config.namespace, false, subjects)));
    }
    if !kustomization.name_prefix.is_empty() {
        let prefix = kustomization.name_prefix.clone();
        all.push(Box::new(NameAffix::new(Side::Prefix, prefix, &config.name_prefix)));
    }
    if !kustomization.name_suffix.is_empty() {
        let suffix = kustomization.name_suffix.clone();
        all.push(Box::new(NameAffix::new(Side::Suffix, suffix, &config.name_suffix)));
    }
    labels(kustomization, config, &mut all)?;
    if !kustomization.common_annotations.is_empty() {
        let annotations = kustomization.common_annotations.clone();
        all.push(Box::new(Annotations::new(annotations, &config.common_annotations)));
    }
    for patch in &kustomization.patches_json6902 {
        let made =
            configure::patch_json6902(patch.target.as_ref(), &patch.path, &patch.patch, loader);
        all.push(Box::new(made.map_err(in_field("PatchJson6902Transformer", || {
            let mut shown = pruned(patch);
            if let Value::Object(fields) = &mut shown
                && let Some(operations) = fields.remove("patch")
            {
                fields.insert("jsonOp".to_owned(), operations);
            }
            shown
        }))?));
    }
    for replica in &kustomization.replicas {
        all.push(Box::new(Replicas::new(replica.clone(), &config.replicas)));
    }
    for image in &kustomization.images {
        let made = Images::new(image.clone(), &config.images).map_err(ConfigError::from);
        all.push(Box::new(
            made.map_err(in_field("ImageTagTransformer", || json!({"imageTag": pruned(image)})))?,
        ));
    }
    if !kustomization.replacements.is_empty() {
        let made = configure::replacements(&kustomization.replacements, loader);
        all.push(Box::new(made.map_err(in_field("ReplacementTransformer", || {
            json!({"Replacements": kustomization.replacements.iter().map(pruned).collect::<Vec<_>>()})
        }))?));
    }
    Ok(all)
}

/// How many field specifications the transformers hold together.
fn copied_specs(kustomization: &Kustomization, config: &Config) -> usize {
    let of_labels = config.labels.len() + config.common_labels.len() + config.template_labels.len();
    [
        (kustomization.labels.len(), of_labels),
        (kustomization.replicas.len(), config.replicas.len()),
        (kustomization.images.len(), config.images.len()),
    ]
    .into_iter()
    .map(|(transformers, specs)| transformers.saturating_mul(specs))
    .fold(0, usize::saturating_add)
}

fn labels(
    kustomization: &Kustomization,
    config: &Config,
    all: &mut Vec<Box<dyn Transformer>>,
) -> Result<(), PluginError> {
    for label in &kustomization.labels {
        let mut fields = label.fields.clone();
        merge_specs(&mut fields, &config.labels, "labels")?;
        if label.include_selectors {
            merge_specs(&mut fields, &config.common_labels, "labels")?;
        } else {
            if label.include_templates {
                merge_specs(&mut fields, &config.template_labels, "template")?;
            }
            let metadata = [FieldSpec::everywhere("metadata/labels", true)];
            merge_specs(&mut fields, &metadata, "labels")?;
        }
        all.push(Box::new(Labels::new(label.pairs.clone(), &fields)));
    }
    // Flux: as soon as there are labels of one kind, both transformers work.
    if !kustomization.common_labels.is_empty() || !kustomization.labels.is_empty() {
        let labels = kustomization.common_labels.clone();
        all.push(Box::new(Labels::new(labels, &config.common_labels)));
    }
    Ok(())
}

/// Says which field an error is about, with its content as kustomize prints it.
fn in_field(kind: &'static str, config: impl Fn() -> Value) -> impl Fn(ConfigError) -> PluginError {
    move |source| PluginError::Field {
        kind,
        config: emit::document(&config()),
        source: Box::new(source),
    }
}

/// A configuration as Go prints it: without what is empty.
fn pruned<T: Serialize>(value: T) -> Value {
    fn prune(value: &mut Value) -> bool {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| prune(value));
                !fields.is_empty()
            }
            Value::Array(items) => {
                for item in items.iter_mut() {
                    prune(item);
                }
                !items.is_empty()
            }
            Value::String(text) => !text.is_empty(),
            Value::Bool(flag) => *flag,
            Value::Null => false,
            Value::Number(number) => number.as_i64() != Some(0),
        }
    }
    let mut value = serde_json::to_value(value).unwrap_or_default();
    prune(&mut value);
    value
}
