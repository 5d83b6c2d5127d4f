//! What a build is asked for, and what it comes to.

use bytes::Bytes;
use crd_types::source::HelmChart;

use super::{
    failure::{Failure, Stage},
    kind::values_files,
};

/// What a build is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) chart: String,
    pub(super) range: String,
    pub(super) values_files: Vec<String>,
    pub(super) passes_over_missing: bool,
    /// What the version says after a `+`; nothing if empty.
    pub(super) version_metadata: String,
    /// Name and version of the chart that need not be made again.
    pub(super) current: Option<(String, String)>,
    /// Which values files are in that one.
    pub(super) current_values_files: Vec<String>,
}

/// A chart that was found, and made if need be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) name: String,
    pub(super) version: String,
    /// The values files that were merged into it.
    pub(super) values_files: Vec<String>,
    /// Whether it was made here rather than taken over as it is.
    pub(super) is_packaged: bool,
    /// The archive; none if the current artifact is it.
    pub(super) archive: Option<Bytes>,
}

impl Wish {
    /// What the object asks for.
    pub(super) fn of(chart: &HelmChart, revision: Option<&str>) -> Self {
        let spec = &chart.spec;
        let status = chart.status.clone().unwrap_or_default();
        let generation = chart.metadata.generation;
        let values_files = values_files(chart);
        let mut parts: Vec<String> = Vec::new();
        if spec.reconcile_strategy.as_deref() == Some("Revision") {
            parts.extend(revision.map(short));
        }
        if !values_files.is_empty() {
            parts.push(generation.unwrap_or_default().to_string());
        }
        let is_observed = generation == status.observed_generation;
        let current = status
            .observed_chart_name
            .zip(status.artifact.map(|artifact| artifact.revision))
            .filter(|_| is_observed);
        Self {
            chart: spec.chart.clone(),
            range: spec.version.clone().unwrap_or_default(),
            values_files,
            passes_over_missing: spec.ignore_missing_values_files,
            version_metadata: parts.join("."),
            current,
            current_values_files: status.observed_values_files,
        }
    }

    /// The version that the chart gets here.
    ///
    /// # Errors
    /// If the chart's own version is none.
    pub(super) fn version(&self, of_chart: &str) -> Result<String, Failure> {
        if self.version_metadata.is_empty() {
            return Ok(of_chart.to_owned());
        }
        let version = semver_range::Version::parse(of_chart)
            .and_then(|version| version.with_metadata(&self.version_metadata));
        match version {
            Ok(version) => Ok(version.to_string()),
            Err(error) => Err(Stage::Metadata.because("", &error)),
        }
    }

    /// Whether more has to be done to the chart than to take it over.
    pub(super) fn changes_chart(&self) -> bool {
        !self.values_files.is_empty() || !self.version_metadata.is_empty()
    }

    /// The current artifact, if it is what this build would make.
    pub(super) fn reused(&self, name: &str, version: &str, is_packaged: bool) -> Option<Build> {
        let (current_name, current_version) = self.current.as_ref()?;
        (current_name == name && current_version == version).then(|| Build {
            name: name.to_owned(),
            version: version.to_owned(),
            values_files: if self.current_values_files.is_empty() {
                self.values_files.clone()
            } else {
                self.current_values_files.clone()
            },
            is_packaged,
            archive: None,
        })
    }
}

impl Build {
    /// What it is, once it is there.
    pub(super) fn summary(&self) -> String {
        let action = if self.is_packaged { "packaged" } else { "pulled" };
        let values = if self.values_files.is_empty() {
            String::new()
        } else {
            format!(" and merged values files [{}]", self.values_files.join(" "))
        };
        format!("{action} '{}' chart with version '{}'{values}", self.name, self.version)
    }

    /// The reason beside it.
    pub(super) const fn reason(&self) -> &'static str {
        if self.is_packaged { "ChartPackageSucceeded" } else { "ChartPullSucceeded" }
    }

    /// What it is while it is not there yet.
    pub(super) fn news(&self) -> String {
        format!("new '{}' chart with version '{}'", self.name, self.version)
    }
}

/// The beginning of what identifies a revision: of a commit or a digest.
fn short(revision: &str) -> String {
    let id = revision.rsplit(':').next().unwrap_or(revision);
    id.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crd_types::source::HelmChartSpec;

    fn wish(strategy: &str, files: &[&str]) -> Wish {
        let spec = HelmChartSpec {
            reconcile_strategy: Some(strategy.to_owned()),
            values_files: files.iter().map(|file| (*file).to_owned()).collect(),
            ..HelmChartSpec::default()
        };
        let mut chart = HelmChart::new("c", spec);
        chart.metadata.generation = Some(4);
        Wish::of(&chart, Some("main@sha1:abcdef123456789"))
    }

    #[test]
    fn the_version_says_what_is_in_the_chart() {
        for (strategy, files, version) in [
            ("ChartVersion", &[][..], "1.2.3+own"),
            ("ChartVersion", &["./values.yaml"], "1.2.3+own"),
            ("ChartVersion", &["a.yaml"], "1.2.3+4"),
            ("Revision", &[], "1.2.3+abcdef123456"),
            ("Revision", &["a.yaml", "values.yaml"], "1.2.3+abcdef123456.4"),
        ] {
            let wish = wish(strategy, files);
            assert_eq!(wish.version("1.2.3+own").unwrap(), version, "{strategy} {files:?}");
        }
        let error = wish("Revision", &[]).version("x").unwrap_err().to_string();
        assert!(error.starts_with("chart metadata patch error: "), "{error}");
    }

    #[test]
    fn a_short_revision_is_taken_whole() {
        assert_eq!(short("sha1:abc"), "abc");
        assert_eq!(short("sha256:0123456789abcdef"), "0123456789ab");
    }
}
