//! `replacements`.

use manifest::Gvk;
use serde_json::Value;

use super::{Shared, TransformError, Transformer};
use crate::budget::{Budget, weight};
use crate::documents;
use crate::emit;
use crate::identity::{ResId, gvk_selected};
use crate::kustomization::{FieldOptions, Replacement, SourceSelector, TargetSelector};
use crate::path_match::{Create, PathError, at_mut, find, lookup, split};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::selector::Matcher;
use crate::shared_label;
use crate::value::{is_empty, is_scalar, plain, retype, text};

const DEFAULT_FIELD: &str = "metadata.name";

/// Copies values from one place to others.
#[derive(Debug)]
pub(crate) struct Replacements {
    pub(crate) replacements: Vec<Replacement>,
}

impl Transformer for Replacements {
    fn kind(&self) -> &'static str {
        "ReplacementTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        for replacement in &self.replacements {
            let value = source_value(replacement, resources)?;
            for target in replacement.targets.iter().flatten() {
                replace(target, &value, resources, &shared.budget)?;
            }
        }
        Ok(())
    }
}

fn source_value(
    replacement: &Replacement,
    resources: &mut Resources,
) -> Result<Value, TransformError> {
    if replacement.targets.is_none() {
        return Err(TransformError::IncompleteReplacement);
    }
    let source = match (&replacement.source_value, &replacement.source) {
        (None, None) => return Err(TransformError::IncompleteReplacement),
        (Some(_), Some(_)) => return Err(TransformError::TwoSources),
        (Some(value), None) => return Ok(Value::from(value.as_str())),
        (None, Some(source)) => source,
    };
    let resource = source_resource(source, resources)?;
    let field = if source.field_path.is_empty() { DEFAULT_FIELD } else { &source.field_path };
    let object = Value::Object(resource.fields.clone());
    let value = lookup(&object, &split(field)).map_err(TransformError::SourceField)?;
    let Some(value) = value.filter(|value| !is_empty(value)) else {
        let source_id = source_id(source).to_string();
        return Err(TransformError::NoSourceField { field: field.to_owned(), source_id });
    };
    part_of(value, source.options.as_ref())
}

fn source_id(source: &SourceSelector) -> ResId {
    let SourceSelector { group, version, kind, name, namespace, .. } = source.clone();
    ResId { gvk: Gvk { group, version, kind }, name, namespace, cluster_scoped: false }
}

fn source_resource<'a>(
    source: &SourceSelector,
    resources: &'a mut Resources,
) -> Result<&'a Resource, TransformError> {
    let wanted = source_id(source);
    let is_wanted = |id: &ResId| {
        (wanted.name.is_empty() || wanted.name == id.name)
            && (wanted.namespace.is_empty() || wanted.same_namespace(id))
            && gvk_selected(&id.gvk, &wanted.gvk)
    };
    let places = resources.named(Some(wanted.name.as_str()).filter(|name| !name.is_empty()));
    let candidates = places.into_iter().filter_map(|place| resources.get(place));
    let mut found = candidates.filter(|resource| ids(resource).any(|id| is_wanted(&id)));
    let described = || {
        let mut words = vec![wanted.to_string()];
        if !source.field_path.is_empty() {
            words.push(source.field_path.clone());
        }
        if let Some(options) = &source.options
            && (!options.delimiter.is_empty() || options.create)
        {
            let FieldOptions { delimiter, index, create } = options;
            words.push(format!("{delimiter}({index}), create={create}"));
        }
        words.join(":")
    };
    match (found.next(), found.next()) {
        (Some(resource), None) => Ok(resource),
        (None, _) => Err(TransformError::NoSource { selector: described() }),
        _ => Err(TransformError::SeveralSources { selector: described() }),
    }
}

/// The identities of a resource, of which none is known to be cluster-scoped.
fn ids(resource: &Resource) -> impl Iterator<Item = ResId> + '_ {
    let current = ResId { cluster_scoped: false, ..resource.id() };
    std::iter::once(current).chain(resource.previous_ids())
}

/// The part of a value that the options ask for.
fn part_of(value: &Value, options: Option<&FieldOptions>) -> Result<Value, TransformError> {
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return Ok(value.clone());
    };
    if !is_scalar(value) {
        return Err(TransformError::DelimiterOfNoScalar);
    }
    let whole = text(value);
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|index| whole.split(&options.delimiter).nth(index).map(str::to_owned));
    match part {
        Some(part) => Ok(retype(value, &part)),
        None => Err(TransformError::PartOutOfBounds { index: options.index, value: whole }),
    }
}

