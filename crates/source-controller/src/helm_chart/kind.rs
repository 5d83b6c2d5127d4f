//! HelmChart as a kind of source.

use std::time::Duration;

use artifact::store::Alias;
use crd_types::{
    conditions::{
        ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, BUILD_FAILED, FETCH_FAILED, RECONCILING,
        SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED,
    },
    source::HelmChart,
};

use helm_chart::archive::cleaned;

use crate::{
    context::Context,
    source::{Loop, Source, duration},
    summary::Polarity,
};

/// The interval of an object whose own cannot be read.
const DEFAULT_INTERVAL: Duration = Duration::from_mins(10);

/// A chart's defaults.
const VALUES: &str = "values.yaml";

impl Source for HelmChart {
    const FOLDER: &'static str = "helmchart";
    const ALIAS: Option<Alias> = Some(Alias::Latest);
    const READY_INPUTS: &'static [(&'static str, Polarity)] = &[
        (STORAGE_OPERATION_FAILED, Polarity::Negative),
        (FETCH_FAILED, Polarity::Negative),
        (BUILD_FAILED, Polarity::Negative),
        (ARTIFACT_OUTDATED, Polarity::Negative),
        (ARTIFACT_IN_STORAGE, Polarity::Positive),
        (SOURCE_VERIFIED, Polarity::Positive),
        (STALLED, Polarity::Negative),
        (RECONCILING, Polarity::Negative),
    ];
    const FAILURES: &'static [&'static str] = &[FETCH_FAILED, BUILD_FAILED];

    fn of(ctx: &Context) -> &Loop<Self> {
        &ctx.helm_charts
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }

    fn interval(&self) -> Duration {
        duration(Some(&self.spec.interval), DEFAULT_INTERVAL)
    }

    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The values files that make another chart of it; none if only the chart's own is named.
pub(super) fn values_files(chart: &HelmChart) -> Vec<String> {
    let single = chart.spec.values_file.iter().filter(|file| !file.is_empty());
    let all: Vec<String> = single.chain(&chart.spec.values_files).cloned().collect();
    match all.as_slice() {
        [only] if cleaned(only) == VALUES => Vec::new(),
        _ => all,
    }
}

/// Whether a path names the chart's own defaults.
pub(super) fn is_defaults(path: &str) -> bool {
    cleaned(path) == VALUES
}
