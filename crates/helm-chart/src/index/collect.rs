//! What becomes of the entries of an index as they are read.

use std::cmp::Reverse;

use semver_range::Version;

use super::{Index, IndexEntry, IndexError, Keep};

/// Takes entries as they are read.
pub(super) trait Collect {
    /// Whether the entries of a chart are worth reading.
    fn wants(&self, chart: &str) -> bool;
    /// A chart begins; if it had begun before, that counts no more.
    fn chart(&mut self, chart: &str);
    /// A version of it; none if it is broken.
    fn take(&mut self, chart: &str, entry: Option<IndexEntry>) -> Result<(), IndexError>;
}

/// Keeps entries.
pub(super) struct Kept<'a> {
    index: Index,
    keep: Keep<'a>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(keep: Keep<'a>) -> Self {
        Self { index: Index::default(), keep }
    }

    pub(super) fn end(mut self) -> Index {
        for versions in self.index.entries.values_mut() {
            // Helm: newest first; what is no version comes last.
            versions.sort_by_cached_key(|entry| Reverse(Version::parse(&entry.version).ok()));
            versions.shrink_to_fit();
        }
        self.index
    }
}

impl Collect for Kept<'_> {
    fn wants(&self, chart: &str) -> bool {
        !matches!(self.keep, Keep::Chart(wanted) if wanted != chart)
    }

    fn chart(&mut self, chart: &str) {
        self.index.entries.insert(chart.to_owned(), Vec::new());
        self.index.weight_bytes += chart.len() + 64;
    }

    fn take(&mut self, chart: &str, entry: Option<IndexEntry>) -> Result<(), IndexError> {
        let Some(entry) = entry else {
            self.index.skipped += 1;
            return Ok(());
        };
        self.index.weight_bytes += weight_bytes(&entry);
        if let Keep::Within(limit_bytes) = self.keep
            && self.index.weight_bytes > limit_bytes
        {
            return Err(IndexError::TooHeavy { limit_bytes });
        }
        if let Some(versions) = self.index.entries.get_mut(chart) {
            versions.push(entry);
        }
        Ok(())
    }
}

/// Hands on the entries of one chart.
pub(super) struct Each<'a, F> {
    pub(super) chart: &'a str,
    pub(super) take: F,
}

impl<F: FnMut(IndexEntry)> Collect for Each<'_, F> {
    fn wants(&self, chart: &str) -> bool {
        self.chart == chart
    }

    fn chart(&mut self, _: &str) {}

    fn take(&mut self, _: &str, entry: Option<IndexEntry>) -> Result<(), IndexError> {
        if let Some(entry) = entry {
            (self.take)(entry);
        }
        Ok(())
    }
}

/// What an entry takes, with what the allocator adds.
fn weight_bytes(entry: &IndexEntry) -> usize {
    let texts = [&entry.version, &entry.digest, &entry.created];
    let texts: usize = texts.into_iter().chain(&entry.urls).map(|text| text.len() + 16).sum();
    size_of::<IndexEntry>() + size_of_val(&*entry.urls) + texts
}
