//! The sources of charts, as their watches last saw them.

use std::time::Duration;

use crd_types::conditions::{READY, STALLED};
use crd_types::source::{ExternalArtifact, HelmChart, OCIRepository};
use crd_types::{Artifact, Condition};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Api, Client, ResourceExt as _};
use reconcile_loop::conditions::find;
use reconcile_loop::controller::api_error;
use reconcile_loop::mirror;
use reconcile_loop::program::Runtime;
use reconcile_loop::status::FluxKind;

/// How long the first list of a watch may take.
const FIRST_LIST: Duration = Duration::from_secs(5);

/// The kinds that can be a source of charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SourceKind {
    HelmChart,
    OCIRepository,
    ExternalArtifact,
}

impl SourceKind {
    /// Reads the kind of a reference.
    pub(crate) fn parse(kind: &str) -> Option<Self> {
        match kind {
            "HelmChart" => Some(Self::HelmChart),
            "OCIRepository" => Some(Self::OCIRepository),
            "ExternalArtifact" => Some(Self::ExternalArtifact),
            _ => None,
        }
    }

    /// The kind as an object writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::HelmChart => "HelmChart",
            Self::OCIRepository => "OCIRepository",
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
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Source {
    pub(crate) generation: Option<i64>,
    pub(crate) observed_generation: Option<i64>,
    pub(crate) ready: Option<Condition>,
    pub(crate) stalled: Option<Condition>,
    pub(crate) artifact: Option<Artifact>,
}

/// A kind that can be a source of charts.
pub(crate) trait Sourced: FluxKind {
    const KIND: SourceKind;
    /// What of the object matters here.
    fn source(&self) -> Source;
}

macro_rules! sourced {
    ($kind:ident, $observed:expr) => {
        impl Sourced for $kind {
            const KIND: SourceKind = SourceKind::$kind;
            fn source(&self) -> Source {
                let generation = self.metadata.generation;
                let Some(status) = &self.status else {
                    return Source { generation, ..Source::default() };
                };
                let observed: fn(&$kind) -> Option<i64> = $observed;
                Source {
                    generation,
                    observed_generation: observed(self),
                    ready: find(&status.conditions, READY).cloned(),
                    stalled: find(&status.conditions, STALLED).cloned(),
                    artifact: status.artifact.clone(),
                }
            }
        }
    };
}

sourced!(HelmChart, |chart| chart.status.as_ref()?.observed_generation);
sourced!(OCIRepository, |repository| repository.status.as_ref()?.observed_generation);
sourced!(ExternalArtifact, |artifact| artifact.metadata.generation);

/// The sources of a cluster.
#[derive(Clone)]
pub(crate) struct Sources {
    client: Client,
    charts: Store<HelmChart>,
    oci: Store<OCIRepository>,
    external: Option<Store<ExternalArtifact>>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Sources {
    /// Starts the watches. `changed` hears of every source that is new or has changed.
    pub(crate) fn watch(
        runtime: &Runtime,
        external: bool,
        changed: impl Fn(&SourceKey, &Source) + Clone + Send + Sync + 'static,
    ) -> Self {
        Self {
            charts: mirror(runtime, changed.clone()),
            oci: mirror(runtime, changed.clone()),
            external: external.then(|| mirror(runtime, changed)),
            client: runtime.client.clone(),
        }
    }

    /// A HelmChart, as its watch last saw it. Waits a moment for the watch to have seen anything:
    /// a controller that starts would else take every HelmChart for missing.
    pub(crate) async fn chart(&self, namespace: &str, name: &str) -> Option<HelmChart> {
        // Without an answer in time it counts as missing, and writing it says what is wrong.
        _ = tokio::time::timeout(FIRST_LIST, self.charts.wait_until_ready()).await;
        let found = self.charts.get(&ObjectRef::new(name).within(namespace));
        found.map(|chart| (*chart).clone())
    }

    /// A source; none if there is no such object. With `uncached` the API server is asked in any
    /// case.
    ///
    /// # Errors
    /// With the message of the API server, if it had to be asked and refused.
    pub(crate) async fn get(
        &self,
        key: &SourceKey,
        uncached: bool,
    ) -> Result<Option<Source>, String> {
        match key.kind {
            SourceKind::HelmChart => self.read(Some(&self.charts), key, uncached).await,
            SourceKind::OCIRepository => self.read(Some(&self.oci), key, uncached).await,
            SourceKind::ExternalArtifact => self.read(self.external.as_ref(), key, uncached).await,
        }
    }

    /// From the watch, else from the API server: an object may be younger than what the watch saw.
    async fn read<S: Sourced>(
        &self,
        store: Option<&Store<S>>,
        key: &SourceKey,
        uncached: bool,
    ) -> Result<Option<Source>, String> {
        let reference = ObjectRef::new(&key.name).within(&key.namespace);
        if let Some(source) = store.filter(|_| !uncached).and_then(|store| store.get(&reference)) {
            return Ok(Some(source.source()));
        }
        let api: Api<S> = Api::namespaced(self.client.clone(), &key.namespace);
        let found = api.get_opt(&key.name).await.map_err(|error| api_error(&error))?;
        Ok(found.map(|source| source.source()))
    }
}

/// Keeps a copy of all sources of a kind.
fn mirror<S: Sourced>(
    runtime: &Runtime,
    changed: impl Fn(&SourceKey, &Source) + Send + 'static,
) -> Store<S> {
    mirror::mirror(runtime, move |event: &Event<S>| match event {
        Event::Apply(object) | Event::InitApply(object) => {
            let key = SourceKey {
                kind: S::KIND,
                namespace: object.namespace().unwrap_or_default(),
                name: object.name_any(),
            };
            changed(&key, &object.source());
        }
        Event::Delete(_) | Event::Init | Event::InitDone => {}
    })
}
