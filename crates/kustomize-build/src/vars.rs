//! `vars`: values of fields that replace `$(NAME)` in others.

use std::collections::{BTreeMap, BTreeSet};

use manifest::Gvk;
use serde_json::Value;

use crate::budget::{Budget, Overspent, weight};
use crate::config::Config;
use crate::field_spec::{FieldError, visit_map};
use crate::identity::{GvkText, ResId};
use crate::kustomization::Var;
use crate::path_match::{lookup, split};
use crate::resources::Resources;
use crate::value::text;

const DEFAULT_FIELD: &str = "metadata.name";

/// The vars of a build, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars(BTreeMap<String, Var>);

/// Why vars could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VarError {
    /// Two vars have one name.
    #[error("var '{name}' already encountered")]
    Repeated {
        /// The name.
        name: String,
    },
    /// A var may mean several resources.
    #[error("found {count} resId matches for var {var} (unable to disambiguate)")]
    SeveralResources {
        /// How many.
        count: usize,
        /// The var.
        var: String,
    },
    /// A var means a field that is not there.
    #[error("field specified in var '{var}' not found in corresponding resource")]
    NoField {
        /// The var.
        var: String,
    },
    /// A var means a resource that is not there.
    #[error("var '{var}' cannot be mapped to a field in the set of known resources")]
    NoResource {
        /// The var.
        var: String,
    },
    /// The build writes more than it may.
    #[error(transparent)]
    Overspent(#[from] Overspent),
    /// A field cannot hold vars.
    #[error("considering field '{path}' of object {object}")]
    Field {
        /// The field.
        path: String,
        /// The object.
        object: String,
        /// Why.
        source: FieldError,
    },
}

fn gvk(var: &Var) -> Gvk {
    let target = &var.objref;
    let (mut group, mut version) = (target.group.clone(), target.version.clone());
    let mut parts = target.api_version.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(only), None, _) if !only.is_empty() => only.clone_into(&mut version),
        (Some(first), Some(second), None) => {
            first.clone_into(&mut group);
            second.clone_into(&mut version);
        }
        _ => {}
    }
    Gvk { group, version, kind: target.kind.clone() }
}

fn field_path(var: &Var) -> &str {
    Some(var.fieldref.field_path.as_str()).filter(|path| !path.is_empty()).unwrap_or(DEFAULT_FIELD)
}

/// A var as kustomize's messages print it.
fn described(var: &Var) -> String {
    format!("{{{} {} {{{}}}}}", var.name, GvkText(&gvk(var)), field_path(var))
}

impl Vars {
    /// Adds the vars of a kustomization, and marks the resources that they mean.
    pub(crate) fn add(&mut self, vars: &[Var], resources: &mut Resources) -> Result<(), VarError> {
        for var in vars {
            let target =
                ResId::new(gvk(var), var.objref.name.clone(), var.objref.namespace.clone());
            let anywhere = target.namespace.is_empty() && !target.cluster_scoped;
            let means = |id: &ResId| {
                id.name == target.name
                    && id.gvk == target.gvk
                    && (anywhere || id.same_namespace(&target))
            };
            let found: Vec<usize> = resources
                .iter()
                .enumerate()
                .filter(|(_, resource)| {
                    resource.previous_ids().chain([resource.id()]).any(|id| means(&id))
                })
                .map(|(place, _)| place)
                .collect();
            match found[..] {
                [] => {}
                [place] => {
                    if let Some(resource) = resources.body_mut(place) {
                        resource.notes.read_by_vars.push(var.name.clone());
                    }
                }
                _ => {
                    let var = described(var);
                    return Err(VarError::SeveralResources { count: found.len(), var });
                }
            }
        }
        vars.iter().try_for_each(|var| self.insert(var.clone()))
    }

    /// Adds the vars of a kustomization that has been built.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), VarError> {
        other.0.into_values().try_for_each(|var| self.insert(var))
    }

    fn insert(&mut self, var: Var) -> Result<(), VarError> {
        if self.0.contains_key(&var.name) {
            return Err(VarError::Repeated { name: var.name });
        }
        self.0.insert(var.name.clone(), var);
        Ok(())
    }

    /// Puts the values of all vars where they are wanted; answers the names that nothing wants.
    pub(crate) fn resolve(
        &self,
        resources: &mut Resources,
        config: &Config,
        budget: &Budget,
    ) -> Result<Vec<String>, VarError> {
        let mut values = BTreeMap::new();
        for var in self.0.values() {
            values.insert(var.name.as_str(), value_of(var, resources)?);
        }
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut used = BTreeSet::new();
        let specs: Vec<_> =
            config.var_reference.iter().map(|spec| (spec, spec.segments())).collect();
        for place in 0..resources.len() {
            let Some(resource) = resources.body_mut(place) else { break };
            let gvk = resource.gvk();
            for (spec, path) in specs.iter().filter(|(spec, _)| spec.selects(&gvk)) {
                let mut set = |field: &mut Value| replace_in(field, &values, &mut used, budget);
                visit_map(&mut resource.fields, path, None, &mut set).map_err(
                    |source| match source.root() {
                        FieldError::Overspent(overspent) => (*overspent).into(),
                        _ => VarError::Field {
                            path: spec.path.clone(),
                            object: resource.id().to_string(),
                            source,
                        },
                    },
                )?;
            }
        }
        let unused = values.keys().filter(|name| !used.contains(**name));
        Ok(unused.map(|name| (*name).to_owned()).collect())
    }
}

