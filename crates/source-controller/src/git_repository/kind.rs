//! GitRepository as a kind of source.

use std::time::Duration;

use artifact::store::Alias;
use crd_types::{
    conditions::{
        ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, FETCH_FAILED, INCLUDE_UNAVAILABLE, RECONCILING,
        SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED,
    },
    source::GitRepository,
};

use crate::{
    context::Context,
    source::{Loop, Source, duration},
    summary::Polarity,
};

const DEFAULT_INTERVAL: Duration = Duration::from_mins(10);

impl Source for GitRepository {
    const FOLDER: &'static str = "gitrepository";
    const ALIAS: Option<Alias> = None;
    const READY_INPUTS: &'static [(&'static str, Polarity)] = &[
        (STORAGE_OPERATION_FAILED, Polarity::Negative),
        (FETCH_FAILED, Polarity::Negative),
        (INCLUDE_UNAVAILABLE, Polarity::Negative),
        (ARTIFACT_OUTDATED, Polarity::Negative),
        (ARTIFACT_IN_STORAGE, Polarity::Positive),
        (SOURCE_VERIFIED, Polarity::Positive),
        (STALLED, Polarity::Negative),
        (RECONCILING, Polarity::Negative),
    ];
    const FAILURES: &'static [&'static str] = &[FETCH_FAILED, INCLUDE_UNAVAILABLE];

    fn of(ctx: &Context) -> &Loop<Self> {
        &ctx.git_repositories
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }

    fn interval(&self) -> Duration {
        duration(Some(&self.spec.interval), DEFAULT_INTERVAL)
    }

    fn secrets(&self) -> Vec<&str> {
        let spec = &self.spec;
        let references = [&spec.secret_ref, &spec.proxy_secret_ref];
        references.into_iter().flatten().map(|one| one.name.as_str()).collect()
    }
}
