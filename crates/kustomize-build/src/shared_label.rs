//! Labels of which kustomize has one node for several places.
//!
//! Flux: where a transformer makes a label in several places of a resource, they share a node. Who sets
//! it later in one of them, as `labels` without selectors does, changes all.

use serde_json::Value;

use crate::budget::{Budget, Overspent, weight};
use crate::field_spec::visit_map;
use crate::resource::Resource;

/// A label in several places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SharedLabel {
    pub(crate) key: String,
    pub(crate) value: Value,
    /// The ways to the maps that hold it.
    pub(crate) paths: Vec<Vec<String>>,
}

/// Carries a label that was set in some places to those that share it.
pub(crate) fn overwrite(
    resource: &mut Resource,
    key: &str,
    value: &str,
    met: &[Vec<String>],
    budget: &Budget,
) -> Result<(), Overspent> {
    let mut labels = std::mem::take(&mut resource.notes.shared_labels);
    for label in labels.iter_mut().filter(|label| label.key == key) {
        if label.paths.iter().any(|path| met.contains(path)) {
            label.value = Value::from(value);
            set(resource, label, budget)?;
        }
    }
    resource.notes.shared_labels = labels;
    Ok(())
}

/// Carries what a merge changed to the places that share it.
pub(crate) fn spread(resource: &mut Resource, budget: &Budget) -> Result<(), Overspent> {
    let mut labels = std::mem::take(&mut resource.notes.shared_labels);
    for label in &mut labels {
        let mut changed = None;
        for path in &label.paths {
            let visited = visit_map(&mut resource.fields, path, None, &mut |map| {
                let found = map.get(&label.key).filter(|found| **found != label.value);
                changed = changed.take().or_else(|| found.cloned());
                Ok(())
            });
            visited.ok();
        }
        if let Some(changed) = changed {
            label.value = changed;
            set(resource, label, budget)?;
        }
    }
    resource.notes.shared_labels = labels;
    Ok(())
}

fn set(resource: &mut Resource, label: &SharedLabel, budget: &Budget) -> Result<(), Overspent> {
    budget.spend(weight(&label.value).saturating_mul(label.paths.len()))?;
    for path in &label.paths {
        // A place that is gone needs no value.
        let visited = visit_map(&mut resource.fields, path, None, &mut |map| {
            if let Some(slot) = map.get_mut(&label.key) {
                slot.clone_from(&label.value);
            }
            Ok(())
        });
        visited.ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use file_tree::{File, FileTree, TreePath};

    use crate::{Options, build};

    #[test]
    fn a_label_that_is_set_again_changes_wherever_it_was_made() {
        let overlay = |change: &str| {
            let mut tree = FileTree::builder();
            for (path, text) in [
                ("kustomization.yaml", format!("resources: [base]\n{change}").as_str()),
                (
                    "base/kustomization.yaml",
                    "resources: [a.yaml]\ncommonLabels: {app: a, made: b}\n",
                ),
                (
                    "base/a.yaml",
                    "apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {app: x}}\nspec: {}\n",
                ),
            ] {
                let file = File { bytes: text.to_owned().into(), executable: false };
                tree.file(&TreePath::parse(path).unwrap(), file).unwrap();
            }
            build(&tree.build(), &TreePath::ROOT, &Options::command()).unwrap().to_yaml()
        };
        for change in [
            "labels: [{pairs: {app: c, made: c}}]\n",
            "patches: [{target: {kind: Service}, patch: '{apiVersion: v1, kind: Service, \
             metadata: {name: s, labels: {app: c, made: c}}}'}]\n",
        ] {
            assert_eq!(
                overlay(change),
                "apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n    app: c\n    made: c\n  \
                 name: s\nspec:\n  selector:\n    app: a\n    made: c\n",
                "{change}"
            );
        }
    }
}
