//! The labels and annotations by which an object says how it wants to be treated, and by which it
//! says whose it is.

use manifest::Object;

use crate::records::Owner;

/// Reads what objects say under one prefix of keys (`kustomize.toolkit.fluxcd.io`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controls<'a> {
    pub(crate) prefix: &'a str,
}

impl Controls<'_> {
    /// Whether the object must not be written, by what itself says. Flux: looked up on the desired
    /// object and on the live one.
    pub(crate) fn skips_apply(self, object: &Object) -> bool {
        self.says(object, "reconcile", "disabled") || self.says(object, "ssa", "ignore")
    }

    /// Whether the desired object is only wanted where there is none yet.
    pub(crate) fn only_if_absent(self, desired: &Object) -> bool {
        self.says(desired, "ssa", "ifnotpresent")
    }

    /// Whether fields of earlier owners stay theirs.
    pub(crate) fn merges(self, object: &Object) -> bool {
        self.says(object, "ssa", "merge")
    }

    /// Whether the object may be deleted and made anew where a change is refused.
    pub(crate) fn forces(self, object: &Object) -> bool {
        self.says(object, "force", "enabled")
    }

    /// Whether a live object must not be deleted.
    pub(crate) fn skips_prune(self, live: &Object) -> bool {
        self.says(live, "prune", "disabled") || self.skips_apply(live)
    }

    /// Writes whose the object is.
    pub(crate) fn set_owner(self, object: &mut Object, owner: &Owner) {
        object.set_label(&self.key("name"), &owner.name);
        object.set_label(&self.key("namespace"), &owner.namespace);
    }

    /// Whether the object says that it belongs to this owner.
    pub(crate) fn is_owned_by(self, object: &Object, owner: &Owner) -> bool {
        object.label(&self.key("name")) == Some(owner.name.as_str())
            && object.label(&self.key("namespace")) == Some(owner.namespace.as_str())
    }

    pub(crate) fn key(self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// Flux: a label counts as much as an annotation, and case does not.
    fn says(self, object: &Object, name: &str, value: &str) -> bool {
        let key = self.key(name);
        [object.label(&key), object.annotation(&key)]
            .into_iter()
            .flatten()
            .any(|said| said.eq_ignore_ascii_case(value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONTROLS: Controls<'_> = Controls { prefix: "kustomize.toolkit.fluxcd.io" };

    fn object(map: &str, key: &str, value: &str) -> Object {
        let key = CONTROLS.key(key);
        Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", map: {key: value}},
        }))
        .unwrap()
    }

    #[test]
    fn labels_and_annotations_count_alike_whatever_their_case() {
        assert!(CONTROLS.skips_apply(&object("annotations", "ssa", "Ignore")));
        assert!(CONTROLS.skips_apply(&object("labels", "reconcile", "Disabled")));
        assert!(!CONTROLS.skips_apply(&object("labels", "reconcile", "enabled")));
        assert!(CONTROLS.only_if_absent(&object("annotations", "ssa", "IfNotPresent")));
        assert!(CONTROLS.skips_prune(&object("annotations", "prune", "disabled")));
        assert!(CONTROLS.skips_prune(&object("annotations", "reconcile", "disabled")));
        assert!(!CONTROLS.skips_prune(&object("annotations", "ssa", "Merge")));
    }

    #[test]
    fn both_labels_name_the_owner() {
        let owner = Owner { namespace: "flux-system".to_owned(), name: "app".to_owned() };
        let mut mine = object("labels", "x", "y");
        assert!(!CONTROLS.is_owned_by(&mine, &owner));
        CONTROLS.set_owner(&mut mine, &owner);
        assert!(CONTROLS.is_owned_by(&mine, &owner));
        assert!(!CONTROLS.is_owned_by(&mine, &Owner { name: "b".to_owned(), ..owner }));
    }
}
