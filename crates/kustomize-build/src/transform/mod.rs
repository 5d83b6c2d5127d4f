//! What changes resources: one file for each of kustomize's built-in transformers.

mod annotations;
mod hash;
mod images;
mod labels;
mod name_affix;
mod namespace;
mod patch;
mod patch_json6902;
mod patch_strategic_merge;
mod replacements;
mod replicas;
mod value_add;

pub(crate) use annotations::Annotations;
pub(crate) use hash::Hash;
pub(crate) use images::Images;
pub(crate) use labels::Labels;
pub(crate) use name_affix::{NameAffix, Side};
pub(crate) use namespace::{Namespace, RoleBindingSubjects};
pub(crate) use patch::{Content as PatchContent, PatchTransformer, Target as PatchTarget};
pub(crate) use patch_json6902::PatchJson6902;
pub(crate) use patch_strategic_merge::PatchStrategicMerge;
pub(crate) use replacements::Replacements;
pub(crate) use replicas::Replicas;
pub(crate) use value_add::{ValueAdd, ValueTarget};

use manifest::Gvk;

use crate::budget::{Budget, Overspent};
use crate::field_spec::{FieldError, FieldSpec, Make, visit_map};
use crate::json_patch::JsonPatchError;
use crate::merge::StrategicMergeError;
use crate::path_match::PathError;
use crate::resource::Resource;
use crate::resources::{Resources, ResourcesError};
use crate::schema::SchemaState;
use crate::selector::SelectorError;
use serde_json::Value;

/// What all transformers of a build share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) schema: SchemaState,
    pub(crate) budget: Budget,
}

/// Changes resources.
pub(crate) trait Transformer: std::fmt::Debug {
    /// What kustomize calls it.
    fn kind(&self) -> &'static str;

    /// Changes the resources.
    ///
    /// # Errors
    /// If kustomize would refuse to.
    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError>;
}

