//! What is done to rendered files before Helm takes them apart: the steps of the object, common
//! metadata, and the labels that say whose the objects are. Pure.

use std::collections::BTreeMap;

use crd_types::appliers::CommonMetadata;
use crd_types::helm::{HelmRelease, KustomizeRenderer};
use crd_types::metadata::helm::{OWNER_NAME, OWNER_NAMESPACE};
use helm_render::PostRender;
use kube::ResourceExt as _;
use kustomize_build::{Built, Options, overlay};
use serde_json::{Map, Value, json};

/// Marks a document with the file that it comes from, while others work on it. Helm's.
const FILE: &str = "postrenderer.helm.sh/postrender-filename";
const HOOK: &str = "helm.sh/hook";

/// What is done to rendered files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PostRenderers {
    /// Kustomizations over what the step before left.
    steps: Vec<Map<String, Value>>,
    common: CommonMetadata,
    strategy: Strategy,
}

/// What becomes of hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    /// They stay as they were rendered.
    NoHooks,
    /// They take part like everything else.
    Combined,
    /// They take part, apart from everything else.
    Separate,
}

/// Why rendered files were not changed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("parsing {path}: {message}")]
    Parse { path: String, message: String },
    #[error("{}", .0.message())]
    Kustomize(#[from] kustomize_build::Error),
}

/// A document and the file that it comes from.
#[derive(Debug)]
struct Document {
    path: String,
    fields: Map<String, Value>,
}

impl PostRenderers {
    /// The steps of an object. Without any, the owner labels are still set.
    pub(crate) fn of(hr: &HelmRelease, helm3_defaults: bool) -> Self {
        let steps = hr.spec.post_renderers.iter().filter_map(|step| step.kustomize.as_ref());
        let mut common = hr.spec.common_metadata.clone().unwrap_or_default();
        common.labels.insert(OWNER_NAME.to_owned(), hr.name_any());
        common.labels.insert(OWNER_NAMESPACE.to_owned(), hr.namespace().unwrap_or_default());
        let strategy = match hr.spec.post_render_strategy.as_deref() {
            Some("nohooks") => Strategy::NoHooks,
            Some("separate") => Strategy::Separate,
            None if helm3_defaults => Strategy::NoHooks,
            _ => Strategy::Combined,
        };
        Self { steps: steps.map(kustomization).collect(), common, strategy }
    }

    fn all(&self, documents: Vec<Document>) -> Result<Vec<Document>, Error> {
        let mut documents = documents;
        if !self.steps.is_empty() && !documents.is_empty() {
            let mut stream: Vec<Map<String, Value>> = documents.into_iter().map(marked).collect();
            for step in &self.steps {
                stream = overlay(stream, step.clone(), &Options::controller())?.documents;
            }
            documents = stream.into_iter().enumerate().map(unmarked).collect();
        }
        for document in &mut documents {
            merge(&mut document.fields, "labels", &self.common.labels);
            merge(&mut document.fields, "annotations", &self.common.annotations);
        }
        Ok(documents)
    }
}

impl PostRender for PostRenderers {
    fn run(
        &self,
        files: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error + Send + Sync>> {
        let (mut hooks, mut others, mut untouched) = (Vec::new(), Vec::new(), Vec::new());
        for (path, text) in files {
            if path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
                continue;
            }
            for text in helm_render::split(&text) {
                let Some(document) = read(&path, text)? else { continue };
                let is_hook = document.annotation(HOOK).is_some();
                match self.strategy {
                    Strategy::NoHooks if is_hook => {
                        untouched.push((path.clone(), text.to_owned()));
                    }
                    Strategy::Separate if is_hook => hooks.push(document),
                    _ => others.push(document),
                }
            }
        }
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for documents in [hooks, others] {
            for Document { path, fields } in self.all(documents)? {
                let text = Built { documents: vec![fields], warnings: Vec::new() }.to_yaml();
                out.entry(path).or_default().push(text);
            }
        }
        for (path, text) in untouched {
            out.entry(path).or_default().push(text);
        }
        Ok(out.into_iter().map(|(path, documents)| (path, documents.join("---\n"))).collect())
    }
}

impl Document {
    fn annotation(&self, key: &str) -> Option<&str> {
        self.fields.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }
}

