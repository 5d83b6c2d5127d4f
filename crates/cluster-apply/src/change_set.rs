//! What was done to each object, in the order of application.

use std::fmt;

use manifest::{Object, ObjectId};

/// What was done to each object, in the order of application.
#[derive(Clone, Debug, Default)]
pub struct ChangeSet {
    /// One entry per object.
    pub entries: Vec<Change>,
}

/// What was done to one object.
#[derive(Clone)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// The version it was applied under, as `v1` or `v1beta1` (without the group).
    pub version: String,
    /// What was done.
    pub action: Action,
    /// The object as the API server last answered, without its managed fields, and without the
    /// data of a Secret. Present if [`crate::ApplyOptions::retain`] asked for it and the object was
    /// not skipped.
    pub live: Option<Object>,
}

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It was not there before.
    Created,
    /// It was changed, or its fields changed their owner.
    Configured,
    /// It was as it should be; nothing was written.
    Unchanged,
    /// A label or annotation asks to leave it alone.
    Skipped,
    /// It is deleted, or deletion has begun.
    Deleted,
}

impl ChangeSet {
    /// The entries that changed the cluster.
    pub fn changed(&self) -> impl Iterator<Item = &Change> {
        self.entries.iter().filter(|entry| {
            matches!(entry.action, Action::Created | Action::Configured | Action::Deleted)
        })
    }

    /// The change log as events carry it: one line per object that was created, configured or
    /// deleted. Empty if there is none.
    pub fn log(&self) -> String {
        lines(self.changed())
    }

    /// One line per object, whatever was done to it: the log of a garbage collection.
    pub fn full_log(&self) -> String {
        lines(self.entries.iter())
    }
}

fn lines<'a>(entries: impl Iterator<Item = &'a Change>) -> String {
    entries.map(Change::to_string).collect::<Vec<_>>().join("\n")
}

/// As Flux logs it: `Kind/namespace/name action`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.action)
    }
}

/// Without the content of the object, which is nobody's business.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Deleted => "deleted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_only_of_changes() {
        let entry = |id: &str, action| Change {
            id: ObjectId::from_inventory_id(id).unwrap(),
            version: "v1".to_owned(),
            action,
            live: None,
        };
        let set = ChangeSet {
            entries: vec![
                entry("_shop__Namespace", Action::Created),
                entry("shop_a__ConfigMap", Action::Unchanged),
                entry("shop_b__ConfigMap", Action::Configured),
                entry("shop_c__ConfigMap", Action::Skipped),
            ],
        };
        assert_eq!(set.log(), "Namespace/shop created\nConfigMap/shop/b configured");
        assert_eq!(set.full_log().lines().count(), 4);
    }
}
