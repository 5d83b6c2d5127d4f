//! Which release, and whose rights.

use cluster_apply::TenantClient;

use crate::leave::Leave;
use crate::storage::Storage;

/// Which release an action is about, and whose rights are used.
#[derive(Clone, Debug)]
pub struct Target {
    /// Acts on the cluster, for objects and for storage.
    pub client: TenantClient,
    /// Namespace of the records.
    pub storage_namespace: String,
    /// Namespace of the release.
    pub namespace: String,
    /// Name of the release, as Helm has it (not too long any more).
    pub name: String,
    /// The object that the release is made for.
    pub origin: Origin,
    /// Given back while an action waits.
    pub leave: Leave,
}

/// The object that a release is made for. Every object of the release is labelled with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

impl Target {
    /// Where the records are.
    pub fn storage(&self) -> Storage {
        Storage::new(self.client.clone(), &self.storage_namespace, &self.name)
    }
}
