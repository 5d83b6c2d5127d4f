//! One resource while it is built: the object, and what happened to it so far.

use std::collections::BTreeMap;

use manifest::Gvk;
use serde_json::{Map, Value};

use crate::identity::ResId;
use crate::origin::Origin;
use crate::shared_label::SharedLabel;
use crate::value::{object_entry, text};

/// Annotations by which kustomize keeps its notes; none of them is ever part of a result.
const BUILD_ANNOTATIONS: [&str; 19] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    NEEDS_HASH,
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "internal.config.kubernetes.io/helm-generated",
];
const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
/// Stands for all of them while a patch is applied.
const NOTES: &str = "internal.config.kubernetes.io/notes";
const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// An object, with the notes that a build keeps of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Resource {
    pub(crate) fields: Map<String, Value>,
    pub(crate) notes: Notes,
}

/// What happened to a resource.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a note of its own")]
pub(crate) struct Notes {
    /// The identities it had, oldest first.
    pub(crate) previous: Vec<PreviousId>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) suffixes: Vec<String>,
    /// How a generated resource meets one that exists.
    pub(crate) behavior: Option<Behavior>,
    pub(crate) needs_hash: bool,
    /// Whether this patch may rename its target.
    pub(crate) may_rename: bool,
    /// Whether this patch may change the kind of its target.
    pub(crate) may_change_kind: bool,
    /// The names of the vars that read this resource.
    pub(crate) read_by_vars: Vec<String>,
    /// Where the file has nothing at all behind a key, until a merge has seen it.
    pub(crate) blanks: Vec<Blank>,
    /// Labels that several places share.
    pub(crate) shared_labels: Vec<SharedLabel>,
    /// How labels and annotations are written that mean something else than their text.
    pub(crate) spellings: Vec<Spelling>,
    /// Whether kustomize made keys in it, which it prints without quotes whatever they look like.
    pub(crate) has_plain_keys: bool,
    pub(crate) origin: Option<Origin>,
    pub(crate) transformed_by: Vec<Origin>,
}

/// A label or annotation that means something else than its text: `1.0`, `~`, a date.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spelling {
    /// `labels` or `annotations`.
    pub(crate) field: String,
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) text: String,
}

/// The steps to a value that is left out in the file, which is not quite a null that stands there.
pub(crate) type Blank = Vec<yaml::Step>;

/// An identity that a resource had; group and version never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreviousId {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// How a generated resource meets one that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

