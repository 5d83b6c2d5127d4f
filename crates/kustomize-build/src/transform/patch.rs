//! `patches`: strategic merge patches and JSON 6902 patches.

use super::{Shared, TransformError, Transformer};
use crate::budget::{Budget, fields_weight};
use crate::json_patch::{Options, Patch as JsonPatch};
use crate::merge::{drop_blank, merge};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::selector::{Matcher, SelectorError};
use crate::shared_label;
use serde_json::Value;

/// The number up to which a float holds every whole number; it may stand for the next one, too.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Patches the resources that it selects, or those that the patches name.
#[derive(Debug)]
pub(crate) struct PatchTransformer {
    /// How messages name it.
    pub(crate) source: String,
    pub(crate) patch: Content,
    pub(crate) target: Option<Target>,
}

/// What a patch selects. Flux: one that is malformed is found out when the patch is applied.
#[derive(Debug)]
pub(crate) struct Target {
    /// How messages name it.
    pub(crate) selector: String,
    pub(crate) matcher: Result<Matcher, SelectorError>,
}

/// What a patch holds.
#[derive(Debug)]
pub(crate) enum Content {
    StrategicMerge(Vec<Resource>),
    Json6902(JsonPatch),
}

impl Transformer for PatchTransformer {
    fn kind(&self) -> &'static str {
        "PatchTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        match (&self.patch, &self.target) {
            (Content::StrategicMerge(patches), Some(target)) => {
                let [patch] = patches.as_slice() else {
                    if patches.is_empty() {
                        return Ok(());
                    }
                    return Err(TransformError::SeveralPatches { patch: self.source.clone() });
                };
                let matcher = target.matcher.as_ref().map_err(|source| {
                    let selector = target.selector.clone();
                    TransformError::MalformedTarget { selector, source: source.clone() }
                })?;
                let places = matcher.select(resources);
                merge_into(resources, &places, patch, true, shared)
            }
            (Content::StrategicMerge(patches), None) => {
                for patch in patches {
                    let id = patch.original_id();
                    let place = resources.target_of(&id).map_err(|source| {
                        TransformError::NoPatchTarget { id: id.to_string(), source }
                    })?;
                    merge_one(resources, place, patch.clone(), shared)?;
                }
                Ok(())
            }
            (Content::Json6902(_), None) => {
                Err(TransformError::JsonPatchWithoutTarget { patch: self.source.clone() })
            }
            (Content::Json6902(patch), Some(target)) => {
                let matcher = target.matcher.as_ref().map_err(Clone::clone)?;
                for place in matcher.select(resources) {
                    resources.change(place, |resource| {
                        resource.remember_id();
                        apply_json(resource, patch, &shared.budget)
                    })?;
                }
                Ok(())
            }
        }
    }
}

/// Applies a strategic merge patch to several resources, and removes those that it deletes.
pub(super) fn merge_into(
    resources: &mut Resources,
    places: &[usize],
    patch: &Resource,
    takes_kind: bool,
    shared: &Shared,
) -> Result<(), TransformError> {
    let (mut deleted, mut moved) = (false, false);
    for place in places {
        let mut patch = patch.clone();
        // Flux: these become text, so that a null sets the word `null`; none leaves what is there.
        patch.spell_out();
        if takes_kind && let Some(target) = resources.get(*place) {
            // The version is the target's, so that the patch fits any.
            patch.fields.insert("apiVersion".to_owned(), Value::from(target.api_version()));
        }
        moved |= patch.notes.may_rename || patch.notes.may_change_kind;
        merge_one(resources, *place, patch, shared)?;
        deleted |= resources.get(*place).is_some_and(|resource| resource.fields.is_empty());
    }
    // Both look at all resources, so patches of many single objects must not pay for them.
    if deleted {
        resources.retain(|resource| !resource.fields.is_empty());
    }
    if moved {
        resources.ensure_unique()?;
    }
    Ok(())
}

