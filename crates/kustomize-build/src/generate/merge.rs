//! Merges the fields of the controller's object into a kustomization.

use file_tree::{FileTree, TreePath};
use serde_json::{Map, Value, json};

use super::{Image, Overlay, Selector};
use crate::Error;
use crate::documents;
use crate::kustomization::{KustomizationError, Leniency, read_shape, shapes};
use crate::loader::is_remote;

/// Reads a kustomization file.
///
/// Flux: fields that do not exist are dropped here, while `kustomize build` refuses them.
pub(super) fn read(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    let document = documents::plain(bytes)
        .map_err(|error| KustomizationError::Yaml { reason: error.to_string() })?;
    let mut fields = read_shape(&document, &shapes::KUSTOMIZATION, Leniency::All)
        .map_err(KustomizationError::Shape)?;
    fields.entry("apiVersion").or_insert_with(|| "kustomize.config.k8s.io/v1beta1".into());
    fields.entry("kind").or_insert_with(|| "Kustomization".into());
    // Flux: without resources there may be nothing in it, which kustomize would refuse to build.
    if list(&mut fields, "resources").is_empty() {
        fields.insert("buildMetadata".to_owned(), json!(["originAnnotations"]));
    }
    Ok(fields)
}

/// Merges the overlay into the fields.
pub(super) fn overlay(
    fields: &mut Map<String, Value>,
    tree: &FileTree,
    path: &TreePath,
    overlay: &Overlay,
) -> Result<(), Error> {
    for (name, value) in [
        ("namespace", &overlay.target_namespace),
        ("namePrefix", &overlay.name_prefix),
        ("nameSuffix", &overlay.name_suffix),
    ] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    for patch in &overlay.patches {
        let mut entry = Map::from_iter([("patch".to_owned(), Value::from(patch.patch.as_str()))]);
        if let Some(target) = &patch.target {
            entry.insert("target".to_owned(), selector(target));
        }
        list(fields, "patches").push(Value::Object(entry));
    }
    for component in &overlay.components {
        if component.starts_with('/') || is_remote(component) {
            return Err(Error::ComponentNotLocal { path: component.clone() });
        }
        let exists = path.join(component).is_ok_and(|component| {
            tree.is_directory(&component) || tree.file(&component).is_some()
        });
        if exists || !overlay.ignore_missing_components {
            list(fields, "components").push(Value::from(component.as_str()));
        }
    }
    for patch in &overlay.patches_strategic_merge {
        list(fields, "patchesStrategicMerge").push(Value::from(patch.to_string()));
    }
    for patch in &overlay.patches_json6902 {
        list(fields, "patchesJson6902").push(json!({
            "patch": Value::from(patch.patch.clone()).to_string(),
            "target": selector(&patch.target),
        }));
    }
    overlay.images.iter().for_each(|image| merge_image(list(fields, "images"), image));
    if !overlay.build_metadata.is_empty() {
        fields.insert("buildMetadata".to_owned(), json!(overlay.build_metadata));
    }
    // Empty lists were made above only to look into them.
    fields.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    Ok(())
}

/// Gives an image that is named already what is new; tag and digest are one.
fn merge_image(images: &mut Vec<Value>, image: &Image) {
    let named = images
        .iter_mut()
        .filter_map(Value::as_object_mut)
        .find(|known| known.get("name").and_then(Value::as_str).unwrap_or_default() == image.name);
    let mut made = Map::from_iter([("name".to_owned(), Value::from(image.name.as_str()))]);
    let is_new = named.is_none();
    let entry = named.unwrap_or(&mut made);
    if !image.new_name.is_empty() {
        entry.insert("newName".to_owned(), Value::from(image.new_name.as_str()));
    }
    if !image.new_tag.is_empty() || !image.digest.is_empty() {
        entry.insert("newTag".to_owned(), Value::from(image.new_tag.as_str()));
        entry.insert("digest".to_owned(), Value::from(image.digest.as_str()));
    }
    if is_new {
        images.push(Value::Object(made));
    }
}

fn selector(selector: &Selector) -> Value {
    json!({
        "group": selector.group,
        "version": selector.version,
        "kind": selector.kind,
        "name": selector.name,
        "namespace": selector.namespace,
        "labelSelector": selector.label_selector,
        "annotationSelector": selector.annotation_selector,
    })
}

/// The list under a name, made if there is none.
fn list<'a>(fields: &'a mut Map<String, Value>, name: &str) -> &'a mut Vec<Value> {
    let slot = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    match slot {
        Value::Array(items) => items,
        _ => unreachable!("the slot was just made a list"),
    }
}
