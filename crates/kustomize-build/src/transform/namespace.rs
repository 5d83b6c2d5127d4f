//! `namespace`.

use serde_json::Value;

use super::{Fields, Shared, TransformError, Transformer, change_one};
use crate::budget::Budget;
use crate::field_spec::{FieldError, FieldSpec, Make, set_scalar};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::schema::is_cluster_scoped;
use crate::value::{borrowed_text, node_kind};

/// Which subjects of role bindings move to the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RoleBindingSubjects {
    /// Those that are called `default`.
    #[default]
    DefaultOnly,
    AllServiceAccounts,
    None,
}

/// Moves everything that lives in a namespace to one.
#[derive(Debug)]
pub(crate) struct Namespace {
    target: String,
    fields: Fields,
    /// Only where there is none yet.
    unset_only: bool,
    subjects: RoleBindingSubjects,
}

impl RoleBindingSubjects {
    pub(crate) fn parse(mode: &str) -> Result<Self, TransformError> {
        match mode {
            "" | "defaultOnly" => Ok(Self::DefaultOnly),
            "allServiceAccounts" => Ok(Self::AllServiceAccounts),
            "none" => Ok(Self::None),
            other => Err(TransformError::RoleBindingSubjects { mode: other.to_owned() }),
        }
    }
}

impl Namespace {
    pub(crate) fn new(
        namespace: String,
        specs: &[FieldSpec],
        unset_only: bool,
        subjects: RoleBindingSubjects,
    ) -> Self {
        let mut fields = Fields::new(specs);
        // Both are set below, in their own way.
        fields.retain(|spec| spec.path != "metadata/namespace");
        Self { target: namespace, fields, unset_only, subjects }
    }

    fn set(&self, field: &mut Value, budget: &Budget) -> Result<(), FieldError> {
        let is_set = match field {
            Value::String(text) => !text.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if self.unset_only && is_set {
            return Ok(());
        }
        set_scalar(field, Value::from(self.target.as_str()), budget)
    }

    pub(super) fn set_in(
        &self,
        resource: &mut Resource,
        budget: &Budget,
    ) -> Result<(), TransformError> {
        let gvk = resource.gvk();
        let failed = |source: TransformError| namespace_error(source);
        if !is_cluster_scoped(&gvk) {
            let spec = FieldSpec::everywhere("metadata/namespace", true);
            let path = spec.segments();
            change_one(resource, &spec, &path, Some(Make::Scalar), budget, &mut |field| {
                self.set(field, budget)
            })?;
        }
        let binds = matches!(gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
        if binds {
            self.set_in_subjects(resource, budget)?;
        }
        for (spec, path) in self.fields.selecting(&gvk) {
            // Only the core group's namespaces are renamed.
            let renames_other = spec.path == "metadata/name" && resource.api_version() != "v1";
            if renames_other || binds && spec.path == "subjects/namespace" && !spec.kind.is_empty()
            {
                continue;
            }
            change_one(resource, spec, path, Some(Make::Scalar), budget, &mut |field| {
                self.set(field, budget)
            })
            .map_err(failed)?;
        }
        Ok(())
    }

    fn set_in_subjects(
        &self,
        resource: &mut Resource,
        budget: &Budget,
    ) -> Result<(), TransformError> {
        let id = resource.id();
        let Some(subjects) = resource.fields.get_mut("subjects") else { return Ok(()) };
        let failed = |source: FieldError| match source {
            FieldError::Overspent(overspent) => overspent.into(),
            source => TransformError::Field {
                path: "subjects".to_owned(),
                object: id.to_string(),
                source,
            },
        };
        let subjects = match subjects {
            _ if self.subjects == RoleBindingSubjects::None => return Ok(()),
            Value::Null => return Ok(()),
            Value::Array(subjects) => subjects,
            other => return Err(failed(FieldError::wrong_kind("SequenceNode", other))),
        };
        for subject in subjects {
            let Value::Object(subject) = subject else { continue };
            let moves = match self.subjects {
                RoleBindingSubjects::DefaultOnly => borrowed_text(subject.get("name")) == "default",
                RoleBindingSubjects::AllServiceAccounts => {
                    borrowed_text(subject.get("kind")) == "ServiceAccount"
                }
                RoleBindingSubjects::None => false,
            };
            if moves {
                let field = subject.entry("namespace").or_insert(Value::Null);
                self.set(field, budget).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn namespace_error(source: TransformError) -> TransformError {
    let no_scalar = match &source {
        TransformError::Overspent(_) => return source,
        TransformError::Field { source, .. } => matches!(
            source.root(),
            FieldError::WrongKind { found, .. } if *found != node_kind(&Value::Bool(true))
        ),
        _ => false,
    };
    let prefix = if no_scalar {
        "namespace field specs must target scalar nodes"
    } else {
        "namespace transformation failed"
    };
    TransformError::Namespace { prefix, source: Box::new(source) }
}

impl Transformer for Namespace {
    fn kind(&self) -> &'static str {
        "NamespaceTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        if self.target.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut() {
            resource.remember_id();
            self.set_in(resource, &shared.budget)?;
        }
        let Some(places) = resources.conflict() else { return Ok(()) };
        let objects: Vec<String> = places
            .iter()
            .filter_map(|place| resources.get(*place))
            .map(crate::emit::json_with_notes)
            .collect();
        Err(TransformError::NamespaceConflict { objects: format!("[{}]", objects.join(" ")) })
    }
}
