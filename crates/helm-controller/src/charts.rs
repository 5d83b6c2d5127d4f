//! Loaded charts, kept for the next who needs them.

use std::sync::{Arc, Mutex, PoisonError};

use crd_types::Artifact;
use helm_chart::Chart;

/// Charts by the digest of their archives. Two objects with one chart share it.
#[derive(Debug)]
pub(crate) struct Charts {
    most_bytes: usize,
    /// The longest unused one is first.
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    digest: String,
    chart: Arc<Chart>,
    bytes: usize,
}

impl Charts {
    /// Keeps up to so many bytes of chart files.
    pub(crate) const fn new(most_bytes: usize) -> Self {
        Self { most_bytes, kept: Mutex::new(Vec::new()) }
    }

    /// The chart of an artifact, by `load` if it is not here.
    pub(crate) async fn get<E, F: Future<Output = Result<Arc<Chart>, E>>>(
        &self,
        artifact: &Artifact,
        load: impl FnOnce() -> F,
    ) -> Result<Arc<Chart>, E> {
        if let Some(found) = self.find(&artifact.digest) {
            return Ok(found);
        }
        let chart = load().await?;
        self.keep(artifact.digest.clone(), &chart);
        Ok(chart)
    }

    fn find(&self, digest: &str) -> Option<Arc<Chart>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|kept| kept.digest == digest)?;
        let found = kept.remove(at);
        let chart = Arc::clone(&found.chart);
        kept.push(found);
        Some(chart)
    }

    fn keep(&self, digest: String, chart: &Arc<Chart>) {
        let bytes = size(chart);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes > self.most_bytes || kept.iter().any(|kept| kept.digest == digest) {
            return;
        }
        kept.push(Kept { digest, chart: Arc::clone(chart), bytes });
        let mut total: usize = kept.iter().map(|kept| kept.bytes).sum();
        let mut gone = 0;
        while total > self.most_bytes {
            total -= kept[gone].bytes;
            gone += 1;
        }
        kept.drain(..gone);
    }
}

/// Bytes of all files of a chart and of those below it.
fn size(chart: &Chart) -> usize {
    let files = chart.templates.iter().chain(&chart.files).map(|file| file.bytes.len());
    files.sum::<usize>() + chart.dependencies.iter().map(size).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use helm_chart::ChartFile;

    use super::*;

    fn chart(bytes: usize) -> Arc<Chart> {
        let file = ChartFile { name: "f".to_owned(), bytes: Bytes::from(vec![0; bytes]) };
        Arc::new(Chart { files: vec![file], ..Chart::default() })
    }

    #[test]
    fn the_longest_unused_chart_makes_room() {
        let charts = Charts::new(100);
        charts.keep("a".to_owned(), &chart(40));
        charts.keep("b".to_owned(), &chart(40));
        assert!(charts.find("a").is_some());
        charts.keep("c".to_owned(), &chart(40));
        assert!(charts.find("a").is_some() && charts.find("c").is_some());
        assert!(charts.find("b").is_none());
        charts.keep("d".to_owned(), &chart(101));
        assert!(charts.find("d").is_none());
    }
}
