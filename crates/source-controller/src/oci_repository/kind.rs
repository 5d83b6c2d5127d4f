//! OCIRepository as a kind of source.

use std::time::Duration;

use artifact::store::Alias;
use crd_types::{
    conditions::{
        ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, FETCH_FAILED, RECONCILING, SOURCE_VERIFIED,
        STALLED, STORAGE_OPERATION_FAILED,
    },
    source::OCIRepository,
};

use crate::{
    context::Context,
    source::{Loop, Source, duration},
    summary::Polarity,
};

const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

impl Source for OCIRepository {
    const FOLDER: &'static str = "ocirepository";
    const ALIAS: Option<Alias> = Some(Alias::Latest);
    const READY_INPUTS: &'static [(&'static str, Polarity)] = &[
        (STORAGE_OPERATION_FAILED, Polarity::Negative),
        (FETCH_FAILED, Polarity::Negative),
        (ARTIFACT_OUTDATED, Polarity::Negative),
        (ARTIFACT_IN_STORAGE, Polarity::Positive),
        (SOURCE_VERIFIED, Polarity::Positive),
        (STALLED, Polarity::Negative),
        (RECONCILING, Polarity::Negative),
    ];
    const FAILURES: &'static [&'static str] = &[FETCH_FAILED];

    fn of(ctx: &Context) -> &Loop<Self> {
        &ctx.oci_repositories
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }

    fn interval(&self) -> Duration {
        duration(Some(&self.spec.interval), DEFAULT_INTERVAL)
    }

    fn secrets(&self) -> Vec<&str> {
        let spec = &self.spec;
        let references = [&spec.secret_ref, &spec.cert_secret_ref];
        references.into_iter().flatten().map(|one| one.name.as_str()).collect()
    }
}

/// How long an operation may take.
pub(super) fn timeout(repository: &OCIRepository) -> Duration {
    duration(repository.spec.timeout.as_ref(), DEFAULT_TIMEOUT)
}

/// The first field that cannot be used yet.
pub(super) fn unsupported(repository: &OCIRepository) -> Option<&'static str> {
    let spec = &repository.spec;
    let provider = spec.provider.as_deref().unwrap_or("generic");
    let filter = spec.reference.as_ref().and_then(|it| it.semver_filter.as_ref());
    let fields = [
        (spec.verify.is_some(), "spec.verify"),
        (!matches!(provider, "generic" | ""), "this spec.provider"),
        (spec.proxy_secret_ref.is_some(), "spec.proxySecretRef"),
        (spec.service_account_name.is_some(), "spec.serviceAccountName"),
        (filter.is_some_and(|it| !it.is_empty()), "spec.ref.semverFilter"),
    ];
    fields.into_iter().find_map(|(is_used, field)| is_used.then_some(field))
}
