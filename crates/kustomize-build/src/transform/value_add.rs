//! `ValueAddTransformer`: a value that is put into fields or made a part of paths.

use serde_json::{Map, Value};

use super::namespace::{Namespace, RoleBindingSubjects};
use super::{Shared, TransformError, Transformer};
use crate::budget::{Budget, weight};
use crate::field_spec::{FieldError, split_path};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::selector::Matcher;
use crate::value::text;

/// Puts a value into fields.
#[derive(Debug)]
pub(crate) struct ValueAdd {
    pub(crate) value: String,
    pub(crate) targets: Vec<ValueTarget>,
}

/// Where the value goes.
#[derive(Debug)]
pub(crate) struct ValueTarget {
    /// All resources, if there is none.
    pub(crate) selector: Option<Matcher>,
    pub(crate) field_path: String,
    /// Which part of a path the value becomes, counted from one; zero replaces all.
    pub(crate) file_path_position: usize,
}

impl Transformer for ValueAdd {
    fn kind(&self) -> &'static str {
        "ValueAddTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        for target in &self.targets {
            let places = match &target.selector {
                Some(selector) => selector.select(resources),
                None => (0..resources.len()).collect(),
            };
            for place in places {
                let Some(resource) = resources.get_mut(place) else { continue };
                if target.field_path == "metadata/namespace" {
                    let subjects = RoleBindingSubjects::default();
                    Namespace::new(self.value.clone(), &[], false, subjects)
                        .set_in(resource, &shared.budget)?;
                } else {
                    self.put(target, resource, &shared.budget)?;
                }
            }
        }
        Ok(())
    }
}

impl ValueAdd {
    fn put(
        &self,
        target: &ValueTarget,
        resource: &mut Resource,
        budget: &Budget,
    ) -> Result<(), TransformError> {
        let path = split_path(&target.field_path, '/');
        let failed = |resource: &Resource, found: &Value, expected| TransformError::Field {
            path: target.field_path.clone(),
            object: resource.id().to_string(),
            source: FieldError::wrong_kind(expected, found),
        };
        budget.spend(target.field_path.len())?;
        let Some((last, parents)) = path.split_last() else { return Ok(()) };
        let mut fields = std::mem::take(&mut resource.fields);
        let mut at = &mut fields;
        for name in parents {
            let next = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
            at = match next {
                Value::Object(next) => next,
                other => return Err(failed(resource, other, "MappingNode")),
            };
        }
        let field = at.entry(last).or_insert(Value::Null);
        if field.is_array() || field.is_object() {
            return Err(failed(resource, field, "ScalarNode"));
        }
        let new = Value::from(match target.file_path_position.checked_sub(1) {
            None => self.value.clone(),
            Some(position) => insert_part(&text(field), position, &self.value),
        });
        budget.spend(weight(&new))?;
        *field = new;
        resource.fields = fields;
        Ok(())
    }
}

/// Makes `part` a part of a path.
fn insert_part(path: &str, position: usize, part: &str) -> String {
    let (absolute, relative) = path.strip_prefix('/').map_or((false, path), |rest| (true, rest));
    let mut parts: Vec<&str> = relative.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_inserted_where_it_is_wanted() {
        for (path, position, want) in [
            ("", 0, "P"),
            ("/", 0, "/P"),
            ("pie", 0, "P/pie"),
            ("/raw", 1, "/raw/P"),
            ("a/b/c", 9, "a/b/c/P"),
        ] {
            assert_eq!(insert_part(path, position, "P"), want);
        }
    }
}
