//! Fields of applied objects that are left to others (`spec.ignore`).

use std::sync::Arc;

use cluster_apply::IgnoredFields;
use crd_types::kustomize::Kustomization;
use kustomize_build::ObjectSelector;
use manifest::Object;

use super::halt::Halt;
use super::render;

/// The rules of one object.
#[derive(Debug)]
struct IgnoreRules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// Which objects; none for all of them.
    target: Option<ObjectSelector>,
    paths: Vec<String>,
}

/// The rules of an object, if it has any. Pure.
pub(super) fn rules(ks: &Kustomization) -> Result<Option<Arc<dyn IgnoredFields>>, Halt> {
    let mut rules = Vec::new();
    for rule in &ks.spec.ignore {
        let target = rule.target.as_ref().map(|target| {
            ObjectSelector::new(&render::selector(target)).map_err(|error| Halt::Apply {
                message: format!("invalid target in spec.ignore: {error}"),
            })
        });
        rules.push(Rule { target: target.transpose()?, paths: rule.paths.clone() });
    }
    Ok(if rules.is_empty() { None } else { Some(Arc::new(IgnoreRules(rules))) })
}

impl IgnoredFields for IgnoreRules {
    fn of(&self, object: &Object) -> Vec<String> {
        let applies =
            |rule: &&Rule| rule.target.as_ref().is_none_or(|target| target.selects(object));
        self.0.iter().filter(applies).flat_map(|rule| rule.paths.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ks(ignore: &serde_json::Value) -> Kustomization {
        serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "app", "namespace": "shop"},
            "spec": {"interval": "1h", "prune": true, "ignore": ignore,
                "sourceRef": {"kind": "GitRepository", "name": "app"}},
        }))
        .unwrap()
    }

    fn deployment(name: &str) -> Object {
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name}}))
        .unwrap()
    }

    #[test]
    fn rules_apply_to_what_they_select() {
        let ks = ks(&json!([
            {"paths": ["/spec/replicas"], "target": {"kind": "Deployment", "name": "web.*"}},
            {"paths": ["/metadata/labels/x"]},
        ]));
        let rules = rules(&ks).unwrap().unwrap();
        assert_eq!(rules.of(&deployment("web-1")), ["/spec/replicas", "/metadata/labels/x"]);
        assert_eq!(rules.of(&deployment("my-web")), ["/metadata/labels/x"]);
    }

    #[test]
    fn a_wrong_selector_is_told() {
        let wrong = ks(&json!([{"paths": ["/a"], "target": {"kind": "("}}]));
        let message = rules(&wrong).unwrap_err().to_string();
        assert!(message.starts_with("invalid target in spec.ignore: "), "{message}");
        assert!(rules(&ks(&json!([]))).unwrap().is_none());
    }
}