/// One document of a file; none if there is nothing in it.
fn read(path: &str, text: &str) -> Result<Option<Document>, Error> {
    let failed = |message: String| Error::Parse { path: path.to_owned(), message };
    match yaml::kyaml::parse(text.as_bytes()) {
        Ok(Value::Object(fields)) => Ok(Some(Document { path: path.to_owned(), fields })),
        Ok(Value::Null) => Ok(None),
        Ok(_) => Err(failed("the document is no object".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn kustomization(step: &KustomizeRenderer) -> Map<String, Value> {
    let merges = step.patches_strategic_merge.iter().map(|patch| json!(patch.to_string()));
    let patches = step.patches_json6902.iter();
    let patches =
        patches.map(|of| json!({"target": of.target, "patch": json!(of.patch).to_string()}));
    let fields = [
        ("images", json!(step.images)),
        ("patches", json!(step.patches)),
        ("patchesStrategicMerge", merges.collect()),
        ("patchesJson6902", patches.collect()),
    ];
    let given = fields.into_iter().filter(|(_, list)| list != &json!([]));
    let mut kustomization: Map<String, Value> =
        given.map(|(field, list)| (field.to_owned(), list)).collect();
    kustomization.insert("apiVersion".to_owned(), "kustomize.config.k8s.io/v1beta1".into());
    kustomization.insert("kind".to_owned(), "Kustomization".into());
    kustomization
}

fn marked(document: Document) -> Map<String, Value> {
    let Document { path, mut fields } = document;
    merge(&mut fields, "annotations", &BTreeMap::from([(FILE.to_owned(), path)]));
    fields
}

/// Takes the mark off. What a step made has none.
fn unmarked((at, mut fields): (usize, Map<String, Value>)) -> Document {
    let metadata = fields.get_mut("metadata").and_then(Value::as_object_mut);
    let mut path = None;
    if let Some(metadata) = metadata {
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        let mut empty = false;
        if let Some(annotations) = annotations {
            path = annotations.remove(FILE).and_then(|path| path.as_str().map(str::to_owned));
            empty = annotations.is_empty();
        }
        if empty {
            metadata.remove("annotations");
        }
    }
    let path = path.unwrap_or_else(|| {
        let api_version = fields.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let group =
            api_version.split_once('/').map_or(String::new(), |(group, _)| format!("-{group}"));
        format!("generated-by-postrender{group}-{at}.yaml")
    });
    Document { path, fields }
}

fn merge(fields: &mut Map<String, Value>, field: &str, entries: &BTreeMap<String, String>) {
    if entries.is_empty() {
        return;
    }
    let object = |value: &mut Value| {
        if !value.is_object() {
            *value = json!({});
        }
    };
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    object(metadata);
    let Some(metadata) = metadata.as_object_mut() else { return };
    let found = metadata.entry(field).or_insert_with(|| json!({}));
    object(found);
    for (key, value) in entries {
        found[key] = json!(value);
    }
}

#[cfg(test)]
mod tests {
    use crd_types::helm::{HelmReleaseSpec, PostRenderer};
    use crd_types::object_selection::{Image, Patch};

    use super::*;

    const POD: &str = "kind: Pod\napiVersion: v1\nmetadata:\n  name: a\nspec:\n  containers:\n  \
                       - name: m\n    image: nginx\n";
    const HOOK: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: \
                        {helm.sh/hook: pre-install}}\n";

    fn run(spec: HelmReleaseSpec) -> BTreeMap<String, String> {
        let mut hr = HelmRelease::new("app", spec);
        hr.metadata.namespace = Some("web".to_owned());
        let files = [("c/templates/a.yaml", POD), ("c/templates/h.yaml", HOOK)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        PostRenderers::of(&hr, false).run(files.into()).unwrap()
    }

    #[test]
    fn every_object_says_whose_it_is() {
        let files = run(HelmReleaseSpec::default());
        assert_eq!(
            files["c/templates/a.yaml"],
            "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    helm.toolkit.fluxcd.io/name: \
             app\n    helm.toolkit.fluxcd.io/namespace: web\n  name: a\nspec:\n  containers:\n  - \
             image: nginx\n    name: m\n"
        );
        assert!(files["c/templates/h.yaml"].contains("helm.toolkit.fluxcd.io/name: app"));
        let spec = HelmReleaseSpec {
            post_render_strategy: Some("nohooks".to_owned()),
            ..Default::default()
        };
        assert!(!run(spec)["c/templates/h.yaml"].contains("toolkit"));
    }

    #[test]
    fn steps_change_images_and_patch() {
        let patch = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {x: y}\n";
        let step = KustomizeRenderer {
            images: vec![Image {
                name: "nginx".to_owned(),
                new_tag: Some("1.2".to_owned()),
                ..Image::default()
            }],
            patches: vec![Patch { patch: patch.to_owned(), target: None }],
            ..KustomizeRenderer::default()
        };
        let files = run(HelmReleaseSpec {
            post_renderers: vec![PostRenderer { kustomize: Some(step) }],
            ..HelmReleaseSpec::default()
        });
        let pod = &files["c/templates/a.yaml"];
        assert!(pod.contains("image: nginx:1.2") && pod.contains("x: \"y\""), "{pod}");
        assert!(!pod.contains("postrender"), "{pod}");
    }

    #[test]
    fn patches_of_older_versions_change_objects_too() {
        let step = json!({
            "patchesStrategicMerge": [
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"x": "y"}}},
            ],
            "patchesJson6902": [{
                "target": {"kind": "Pod", "name": "a"},
                "patch": [{"op": "add", "path": "/metadata/annotations/b", "value": "c"}],
            }],
        });
        let step = serde_json::from_value(step).unwrap();
        let files = run(HelmReleaseSpec {
            post_renderers: vec![PostRenderer { kustomize: Some(step) }],
            ..HelmReleaseSpec::default()
        });
        let pod = &files["c/templates/a.yaml"];
        assert!(pod.contains("x: \"y\"") && pod.contains("b: c"), "{pod}");
    }

    #[test]
    fn common_metadata_never_hides_whose_an_object_is() {
        let labels = [("team", "a"), (OWNER_NAME, "other")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let common = CommonMetadata { labels: labels.into(), ..CommonMetadata::default() };
        let files =
            run(HelmReleaseSpec { common_metadata: Some(common), ..HelmReleaseSpec::default() });
        let pod = &files["c/templates/a.yaml"];
        assert!(
            pod.contains("team: a") && pod.contains("helm.toolkit.fluxcd.io/name: app"),
            "{pod}"
        );
    }
}
