//! The sources that Kustomizations refer to, as their watches last saw them.

use crd_types::Artifact;
use crd_types::source::{Bucket, ExternalArtifact, GitRepository, OCIRepository};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Api, Client, ResourceExt as _};
use reconcile_loop::controller::api_error;
use reconcile_loop::mirror;
use reconcile_loop::program::Runtime;
use reconcile_loop::status::FluxKind;

/// The kinds that can be a source of manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SourceKind {
    GitRepository,
    OCIRepository,
    Bucket,
    ExternalArtifact,
}

impl SourceKind {
    /// Reads the kind of a reference.
    pub(crate) fn parse(kind: &str) -> Option<Self> {
        match kind {
            "GitRepository" => Some(Self::GitRepository),
            "OCIRepository" => Some(Self::OCIRepository),
            "Bucket" => Some(Self::Bucket),
            "ExternalArtifact" => Some(Self::ExternalArtifact),
            _ => None,
        }
    }

    /// The kind as an object writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::GitRepository => "GitRepository",
            Self::OCIRepository => "OCIRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }
}

/// A source, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceKey {
    pub(crate) kind: SourceKind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What of a source matters here.
trait Source: FluxKind {
    const KIND: SourceKind;
    fn artifact(&self) -> Option<&Artifact>;
}

macro_rules! source {
    ($kind:ident) => {
        impl Source for $kind {
            const KIND: SourceKind = SourceKind::$kind;
            fn artifact(&self) -> Option<&Artifact> {
                self.status.as_ref()?.artifact.as_ref()
            }
        }
    };
}

source!(GitRepository);
source!(OCIRepository);
source!(Bucket);
source!(ExternalArtifact);

/// The sources of a cluster.
#[derive(Clone)]
pub(crate) struct Sources {
    client: Client,
    git: Store<GitRepository>,
    oci: Store<OCIRepository>,
    bucket: Store<Bucket>,
    external: Store<ExternalArtifact>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Sources {
    /// Starts the watches. `changed` hears of every source that is new or has a new revision.
    pub(crate) fn watch(
        runtime: &Runtime,
        changed: impl Fn(&SourceKey, Option<&Artifact>) + Clone + Send + Sync + 'static,
    ) -> Self {
        Self {
            git: mirror(runtime, changed.clone()),
            oci: mirror(runtime, changed.clone()),
            bucket: mirror(runtime, changed.clone()),
            external: mirror(runtime, changed),
            client: runtime.client.clone(),
        }
    }

    /// The artifact of a source: none if it has none, an outer none if there is no such source.
    ///
    /// # Errors
    /// With the message of the API server, if it had to be asked and refused.
    pub(crate) async fn artifact(
        &self,
        key: &SourceKey,
    ) -> Result<Option<Option<Artifact>>, String> {
        match key.kind {
            SourceKind::GitRepository => self.read(&self.git, key).await,
            SourceKind::OCIRepository => self.read(&self.oci, key).await,
            SourceKind::Bucket => self.read(&self.bucket, key).await,
            SourceKind::ExternalArtifact => self.read(&self.external, key).await,
        }
    }

    /// From the watch, else from the API server: an object may be younger than what the watch saw.
    async fn read<S: Source>(
        &self,
        store: &Store<S>,
        key: &SourceKey,
    ) -> Result<Option<Option<Artifact>>, String> {
        if let Some(source) = store.get(&ObjectRef::new(&key.name).within(&key.namespace)) {
            return Ok(Some(source.artifact().cloned()));
        }
        let api: Api<S> = Api::namespaced(self.client.clone(), &key.namespace);
        let found = api.get_opt(&key.name).await.map_err(|error| api_error(&error))?;
        Ok(found.map(|source| source.artifact().cloned()))
    }
}

/// Keeps a copy of all sources of a kind.
fn mirror<S: Source>(
    runtime: &Runtime,
    changed: impl Fn(&SourceKey, Option<&Artifact>) + Send + 'static,
) -> Store<S> {
    mirror::mirror(runtime, move |event: &Event<S>| match event {
        Event::Apply(source) | Event::InitApply(source) => {
            let key = SourceKey {
                kind: S::KIND,
                namespace: source.namespace().unwrap_or_default(),
                name: source.name_any(),
            };
            changed(&key, source.artifact());
        }
        Event::Delete(_) | Event::Init | Event::InitDone => {}
    })
}
