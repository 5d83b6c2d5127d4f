//! HelmRepository as a kind of source.

use std::time::Duration;

use artifact::store::Alias;
use crd_types::{
    conditions::{
        ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, FETCH_FAILED, RECONCILING, STALLED,
        STORAGE_OPERATION_FAILED,
    },
    source::HelmRepository,
};

use crate::{
    context::Context,
    source::{Loop, Source, duration},
    summary::Polarity,
};

const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

impl Source for HelmRepository {
    const FOLDER: &'static str = "helmrepository";
    const ALIAS: Option<Alias> = Some(Alias::Index);
    const READY_INPUTS: &'static [(&'static str, Polarity)] = &[
        (STORAGE_OPERATION_FAILED, Polarity::Negative),
        (FETCH_FAILED, Polarity::Negative),
        (ARTIFACT_OUTDATED, Polarity::Negative),
        (ARTIFACT_IN_STORAGE, Polarity::Positive),
        (STALLED, Polarity::Negative),
        (RECONCILING, Polarity::Negative),
    ];
    const FAILURES: &'static [&'static str] = &[FETCH_FAILED];

    fn of(ctx: &Context) -> &Loop<Self> {
        &ctx.helm_repositories
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }

    fn interval(&self) -> Duration {
        duration(self.spec.interval.as_ref(), DEFAULT_INTERVAL)
    }

    fn secrets(&self) -> Vec<&str> {
        let spec = &self.spec;
        let references = [&spec.secret_ref, &spec.cert_secret_ref];
        references.into_iter().flatten().map(|one| one.name.as_str()).collect()
    }
}

/// Whether the object only tells others where a registry is.
pub(crate) fn is_oci(repository: &HelmRepository) -> bool {
    repository.spec.type_.as_deref() == Some("oci")
}

/// How long an operation may take.
pub(crate) fn timeout(repository: &HelmRepository) -> Duration {
    duration(repository.spec.timeout.as_ref(), DEFAULT_TIMEOUT)
}