/// The value of a var.
fn value_of(var: &Var, resources: &Resources) -> Result<Value, VarError> {
    let mut read =
        resources.iter().filter(|resource| resource.notes.read_by_vars.contains(&var.name));
    let Some(resource) = read.next() else {
        return Err(VarError::NoResource { var: described(var) });
    };
    let object = Value::Object(resource.fields.clone());
    let found = lookup(&object, &with_indices(split(field_path(var))));
    match found {
        Ok(Some(value)) => Ok(value.clone()),
        _ => Err(VarError::NoField { var: described(var) }),
    }
}

/// Splits `ports[0]` into a name and an index.
fn with_indices(path: Vec<String>) -> Vec<String> {
    let mut parts = Vec::new();
    for part in path {
        let indexed = part.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
        match indexed {
            Some((name, index))
                if !index.is_empty() && index.chars().all(|c| c.is_ascii_digit()) =>
            {
                if !name.is_empty() {
                    parts.push(name.to_owned());
                }
                parts.push(index.to_owned());
            }
            _ => parts.push(part),
        }
    }
    parts
}

/// Replaces vars in a text, in the texts of a list, or in those of a map.
fn replace_in<'a>(
    field: &mut Value,
    values: &BTreeMap<&'a str, Value>,
    used: &mut BTreeSet<&'a str>,
    budget: &Budget,
) -> Result<(), FieldError> {
    match field {
        Value::String(text) => *field = expand(text, values, used, budget)?,
        Value::Object(fields) => {
            for value in fields.values_mut() {
                if let Value::String(text) = value {
                    *value = expand(text, values, used, budget)?;
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let Value::String(text) = item else {
                    let message = "invalid value type expect a string".to_owned();
                    return Err(FieldError::Refused { message });
                };
                *item = expand(text, values, used, budget)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Replaces `$(NAME)`; a text that is nothing else takes the value's type. `$$` is a dollar sign.
fn expand<'a>(
    input: &str,
    values: &BTreeMap<&'a str, Value>,
    used: &mut BTreeSet<&'a str>,
    budget: &Budget,
) -> Result<Value, FieldError> {
    let mut output = String::new();
    let mut rest = input;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        output.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        if after.is_empty() {
            rest = "$";
            break;
        }
        if let Some(more) = after.strip_prefix('$') {
            output.push('$');
            rest = more;
        } else if let Some((name, more)) =
            after.strip_prefix('(').and_then(|after| after.split_once(')'))
        {
            let known = values
                .get_key_value(name)
                .filter(|(_, value)| !value.is_null() && !value.is_object() && !value.is_array());
            if let Some((name, value)) = known {
                used.insert(name);
                if output.is_empty() && more.is_empty() && input.len() == name.len() + 3 {
                    budget.spend(weight(value))?;
                    return Ok(value.clone());
                }
                let value = text(value);
                budget.spend(value.len())?;
                output.push_str(&value);
            } else {
                output.push_str("$(");
                output.push_str(name);
                output.push(')');
            }
            rest = more;
        } else {
            output.push('$');
            let first = after.chars().next().map_or(0, char::len_utf8);
            let (first, more) = after.split_at(first);
            output.push_str(first);
            rest = more;
        }
    }
    output.push_str(rest);
    Ok(Value::from(output))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn vars_are_replaced_and_keep_their_type() {
        let values = BTreeMap::from([("A", json!("x")), ("N", json!(8080))]);
        for (input, output) in [
            ("$(N)", json!(8080)),
            ("p:$(N)/$(A)", json!("p:8080/x")),
            ("$(B) $", json!("$(B) $")),
            ("$$(A)", json!("$(A)")),
            ("$(A", json!("$(A")),
            ("$x", json!("$x")),
        ] {
            let budget = Budget::new(1 << 10);
            let found = expand(input, &values, &mut BTreeSet::new(), &budget).unwrap();
            assert_eq!(found, output, "{input}");
        }
    }
}
