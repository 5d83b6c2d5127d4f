//! Which fields the transformers change: the built-in tables, and what a kustomization adds.

mod crds;
mod defaults;

pub(crate) use crds::from_crds;

use std::sync::Arc;

use manifest::Gvk;
use serde::Deserialize;

use crate::field_spec::FieldSpec;
use crate::order::kind_key;

/// The fields that hold the name of a kind of object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct NameReference {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    #[serde(rename = "fieldSpecs")]
    pub(crate) referrers: Vec<FieldSpec>,
}

impl NameReference {
    pub(crate) fn gvk(&self) -> Gvk {
        Gvk { group: self.group.clone(), version: self.version.clone(), kind: self.kind.clone() }
    }
}

/// The fields of every transformer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Config {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
}

/// Why two configurations cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to merge {list} fieldSpec: conflicting fieldspecs")]
pub struct MergeError {
    /// The list in which one field is both made and not made.
    pub list: &'static str,
}

impl Config {
    /// The built-in fields; shared, for most kustomizations add none.
    pub(crate) fn built_in() -> Arc<Self> {
        defaults::BUILT_IN.clone()
    }

    /// Adds the fields of another configuration.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        merge_specs(&mut self.name_prefix, &other.name_prefix, "NamePrefix")?;
        merge_specs(&mut self.name_suffix, &other.name_suffix, "NameSuffix")?;
        merge_specs(&mut self.namespace, &other.namespace, "NameSpace")?;
        merge_specs(&mut self.common_annotations, &other.common_annotations, "CommonAnnotations")?;
        merge_specs(&mut self.common_labels, &other.common_labels, "CommonLabels")?;
        merge_specs(&mut self.labels, &other.labels, "Labels")?;
        merge_specs(&mut self.template_labels, &other.template_labels, "TemplateLabels")?;
        merge_specs(&mut self.var_reference, &other.var_reference, "VarReference")?;
        for reference in &other.name_reference {
            let gvk = reference.gvk();
            match self.name_reference.iter_mut().find(|known| known.gvk() == gvk) {
                Some(known) => {
                    merge_specs(&mut known.referrers, &reference.referrers, "NameReference")?;
                }
                None => self.name_reference.push(reference.clone()),
            }
        }
        merge_specs(&mut self.images, &other.images, "Images")?;
        merge_specs(&mut self.replicas, &other.replicas, "Replicas")?;
        self.sort();
        Ok(())
    }

    /// Puts the fields in the order of their kinds. That of the references counts: where one field
    /// may name objects of several kinds, the first kind that has such an object wins.
    fn sort(&mut self) {
        for list in [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ] {
            list.sort_by_cached_key(|spec| kind_key(&spec.gvk()));
        }
        self.name_reference.sort_by_cached_key(|reference| kind_key(&reference.gvk()));
    }
}

/// Adds the fields that are not covered yet.
pub(crate) fn merge_specs(
    known: &mut Vec<FieldSpec>,
    more: &[FieldSpec],
    list: &'static str,
) -> Result<(), MergeError> {
    for spec in more {
        match known.iter().find(|known| known.covers(spec)) {
            Some(known) if known.create != spec.create => return Err(MergeError { list }),
            Some(_) => {}
            None => known.push(spec.clone()),
        }
    }
    Ok(())
}
