//! Selectors for objects that are no part of a build.

use std::collections::BTreeMap;

use manifest::Object;

use super::{Matcher, SelectorError};
use crate::generate;
use crate::value::string_map;

/// Which objects something applies to, ready to be asked; for the parts of Flux's API that use
/// kustomize's selectors outside of a build, such as `spec.ignore`.
///
/// Group, version, kind, name and namespace are regular expressions that must match the whole text;
/// labels and annotations are chosen by label selectors. Parts that are empty select all.
#[derive(Clone, Debug)]
pub struct ObjectSelector(Matcher);

impl ObjectSelector {
    /// Compiles a selector.
    ///
    /// # Errors
    /// If a part is no regular expression, or a label selector is malformed.
    pub fn new(selector: &generate::Selector) -> Result<Self, SelectorError> {
        let selector = selector.clone();
        Matcher::new(&super::Selector {
            group: selector.group,
            version: selector.version,
            kind: selector.kind,
            name: selector.name,
            namespace: selector.namespace,
            label_selector: selector.label_selector,
            annotation_selector: selector.annotation_selector,
        })
        .map(Self)
    }

    /// Whether the object is selected. Its namespace counts as it is written.
    pub fn selects(&self, object: &Object) -> bool {
        let texts = |field: &str| -> BTreeMap<String, String> {
            string_map(object.metadata().and_then(|metadata| metadata.get(field)))
        };
        let matcher = &self.0;
        matcher.selects_gvk(&object.gvk())
            && matcher.name.matches(object.name())
            && matcher.namespace.matches(object.namespace())
            && (matcher.labels.is_empty() || matcher.labels.matches(&texts("labels")))
            && (matcher.annotations.is_empty()
                || matcher.annotations.matches(&texts("annotations")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_selects_and_expressions_match_the_whole_text() {
        let object = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web-1", "namespace": "shop",
                "labels": {"app": "web"}, "annotations": {"team": "a"}},
        }))
        .unwrap();
        let selects = |change: &dyn Fn(&mut generate::Selector)| {
            let mut selector = generate::Selector::default();
            change(&mut selector);
            ObjectSelector::new(&selector).unwrap().selects(&object)
        };
        assert!(selects(&|_| {}));
        assert!(selects(&|s| s.kind = "Deploy.*".into()));
        assert!(!selects(&|s| s.kind = "Deploy".into()));
        assert!(selects(&|s| s.name = "web-[0-9]|db".into()));
        assert!(!selects(&|s| s.namespace = "default".into()));
        assert!(!selects(&|s| s.group = "batch".into()));
        assert!(selects(&|s| s.version = "v1".into()));
        assert!(selects(&|s| s.label_selector = "app in (web, db)".into()));
        assert!(!selects(&|s| s.annotation_selector = "team!=a".into()));
        let malformed = generate::Selector { name: "(".into(), ..generate::Selector::default() };
        assert!(ObjectSelector::new(&malformed).is_err());
    }
}