impl Resource {
    /// Takes an object; notes that another tool left in its annotations are read.
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        let mut resource = Self { fields, notes: Notes::default() };
        if resource.annotation(NEEDS_HASH) == "enabled" {
            resource.notes.needs_hash = true;
        }
        resource
    }

    pub(crate) fn api_version(&self) -> String {
        self.fields.get("apiVersion").map(text).unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> String {
        self.fields.get("kind").map(text).unwrap_or_default()
    }

    pub(crate) fn name(&self) -> String {
        self.metadata_text("name")
    }

    pub(crate) fn namespace(&self) -> String {
        self.metadata_text("namespace")
    }

    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(&self.api_version(), &self.kind())
    }

    /// The identity that it has now.
    pub(crate) fn id(&self) -> ResId {
        ResId::new(self.gvk(), self.name(), self.namespace())
    }

    /// The identity that it was read with.
    pub(crate) fn original_id(&self) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// The identities that it had before this one, oldest first.
    ///
    /// Flux: they are never known to be cluster-scoped; their namespace says so instead.
    pub(crate) fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        let gvk = self.gvk();
        self.notes.previous.iter().map(move |previous| ResId {
            gvk: Gvk { kind: previous.kind.clone(), ..gvk.clone() },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
            cluster_scoped: false,
        })
    }

    /// Notes the identity that it has now, which is about to change.
    pub(crate) fn remember_id(&mut self) {
        let id = self.id();
        let namespace = id.effective_namespace().to_owned();
        self.notes.previous.push(PreviousId { kind: id.gvk.kind, name: id.name, namespace });
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        self.string_map("labels")
    }

    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        self.string_map("annotations")
    }

    /// Labels or annotations as kustomize reads them: as they are written, whatever they mean.
    fn string_map(&self, field: &str) -> BTreeMap<String, String> {
        let map = self.metadata().and_then(|metadata| metadata.get(field)?.as_object());
        let text = |key: &str, value: &Value| {
            let spelling = self.notes.spellings.iter().find(|spelling| {
                spelling.field == field && spelling.key == key && spelling.value == *value
            });
            match (spelling, value) {
                (Some(spelling), _) => spelling.text.clone(),
                (None, Value::Null) => "null".to_owned(),
                (None, value) => text(value),
            }
        };
        map.into_iter().flatten().map(|(key, value)| (key.clone(), text(key, value))).collect()
    }

    /// Gives the labels and annotations that there are the text that they are written with.
    pub(crate) fn spell_out(&mut self) {
        for (field, map) in [("labels", self.labels()), ("annotations", self.annotations())] {
            if self.metadata().is_some_and(|metadata| metadata.contains_key(field)) {
                self.set_string_map(field, map);
            }
        }
    }

    pub(crate) fn annotation(&self, key: &str) -> String {
        self.metadata()
            .and_then(|metadata| metadata.get("annotations")?.get(key))
            .map(text)
            .unwrap_or_default()
    }

    pub(crate) fn has_annotation(&self, key: &str) -> bool {
        self.metadata().is_some_and(|metadata| {
            metadata.get("annotations").is_some_and(|annotations| annotations.get(key).is_some())
        })
    }

    pub(crate) fn set_labels(&mut self, labels: BTreeMap<String, String>) {
        self.set_string_map("labels", labels);
    }

    pub(crate) fn set_annotations(&mut self, annotations: BTreeMap<String, String>) {
        self.set_string_map("annotations", annotations);
    }

    pub(crate) fn set_name(&mut self, name: &str) {
        object_entry(&mut self.fields, "metadata").insert("name".to_owned(), Value::from(name));
    }

    /// Sets the namespace, or removes it if it is empty.
    pub(crate) fn set_namespace(&mut self, namespace: &str) {
        let metadata = object_entry(&mut self.fields, "metadata");
        if namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace".to_owned(), Value::from(namespace));
        }
    }

    pub(crate) fn set_kind(&mut self, kind: &str) {
        self.fields.insert("kind".to_owned(), Value::from(kind));
    }

    pub(crate) fn metadata(&self) -> Option<&Map<String, Value>> {
        self.fields.get("metadata")?.as_object()
    }

    /// Whether kustomize would have notes of it among the annotations.
    pub(crate) fn is_noted(&self) -> bool {
        let notes = &self.notes;
        !notes.previous.is_empty()
            || !notes.prefixes.is_empty()
            || !notes.suffixes.is_empty()
            || notes.behavior.is_some()
            || notes.needs_hash
            || notes.origin.is_some()
            || !notes.transformed_by.is_empty()
            || !notes.read_by_vars.is_empty()
    }

    /// Stands for the notes among the annotations while a patch is applied.
    ///
    /// Flux: kustomize keeps its notes there, so a patch that replaces or removes all annotations
    /// makes it forget where the resource comes from; a strategic merge patch also its earlier names,
    /// to which references are not followed any more, and the hash that was to come.
    pub(crate) fn show_notes(&mut self) {
        if !self.is_noted() {
            return;
        }
        let metadata = object_entry(&mut self.fields, "metadata");
        let annotations = metadata.entry("annotations").or_insert(Value::Null);
        if annotations.is_null() {
            *annotations = Value::Object(Map::new());
        }
        if let Value::Object(annotations) = annotations {
            annotations.insert(NOTES.to_owned(), Value::from(""));
        }
    }

    /// Takes away what stands for the notes; where a patch has done so already, they are forgotten,
    /// or with `origin_only` where it comes from.
    pub(crate) fn hide_notes(&mut self, origin_only: bool) {
        if !self.is_noted() {
            return;
        }
        let annotations = self.fields.get_mut("metadata").and_then(|it| it.get_mut("annotations"));
        let shown = match annotations {
            Some(Value::Object(annotations)) => annotations.remove(NOTES).is_some(),
            // Nothing was shown among what is no map.
            Some(other) => !other.is_null(),
            None => false,
        };
        if shown {
            return;
        }
        self.notes.origin = None;
        self.notes.transformed_by.clear();
        if !origin_only {
            let Notes { blanks, shared_labels, spellings, has_plain_keys, .. } =
                std::mem::take(&mut self.notes);
            self.notes =
                Notes { blanks, shared_labels, spellings, has_plain_keys, ..Notes::default() };
        }
    }

    /// Drops annotations that are no map.
    ///
    /// Flux: kustomize writes its notes again after a JSON patch, in the place of whatever is there.
    pub(crate) fn drop_odd_annotations(&mut self) {
        if !self.is_noted() {
            return;
        }
        if let Some(Value::Object(metadata)) = self.fields.get_mut("metadata")
            && metadata.get("annotations").is_some_and(|it| !it.is_object() && !it.is_null())
        {
            metadata.remove("annotations");
        }
    }

    /// Takes labels, annotations, name, namespace and notes of a resource that this one replaces.
    pub(crate) fn inherit(&mut self, old: &Self) {
        let mut labels = old.labels();
        labels.extend(self.labels());
        self.set_labels(labels);
        let mut annotations = old.annotations();
        annotations.extend(self.annotations());
        self.set_annotations(annotations);
        self.set_name(&old.name());
        self.set_namespace(&old.namespace());
        let needs_hash = self.notes.needs_hash && old.notes.needs_hash;
        let origin = self.notes.origin.take().or_else(|| old.notes.origin.clone());
        let has_plain_keys = self.notes.has_plain_keys || old.notes.has_plain_keys;
        self.notes = Notes {
            needs_hash,
            has_plain_keys,
            shared_labels: Vec::new(),
            origin,
            ..old.notes.clone()
        };
    }

    /// Makes the object what leaves the build: without notes, save those that are asked for.
    pub(crate) fn finish(&mut self, keep_origin: bool, keep_transformations: bool) {
        let untouched =
            self.metadata().is_none_or(|metadata| !metadata.contains_key("annotations"));
        let notes = &self.notes;
        let adds_nothing = !(keep_origin && notes.origin.is_some()
            || keep_transformations && !notes.transformed_by.is_empty());
        if untouched && adds_nothing {
            return;
        }
        let mut annotations = self.annotations();
        for key in BUILD_ANNOTATIONS {
            annotations.remove(key);
        }
        annotations.remove(ORIGIN);
        annotations.remove(TRANSFORMATIONS);
        if keep_origin && let Some(origin) = &self.notes.origin {
            annotations.insert(ORIGIN.to_owned(), origin.to_string());
        }
        if keep_transformations && !self.notes.transformed_by.is_empty() {
            let list = crate::origin::list_text(&self.notes.transformed_by);
            annotations.insert(TRANSFORMATIONS.to_owned(), list);
        }
        self.set_annotations(annotations);
    }

    fn metadata_text(&self, field: &str) -> String {
        self.metadata().and_then(|metadata| metadata.get(field)).map(text).unwrap_or_default()
    }

    fn set_string_map(&mut self, field: &str, map: BTreeMap<String, String>) {
        let metadata = object_entry(&mut self.fields, "metadata");
        if map.is_empty() {
            metadata.remove(field);
        } else {
            let map = map.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
            metadata.insert(field.to_owned(), Value::Object(map));
        }
    }
}