/// Why resources could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// A field could not be changed.
    #[error("considering field '{path}' of object {object}")]
    Field {
        /// The path of the field.
        path: String,
        /// The object.
        object: String,
        /// Why.
        source: FieldError,
    },
    /// A namespace could not be set.
    #[error("{prefix}")]
    Namespace {
        /// What kind of failure it is.
        prefix: &'static str,
        /// Why.
        source: Box<Self>,
    },
    /// Two objects would become one.
    #[error("namespace transformation produces ID conflict: {objects}")]
    NamespaceConflict {
        /// The objects.
        objects: String,
    },
    /// A way to set the namespace of subjects that does not exist.
    #[error(
        "invalid value {mode:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \
         \"none\" or \"allServiceAccounts\""
    )]
    RoleBindingSubjects {
        /// What is written.
        mode: String,
    },
    /// No workload has the name for which replicas are set.
    #[error(
        "resource with name {name} does not match a config with the following GVK [{}]",
        kinds.join(" ")
    )]
    NoReplicas {
        /// The name.
        name: String,
        /// The kinds that have replicas.
        kinds: Vec<String>,
    },
    /// A strategic merge patch has no target.
    #[error("no resource matches strategic merge patch {id:?}")]
    NoPatchTarget {
        /// The patch.
        id: String,
        /// Why.
        source: ResourcesError,
    },
    /// A strategic merge patch has a malformed target.
    #[error("unable to find patch target {selector:?} in `resources`")]
    MalformedTarget {
        /// The target.
        selector: String,
        /// What is wrong with it.
        source: SelectorError,
    },
    /// A file of several strategic merge patches has one target.
    #[error(
        "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set \
         `patches.target` field: {patch}"
    )]
    SeveralPatches {
        /// The patch.
        patch: String,
    },
    /// A JSON patch has no target.
    #[error("must specify a target for JSON patch {patch}")]
    JsonPatchWithoutTarget {
        /// The patch.
        patch: String,
    },
    /// A patch left something that is no object.
    #[error("missing {field} in object {object}")]
    PatchedAway {
        /// What is missing.
        field: &'static str,
        /// What is left.
        object: String,
    },
    /// The build writes more than it may.
    #[error(transparent)]
    Overspent(#[from] Overspent),
    /// A replacement has no source or no target.
    #[error("replacements must specify a source and at least one target")]
    IncompleteReplacement,
    /// A replacement has two sources.
    #[error("value and resource selectors are mutually exclusive")]
    TwoSources,
    /// A replacement's source does not exist.
    #[error("nothing selected by {selector}")]
    NoSource {
        /// The source.
        selector: String,
    },
    /// A replacement's source is not unique.
    #[error("multiple matches for selector {selector}")]
    SeveralSources {
        /// The source.
        selector: String,
    },
    /// A replacement's source lacks the field.
    #[error("fieldPath `{field}` is missing for replacement source {source_id}")]
    NoSourceField {
        /// The field.
        field: String,
        /// The source.
        source_id: String,
    },
    /// A replacement's source cannot be walked.
    #[error("error looking up replacement source: {0}")]
    SourceField(PathError),
    /// A part of a list or map is asked for.
    #[error("delimiter option can only be used with scalar nodes")]
    DelimiterOfNoScalar,
    /// A part is asked for that is not there.
    #[error("options.index {index} is out of bounds for value {value}")]
    PartOutOfBounds {
        /// The part.
        index: i64,
        /// The value.
        value: String,
    },
    /// A replacement's target selects nothing.
    #[error("target must specify resources to select")]
    NoTargetSelector,
    /// A replacement's target lacks the field.
    #[error("unable to {verb} field {field:?} in replacement target{}", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    NoTargetField {
        /// `find`, or `find or create`.
        verb: &'static str,
        /// The field.
        field: String,
        /// What stood in the way.
        reason: Option<PathError>,
    },
    /// A replacement's target is of another type than its new value.
    #[error("map[string]interface {{}}(nil): yaml: cannot decode !!str `{text}` as a {wanted}")]
    Retype {
        /// The new value.
        text: String,
        /// The type of the target.
        wanted: &'static str,
    },
    /// A selector.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// A strategic merge.
    #[error(transparent)]
    StrategicMerge(#[from] StrategicMergeError),
    /// A JSON patch.
    #[error(transparent)]
    JsonPatch(#[from] JsonPatchError),
    /// Resources that do not go together.
    #[error(transparent)]
    Resources(#[from] ResourcesError),
}

impl TransformError {
    /// That a field could not be changed; that nothing more may be written has nothing to do with it.
    fn of_field(source: FieldError, path: &str, resource: &Resource) -> Self {
        match source.root() {
            FieldError::Overspent(overspent) => (*overspent).into(),
            _ => Self::Field { path: path.to_owned(), object: resource.id().to_string(), source },
        }
    }
}

/// Field specifications, ready to be walked.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Vec<(FieldSpec, Vec<String>)>);

impl Fields {
    pub(crate) fn new(specs: &[FieldSpec]) -> Self {
        Self(specs.iter().map(|spec| (spec.clone(), spec.segments())).collect())
    }

    /// Changes all fields that the resource has, or that are to be made.
    pub(crate) fn change<F>(
        &self,
        resource: &mut Resource,
        make: Option<Make>,
        budget: &Budget,
        mut change: F,
    ) -> Result<(), TransformError>
    where
        F: FnMut(&mut Value) -> Result<(), FieldError>,
    {
        let gvk = resource.gvk();
        for (spec, path) in self.selecting(&gvk) {
            change_one(resource, spec, path, make, budget, &mut change)?;
        }
        Ok(())
    }

    pub(crate) fn selecting(&self, gvk: &Gvk) -> impl Iterator<Item = (&FieldSpec, &[String])> {
        let selected = self.0.iter().filter(|(spec, _)| spec.selects(gvk));
        selected.map(|(spec, path)| (spec, path.as_slice()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&FieldSpec, &[String])> {
        self.0.iter().map(|(spec, path)| (spec, path.as_slice()))
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&FieldSpec) -> bool) {
        self.0.retain(|(spec, _)| keep(spec));
    }
}

/// Changes one field of a resource.
pub(crate) fn change_one<F>(
    resource: &mut Resource,
    spec: &FieldSpec,
    path: &[String],
    make: Option<Make>,
    budget: &Budget,
    change: &mut F,
) -> Result<(), TransformError>
where
    F: FnMut(&mut Value) -> Result<(), FieldError>,
{
    let make = if spec.create { make } else { None };
    if make.is_some() {
        budget.spend(spec.path.len())?;
    }
    let changed = visit_map(&mut resource.fields, path, make, change);
    changed.map_err(|source| TransformError::of_field(source, &spec.path, resource))
}
