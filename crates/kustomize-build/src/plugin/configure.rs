//! Configurations to transformers.

use super::ConfigError;
use crate::documents;
use crate::json_patch::{Options, Patch as JsonPatch};
use crate::kustomization::{Leniency, Patch, Replacement, ReplacementField, read_shape, shapes};
use crate::loader::Loader;
use crate::resource::Resource;
use crate::selector::{Matcher, Selector};
use crate::transform::{
    PatchContent, PatchJson6902, PatchStrategicMerge, PatchTarget, PatchTransformer, Replacements,
};
use serde_json::Value;

/// A strategic merge patch or a JSON patch, given or named.
pub(super) fn patch(
    entry: &Patch,
    config: &str,
    loader: &Loader<'_>,
) -> Result<PatchTransformer, ConfigError> {
    let given = entry.patch.trim();
    let (text, source) = match (given.is_empty(), entry.path.is_empty()) {
        (true, true) => return Err(ConfigError::NoPatch { config: config.to_owned() }),
        (false, false) => return Err(ConfigError::TwoPatches { config: config.to_owned() }),
        (false, true) => (bytes::Bytes::from(given.to_owned()), format!("[patch: {given:?}]")),
        (true, false) => {
            let path = entry.path.clone();
            let text = loader
                .load(&path)
                .map_err(|source| ConfigError::PatchFile { path, source: Box::new(source) })?;
            (text, format!("[path: {:?}]", entry.path))
        }
    };
    let content = match (documents::patches(&text), json_patch(&text)) {
        (Ok(mut patches), _) => {
            let options = entry.options.clone().unwrap_or_default();
            for patch in &mut patches {
                patch.notes.may_rename = options.allow_name_change;
                patch.notes.may_change_kind = options.allow_kind_change;
            }
            PatchContent::StrategicMerge(patches)
        }
        (Err(_), Ok(patch)) => PatchContent::Json6902(patch),
        (Err(_), Err(_)) => return Err(ConfigError::NotAPatch { patch: source }),
    };
    let target = entry
        .target
        .as_ref()
        .map(|target| PatchTarget { selector: target.to_string(), matcher: Matcher::new(target) });
    Ok(PatchTransformer { source, patch: content, target })
}

/// Reads a JSON patch that may be written in YAML.
fn json_patch(text: &[u8]) -> Result<JsonPatch, ConfigError> {
    if text.is_empty() {
        return Err(ConfigError::NoJsonPatch);
    }
    let document = json_or_yaml(text)?;
    JsonPatch::new(document, Options::kustomize())
        .map_err(|source| ConfigError::Decoding { patch: String::new(), source: Box::new(source) })
}

fn json_or_yaml(text: &[u8]) -> Result<Value, ConfigError> {
    if text.first() == Some(&b'[') {
        return serde_json::from_slice(text)
            .map_err(|error| ConfigError::Decode { reason: error.to_string() });
    }
    Ok(documents::plain(text)?)
}

/// An entry of `patchesJson6902`.
pub(super) fn patch_json6902(
    target: Option<&Selector>,
    file: &str,
    operations: &str,
    loader: &Loader<'_>,
) -> Result<PatchJson6902, ConfigError> {
    let Some(target) = target.filter(|target| !target.name.is_empty()) else {
        return Err(ConfigError::NoTargetName);
    };
    let text = match (file.is_empty(), operations.is_empty()) {
        (true, true) => return Err(ConfigError::NoJsonPatch),
        (false, false) => return Err(ConfigError::TwoJsonPatches),
        (true, false) => bytes::Bytes::from(operations.to_owned()),
        (false, true) => loader.load(file)?,
    };
    if text.is_empty() {
        return Err(ConfigError::EmptyPatchFile { path: file.to_owned() });
    }
    let document = json_or_yaml(&text)?;
    let shown = document.to_string();
    let patch = JsonPatch::new(document, Options::kustomize()).map_err(|source| {
        ConfigError::Decoding { patch: shown.clone(), source: Box::new(source) }
    })?;
    if patch.is_empty() {
        return Err(ConfigError::EmptyJsonPatch { path: file.to_owned(), patch: shown });
    }
    Ok(PatchJson6902 { patch, target: Matcher::new(target)? })
}

/// The entries of `patchesStrategicMerge`: patches, or files of them.
pub(super) fn patch_strategic_merge(
    paths: &[String],
    given: &str,
    loader: &Loader<'_>,
) -> Result<PatchStrategicMerge, ConfigError> {
    if paths.is_empty() && given.is_empty() {
        return Err(ConfigError::NoStrategicPatch);
    }
    let mut patches: Vec<Resource> = Vec::new();
    for path in paths {
        if let Ok(inline) = documents::patches(path.as_bytes()) {
            patches.extend(inline);
            continue;
        }
        let read = documents::patches(&loader.load(path)?);
        patches.extend(read.map_err(|error| documents::in_file(error, path))?);
    }
    if !given.is_empty() {
        patches.extend(documents::patches(given.as_bytes())?);
    }
    if patches.is_empty() {
        let (paths, patch) = (paths.join(" "), given.to_owned());
        return Err(ConfigError::EmptyStrategicPatch { paths, patch });
    }
    Ok(PatchStrategicMerge { patches })
}

/// The entries of `replacements`: replacements, or files of them.
pub(super) fn replacements(
    entries: &[ReplacementField],
    loader: &Loader<'_>,
) -> Result<Replacements, ConfigError> {
    let mut replacements = Vec::new();
    for entry in entries {
        let inline = &entry.replacement;
        if entry.path.is_empty() {
            replacements.push(inline.clone());
            continue;
        }
        if inline.source.is_some() || inline.targets.as_ref().is_some_and(|t| !t.is_empty()) {
            return Err(ConfigError::TwoReplacements);
        }
        match documents::plain(&loader.load(&entry.path)?)? {
            Value::Array(items) => {
                for item in &items {
                    replacements.push(replacement(item)?);
                }
            }
            item @ Value::Object(_) => replacements.push(replacement(&item)?),
            Value::Null => return Err(ConfigError::NotAReplacement { found: "invalid" }),
            Value::String(_) => return Err(ConfigError::NotAReplacement { found: "string" }),
            Value::Bool(_) => return Err(ConfigError::NotAReplacement { found: "bool" }),
            Value::Number(_) => return Err(ConfigError::NotAReplacement { found: "float64" }),
        }
    }
    Ok(Replacements { replacements })
}

fn replacement(item: &Value) -> Result<Replacement, ConfigError> {
    let fields = read_shape(item, &shapes::REPLACEMENT, Leniency::All)?;
    typed(Value::Object(fields))
}

/// A document in shape, as its type.
pub(super) fn typed<T: serde::de::DeserializeOwned>(document: Value) -> Result<T, ConfigError> {
    serde_json::from_value(document)
        .map_err(|error| ConfigError::Decode { reason: error.to_string() })
}