/// Applies a strategic merge patch to one resource; one that is deleted is left empty.
pub(super) fn merge_one(
    resources: &mut Resources,
    place: usize,
    patch: Resource,
    shared: &Shared,
) -> Result<(), TransformError> {
    let moves = patch.notes.may_rename || patch.notes.may_change_kind;
    let target = if moves { resources.get_mut(place) } else { resources.body_mut(place) };
    let Some(target) = target else { return Ok(()) };
    let (name, namespace, kind) = (target.name(), target.namespace(), target.kind());
    if moves {
        target.remember_id();
    }
    let api_version = target.api_version();
    shared.budget.spend(fields_weight(&patch.fields))?;
    target.show_notes();
    let mut old = std::mem::take(&mut target.fields);
    for blank in std::mem::take(&mut target.notes.blanks) {
        drop_blank(&mut old, &blank, &shared.schema.schema());
    }
    let Some(merged) = merge(old, patch.fields, &shared.schema.schema())? else {
        resources.get_mut(place);
        return Ok(());
    };
    target.fields = merged;
    target.hide_notes(false);
    shared_label::spread(target, &shared.budget)?;
    target.notes.spellings.splice(..0, patch.notes.spellings);
    if !patch.notes.may_change_kind {
        target.set_kind(&kind);
    }
    if !patch.notes.may_rename {
        target.set_name(&name);
    }
    target.set_namespace(&namespace);
    if target.api_version() != api_version {
        resources.get_mut(place);
    }
    Ok(())
}

/// Applies a JSON patch to one resource.
pub(super) fn apply_json(
    resource: &mut Resource,
    patch: &JsonPatch,
    budget: &Budget,
) -> Result<(), TransformError> {
    let before = fields_weight(&resource.fields);
    resource.show_notes();
    let document = Value::Object(std::mem::take(&mut resource.fields));
    if let Value::Object(mut fields) = patch.apply(document, Options::kustomize())? {
        budget.spend(fields_weight(&fields).saturating_sub(before))?;
        fields.values_mut().for_each(through_float);
        resource.fields = fields;
        resource.drop_odd_annotations();
        resource.hide_notes(true);
        resource.notes.spellings.clear();
        resource.notes.shared_labels.clear();
    }
    Ok(())
}

/// Gives large whole numbers the value that is left of them in a float.
///
/// Flux: a patched object passes through Go's JSON, which reads every number as a float.
fn through_float(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(through_float),
        Value::Array(items) => items.iter_mut().for_each(through_float),
        Value::Number(number) => {
            let float = number.as_f64().filter(|float| float.abs() >= MAX_EXACT);
            let digits = float.filter(|_| !number.is_f64()).map(|float| format!("{float}"));
            if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
                *value = Value::Number(number);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use file_tree::{File, FileTree, TreePath};

    use crate::{Options, build};

    /// The first document of a build.
    fn built(kustomization: &str) -> serde_json::Value {
        let mut tree = FileTree::builder();
        let file = File { bytes: kustomization.to_owned().into(), executable: false };
        tree.file(&TreePath::parse("kustomization.yaml").unwrap(), file).unwrap();
        let built = build(&tree.build(), &TreePath::ROOT, &Options::command()).unwrap();
        assert!(!built.to_yaml().contains("internal"), "{}", built.to_yaml());
        serde_json::Value::Object(built.documents[0].clone())
    }

    /// A generated ConfigMap, which is to get a hash, and a patch of it.
    fn name_after(patch: &str) -> String {
        let generator = "configMapGenerator: [{name: a, literals: [k=v]}]";
        let built = built(&format!("{generator}\npatches: [{patch}]\n"));
        built["metadata"]["name"].as_str().unwrap().to_owned()
    }

    #[test]
    fn annotations_that_a_json_patch_makes_no_map_are_dropped() {
        let json = r#"[{"op": "add", "path": "/metadata/annotations", "value": 1.5}]"#;
        let generator = "configMapGenerator: [{name: a, literals: [k=v]}]";
        let patches = format!("patches: [{{target: {{kind: ConfigMap}}, patch: '{json}'}}]");
        let built = built(&format!("{generator}\n{patches}\ncommonAnnotations: {{o: p}}\n"));
        assert_eq!(built["metadata"]["annotations"], serde_json::json!({"o": "p"}));
    }

    #[test]
    fn a_merge_that_removes_all_annotations_makes_kustomize_forget() {
        let merge = |annotations: &str| {
            let patch = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: ";
            name_after(&format!("{{patch: '{patch}{annotations}}}}}'}}"))
        };
        assert_eq!(merge("{x: y}"), "a-bdg947hgcc");
        assert_eq!(merge("null"), "a");
        assert_eq!(merge("{$patch: replace, x: y}"), "a");
        let json = r#"[{"op": "add", "path": "/metadata/annotations", "value": {"x": "y"}}]"#;
        let named = name_after(&format!("{{target: {{kind: ConfigMap}}, patch: '{json}'}}"));
        assert_eq!(named, "a-bdg947hgcc", "a JSON patch lets it remember");
    }
}
