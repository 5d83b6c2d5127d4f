//! A chart as its files: what may be changed of it, and how it becomes an archive.

use artifact::pack::{self, Packer};
use bytes::Bytes;
use helm_chart::{Chart, ChartFile, LoadError, Metadata, archive::ArchiveError};
use serde_json::{Map, Value};

use super::failure::{Failure, Stage};
use crate::settings::HelmLimits;

/// Where a chart says what it is.
const METADATA: [&str; 2] = ["Chart.yaml", "requirements.yaml"];

/// A chart as its files.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) metadata: Metadata,
    pub(super) files: Vec<ChartFile>,
}

/// Why files are no chart.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("size of file '{name}' exceeds '{limit_bytes}' bytes limit")]
    FileTooLarge { name: String, limit_bytes: u64 },
    #[error("size of chart '{name}' exceeds '{limit_bytes}' bytes limit")]
    ChartTooLarge { name: String, limit_bytes: u64 },
}

impl Package {
    /// Reads an archive.
    ///
    /// # Errors
    /// If it is broken or too large, or says not what it is.
    pub(super) fn open(archive: &[u8], limits: HelmLimits) -> Result<Self, Error> {
        Self::of(helm_chart::archive::entries(archive)?, limits)
    }

    /// Takes the files of a chart's folder.
    ///
    /// # Errors
    /// If one is too large, or they say not what they are.
    pub(super) fn of(files: Vec<ChartFile>, limits: HelmLimits) -> Result<Self, Error> {
        let large = files.iter().find(|file| file.bytes.len() as u64 > limits.file);
        if let Some(large) = large {
            let (name, limit_bytes) = (large.name.clone(), limits.file);
            return Err(Error::FileTooLarge { name, limit_bytes });
        }
        let about = files.iter().filter(|file| METADATA.contains(&file.name.as_str()));
        let metadata = Chart::from_files(about.cloned().collect())?.metadata;
        Ok(Self { metadata, files })
    }

    /// The content of a file, by its path in the chart.
    pub(super) fn file(&self, path: &str) -> Option<&Bytes> {
        self.files.iter().find(|file| file.name == path).map(|file| &file.bytes)
    }

    /// Gives the chart another version.
    ///
    /// # Errors
    /// If `Chart.yaml` is no map, which it was when it was read.
    pub(super) fn set_version(&mut self, version: &str) -> Result<(), Failure> {
        version.clone_into(&mut self.metadata.version);
        self.set("version", version)
    }

    /// Gives the chart another name.
    ///
    /// # Errors
    /// As for [`Package::set_version`].
    pub(super) fn set_name(&mut self, name: &str) -> Result<(), Failure> {
        name.clone_into(&mut self.metadata.name);
        self.set("name", name)
    }

    fn set(&mut self, field: &str, to: &str) -> Result<(), Failure> {
        let text = self.file(METADATA[0]).cloned().unwrap_or_default();
        let parsed = yaml::parse(&text);
        let mut value = parsed.map_err(|error| Stage::Metadata.because("", &error))?;
        let Value::Object(members) = &mut value else {
            return Err(Stage::Metadata.failed("Chart.yaml is no map"));
        };
        members.insert(field.to_owned(), to.into());
        self.put(METADATA[0], yaml::emit(&value));
        Ok(())
    }

    /// Replaces the chart's defaults, and says whether that made a difference.
    pub(super) fn set_values(&mut self, values: Map<String, Value>) -> bool {
        let text =
            if values.is_empty() { String::new() } else { yaml::emit(&Value::Object(values)) };
        if self.file("values.yaml").is_some_and(|before| before == text.as_bytes()) {
            return false;
        }
        self.put("values.yaml", text);
        true
    }

    /// Adds a file, or replaces it.
    pub(super) fn put(&mut self, name: &str, content: impl Into<Bytes>) {
        let bytes = content.into();
        match self.files.iter_mut().find(|file| file.name == name) {
            Some(file) => file.bytes = bytes,
            None => self.files.push(ChartFile { name: name.to_owned(), bytes }),
        }
    }

    /// The chart as an archive: the same bytes for the same files.
    ///
    /// # Errors
    /// If it is larger than a chart may be.
    pub(super) fn archive(&self, limits: HelmLimits) -> Result<Vec<u8>, Failure> {
        let name = &self.metadata.name;
        let mut files: Vec<&ChartFile> = self.files.iter().collect();
        // `Chart.yaml` first, as Helm has it.
        files.sort_by_key(|file| (file.name != METADATA[0], &file.name));
        let packed = || -> Result<Vec<u8>, pack::Error> {
            let mut packer = Packer::new(Vec::new(), pack::Limits::default())?;
            for file in files {
                packer.file(&format!("{name}/{}", file.name), false, &file.bytes)?;
            }
            packer.finish()
        };
        let archive = packed().map_err(|error| Stage::Package.because("", &error))?;
        if archive.len() as u64 > limits.chart {
            let error = Error::ChartTooLarge { name: name.clone(), limit_bytes: limits.chart };
            return Err(Stage::Package.because("", &error));
        }
        Ok(archive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HelmLimits = HelmLimits { index: 1 << 20, chart: 1 << 20, file: 1 << 10 };

    fn file(name: &str, text: &str) -> ChartFile {
        ChartFile { name: name.to_owned(), bytes: text.to_owned().into() }
    }

    fn package() -> Package {
        let chart = "apiVersion: v2\nname: app\nversion: 1.0.0 # first\nunknown: x\n";
        let files = vec![file("Chart.yaml", chart), file("values.yaml", "a: 1\n")];
        Package::of(files, LIMITS).unwrap()
    }

    #[test]
    fn a_chart_survives_being_packed() {
        let mut chart = package();
        chart.set_version("1.0.0+3").unwrap();
        assert!(chart.set_values(serde_json::from_str(r#"{"a": 2}"#).unwrap()));
        assert!(!chart.set_values(serde_json::from_str(r#"{"a": 2}"#).unwrap()));
        chart.put("charts/sub-1.0.0.tgz", "x");
        let archive = chart.archive(LIMITS).unwrap();
        assert_eq!(archive, chart.clone().archive(LIMITS).unwrap());
        let again = Package::open(&archive, LIMITS).unwrap();
        assert_eq!(again.metadata.version, "1.0.0+3");
        assert_eq!(again.file("values.yaml").unwrap(), "a: 2\n");
        assert!(again.file("Chart.yaml").unwrap().starts_with(b"apiVersion: v2\n"));
        assert_eq!(again.file("charts/sub-1.0.0.tgz").unwrap(), "x");
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let files = vec![file("Chart.yaml", "name: a\nversion: 1.0.0\n")];
        let mut large = files.clone();
        large.push(file("big", &"x".repeat(2000)));
        assert!(matches!(Package::of(large, LIMITS), Err(Error::FileTooLarge { .. })));
        let chart = Package::of(files, LIMITS).unwrap();
        let tight = HelmLimits { chart: 10, ..LIMITS };
        let error = chart.archive(tight).unwrap_err().to_string();
        assert_eq!(error, "chart package error: size of chart 'a' exceeds '10' bytes limit");
        assert!(Package::open(b"not a chart", LIMITS).unwrap_err().to_string().contains("gzip"));
    }
}
