//! What identifies an object, and how an inventory writes it.

use std::fmt;

/// Group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version within the group.
    pub version: String,
    /// The kind.
    pub kind: String,
}

/// Group and kind: what stays the same across versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
}

/// What identifies an object in a cluster. The version does not: an object served under two
/// versions is one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty for a cluster-scoped object.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Why an inventory id could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid inventory id `{id}`, want <namespace>_<name>_<group>_<kind>")]
pub struct InventoryIdError {
    /// The id as it was written.
    pub id: String,
}

impl Gvk {
    /// Splits an `apiVersion` into group and version.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// Group and version as an object writes them: `apps/v1`, `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The part that stays the same across versions.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }
}

impl ObjectId {
    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// The id as an inventory writes it: `<namespace>_<name>_<group>_<kind>`.
    ///
    /// Flux: a colon in the name of an RBAC object is written `__` (cli-utils, `object.ObjMetadata`).
    pub fn inventory_id(&self) -> String {
        let name = if self.is_rbac() { self.name.replace(':', "__") } else { self.name.clone() };
        format!("{}_{}_{}_{}", self.namespace, name, self.group, self.kind)
    }

    /// Reads an id as an inventory writes it.
    ///
    /// # Errors
    /// If it has fewer than four parts.
    pub fn from_inventory_id(id: &str) -> Result<Self, InventoryIdError> {
        let parts = || {
            let (namespace, rest) = id.split_once('_')?;
            let (rest, kind) = rest.rsplit_once('_')?;
            let (name, group) = rest.rsplit_once('_')?;
            Some((namespace, name, group, kind))
        };
        let (namespace, name, group, kind) =
            parts().ok_or_else(|| InventoryIdError { id: id.to_owned() })?;
        let mut read = Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        if read.is_rbac() {
            read.name = read.name.replace("__", ":");
        }
        Ok(read)
    }

    fn is_rbac(&self) -> bool {
        self.group == "rbac.authorization.k8s.io"
    }
}

/// As Flux names an object in events and messages: `Kind/namespace/name`, or `Kind/name`.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// As Kubernetes prints it: `apps/v1, Kind=Deployment`.
impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, Kind={}", self.api_version(), self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_id_is_read_as_it_was_written() {
        for (id, display) in [
            ("default_podinfo__Service", "Service/default/podinfo"),
            (
                "_crds.example.com_apiextensions.k8s.io_CustomResourceDefinition",
                "CustomResourceDefinition/crds.example.com",
            ),
            ("_system__node_rbac.authorization.k8s.io_ClusterRole", "ClusterRole/system:node"),
            ("a_b_apps_Deployment", "Deployment/a/b"),
        ] {
            let read = ObjectId::from_inventory_id(id).unwrap();
            assert_eq!(read.to_string(), display);
            assert_eq!(read.inventory_id(), id);
        }
        assert!(ObjectId::from_inventory_id("a_b_c").is_err());
    }

    #[test]
    fn an_api_version_has_a_group_or_none() {
        assert_eq!(Gvk::new("v1", "Pod").api_version(), "v1");
        assert_eq!(Gvk::new("apps/v1", "Deployment").to_string(), "apps/v1, Kind=Deployment");
    }
}
