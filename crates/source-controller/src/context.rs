//! What every reconciliation of a process shares.

use std::{path::PathBuf, sync::Arc};

use artifact::{Fetcher, Store as Artifacts};
use crd_types::source::{Bucket, GitRepository, HelmChart, HelmRepository, OCIRepository};
use git_client::Client;
use http_access::Clients;
use reconcile_loop::{program::Runtime, references::InputWatch};

use crate::{indexes::Indexes, settings::Settings, source::Loop};

/// What every reconciliation of a process shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
    pub(crate) git_repositories: Loop<GitRepository>,
    pub(crate) helm_repositories: Loop<HelmRepository>,
    pub(crate) helm_charts: Loop<HelmChart>,
    pub(crate) oci_repositories: Loop<OCIRepository>,
    pub(crate) buckets: Loop<Bucket>,
    /// Indexes of Helm repositories in memory.
    pub(crate) indexes: Indexes,
    /// The artifacts on disk.
    pub(crate) store: Arc<Artifacts>,
    /// Brings over what other controllers serve.
    pub(crate) fetcher: Fetcher,
    /// Ask servers of charts and images.
    pub(crate) clients: Arc<Clients>,
    /// Asks git servers.
    pub(crate) git: Client,
    /// Where objects of repositories stay while they are worked on.
    pub(crate) scratch: PathBuf,
    /// Watches the Secrets that are referred to.
    pub(crate) inputs: InputWatch,
}
