//! Which resources a patch, a replacement or a plugin applies to.

mod labels;
mod object;

pub(crate) use labels::LabelSelector;
pub use labels::LabelSelectorError;
pub use object::ObjectSelector;

use go_regex::Regex;
use manifest::Gvk;
use serde::{Deserialize, Serialize};

use crate::identity::ResId;
use crate::resource::Resource;
use crate::resources::Resources;

/// A selector as it is written; every part that is empty selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the file format")]
pub(crate) struct Selector {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) label_selector: String,
    pub(crate) annotation_selector: String,
}

/// As kustomize's messages print it.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { group, version, kind, name, namespace, label_selector, annotation_selector } =
            self;
        let gvk = Gvk { group: group.clone(), version: version.clone(), kind: kind.clone() };
        let id =
            ResId { gvk, name: name.clone(), namespace: namespace.clone(), cluster_scoped: false };
        write!(f, "{id}:a={annotation_selector}:l={label_selector}")
    }
}

/// Why a selector cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A part is no regular expression.
    #[error(transparent)]
    Regex(#[from] go_regex::Error),
    /// The label or annotation selector is malformed.
    #[error(transparent)]
    Labels(#[from] LabelSelectorError),
}

/// A selector, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LabelSelector,
    annotations: LabelSelector,
    /// Whether only labels and annotations count.
    names_nothing: bool,
}

/// A regular expression that must match the whole text; plain words need none.
#[derive(Clone, Debug)]
enum Pattern {
    Any,
    Word(String),
    Regex(Box<Regex>),
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, SelectorError> {
        if pattern.is_empty() {
            return Ok(Self::Any);
        }
        if pattern.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/')) {
            return Ok(Self::Word(pattern.to_owned()));
        }
        regex(&format!("^(?:{pattern})$")).map(|regex| Self::Regex(Box::new(regex)))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Word(word) => word == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Compiles a regular expression from outside, within bounds.
pub(crate) fn regex(pattern: &str) -> Result<Regex, SelectorError> {
    Ok(Regex::new(pattern)?)
}

impl Matcher {
    pub(crate) fn new(selector: &Selector) -> Result<Self, SelectorError> {
        let parts = [
            &selector.group,
            &selector.version,
            &selector.kind,
            &selector.name,
            &selector.namespace,
        ];
        Ok(Self {
            group: Pattern::new(&selector.group)?,
            version: Pattern::new(&selector.version)?,
            kind: Pattern::new(&selector.kind)?,
            name: Pattern::new(&selector.name)?,
            namespace: Pattern::new(&selector.namespace)?,
            labels: LabelSelector::parse(&selector.label_selector)?,
            annotations: LabelSelector::parse(&selector.annotation_selector)?,
            names_nothing: parts.iter().all(|part| part.is_empty()),
        })
    }

    /// Whether a patch or plugin selects the resource: by its first or its present identity.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        if !self.selects_gvk(&resource.gvk()) {
            return false;
        }
        let (original, current) = (resource.original_id(), resource.id());
        let namespace = |id: &ResId| self.namespace.matches(id.effective_namespace());
        let name = |id: &ResId| self.name.matches(&id.name);
        (namespace(&original) || namespace(&current))
            && (name(&original) || name(&current))
            && self.selects_metadata(resource)
    }

    /// Whether a replacement selects the identity; its namespace counts as it is written.
    pub(crate) fn selects_id(&self, id: &ResId) -> bool {
        self.selects_gvk(&id.gvk)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }

    /// Whether labels and annotations are as wanted.
    pub(crate) fn selects_metadata(&self, resource: &Resource) -> bool {
        (self.labels.is_empty() || self.labels.matches(&resource.labels()))
            && (self.annotations.is_empty() || self.annotations.matches(&resource.annotations()))
    }

    /// Whether no part of an identity is named.
    pub(crate) fn names_nothing(&self) -> bool {
        self.names_nothing
    }

    /// Whether neither labels nor annotations are asked for.
    pub(crate) fn ignores_metadata(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }

    /// Where the selected resources are.
    pub(crate) fn select(&self, resources: &mut Resources) -> Vec<usize> {
        let mut places = resources.named(self.exact_name());
        places.retain(|place| resources.get(*place).is_some_and(|resource| self.selects(resource)));
        places
    }

    /// The only name that can be selected, if there is one.
    pub(crate) fn exact_name(&self) -> Option<&str> {
        match &self.name {
            Pattern::Word(name) => Some(name),
            Pattern::Any | Pattern::Regex(_) => None,
        }
    }

    fn selects_gvk(&self, gvk: &Gvk) -> bool {
        self.group.matches(&gvk.group)
            && self.version.matches(&gvk.version)
            && self.kind.matches(&gvk.kind)
    }
}