fn replace(
    target: &TargetSelector,
    value: &Value,
    resources: &mut Resources,
    budget: &Budget,
) -> Result<(), TransformError> {
    let weight = weight(value);
    let Some(select) = &target.select else { return Err(TransformError::NoTargetSelector) };
    let select = Matcher::new(select)?;
    let reject = target.reject.iter().map(Matcher::new).collect::<Result<Vec<_>, _>>()?;
    let default = [DEFAULT_FIELD.to_owned()];
    let fields = if target.field_paths.is_empty() { &default[..] } else { &target.field_paths };
    let paths: Vec<(&String, Vec<String>)> =
        fields.iter().map(|field| (field, split(field))).collect();
    for place in resources.named(select.exact_name()) {
        let Some(resource) = resources.get(place) else { continue };
        let rejected = reject.iter().any(|reject| {
            !reject.ignores_metadata() && reject.selects_metadata(resource)
                || !reject.names_nothing() && ids(resource).any(|id| reject.selects_id(&id))
        });
        if rejected
            || !select.selects_metadata(resource)
            || !ids(resource).any(|id| select.selects_id(&id))
        {
            continue;
        }
        resources.change(place, |resource| {
            let mut object = Value::Object(std::mem::take(&mut resource.fields));
            for (field, path) in &paths {
                let made = put(&mut object, field, path, value, target.options.as_ref())?;
                budget.spend(made.saturating_mul(weight))?;
            }
            if let Value::Object(fields) = object {
                resource.fields = fields;
            }
            shared_label::spread(resource, budget)?;
            Ok::<(), TransformError>(())
        })?;
    }
    Ok(())
}

/// Puts a value at a path of an object; answers how often.
fn put(
    object: &mut Value,
    field: &str,
    path: &[String],
    value: &Value,
    options: Option<&FieldOptions>,
) -> Result<usize, TransformError> {
    let create = options.filter(|options| options.create).map(|_| Create::like(value));
    if put_in_text(object, path, value, create).is_some() {
        return Ok(1);
    }
    let verb = if create.is_some() { "find or create" } else { "find" };
    let missing = |reason: Option<PathError>| TransformError::NoTargetField {
        verb,
        field: field.to_owned(),
        reason,
    };
    let found = find(object, path, create).map_err(|reason| missing(Some(reason)))?;
    if found.places.is_empty() && found.detached == 0 {
        return Err(missing(None));
    }
    for place in &found.places {
        if let Some(slot) = at_mut(object, place) {
            set(slot, value, options)?;
        }
    }
    Ok(found.places.len())
}

/// Sets a value, or a part of it.
fn set(
    slot: &mut Value,
    value: &Value,
    options: Option<&FieldOptions>,
) -> Result<(), TransformError> {
    let is_leaf = is_scalar(slot) || slot.is_null();
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return overwrite(slot, value);
    };
    if !is_leaf {
        return Err(TransformError::DelimiterOfNoScalar);
    }
    let (whole, new) = (text(slot), text(value));
    let mut parts: Vec<&str> = whole.split(&options.delimiter).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, &new),
        Ok(index) => match parts.get_mut(index) {
            Some(part) => *part = &new,
            None => parts.push(&new),
        },
    }
    overwrite(slot, &Value::from(parts.join(&options.delimiter)))
}

/// Sets a value; a scalar keeps its type.
fn overwrite(slot: &mut Value, value: &Value) -> Result<(), TransformError> {
    *slot = match &*slot {
        Value::Object(_) | Value::Array(_) => value.clone(),
        Value::Null if !is_scalar(value) => value.clone(),
        old => {
            let new = retype(old, &text(value));
            let wanted = match old {
                Value::Number(_) if !new.is_number() => Some("!!int"),
                Value::Bool(_) if !new.is_boolean() => Some("!!bool"),
                _ => None,
            };
            if let Some(wanted) = wanted {
                return Err(TransformError::Retype { text: text(value), wanted });
            }
            new
        }
    };
    Ok(())
}

/// Puts a value inside of a text that is itself YAML or JSON; none if the path leads to no such text.
fn put_in_text(
    object: &mut Value,
    path: &[String],
    value: &Value,
    create: Option<Create>,
) -> Option<()> {
    for length in 1..path.len() {
        let (outer, inner) = path.split_at(length);
        let Ok(Some(found)) = lookup(object, outer) else { continue };
        if !is_scalar(found) {
            continue;
        }
        let whole = text(found);
        let Ok(mut parsed) = documents::structured(&whole) else { continue };
        let found = find(&mut parsed, inner, create).ok()?;
        if found.places.is_empty() {
            return None;
        }
        for place in &found.places {
            overwrite(at_mut(&mut parsed, place)?, value).ok()?;
        }
        let new = emit::like(&parsed, &whole)?;
        let at = find(object, outer, None).ok()?;
        let slot = at_mut(object, at.places.first()?)?;
        *slot = if slot.is_string() { Value::from(new) } else { plain(&new) };
        return Some(());
    }
    None
}
