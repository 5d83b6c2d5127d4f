//! What grows with its input should grow as its input does.

use super::{meter, run};
use anyhow::{Result, ensure};
use helm_chart::{Chart, ChartFile, index};
use std::fmt::Write as _;
use std::io::{BufReader, Cursor, Read};

/// A hundred megabytes of versions.
const VERSIONS: usize = 330_000;

/// A large index is read as a stream, for one of its charts.
pub(super) fn index() -> Result<()> {
    let before = (meter::busy()?, meter::peak_rss_mib());
    let head = Cursor::new("apiVersion: v1\nentries:\n");
    let entries = Entries { next: 0, bytes: 0, pending: Cursor::default() };
    let mut input = BufReader::new(head.chain(entries));
    let index = index::Index::read(&mut input, index::Keep::Chart("chart-7"))?;
    let (_, entries) = input.into_inner().into_inner();
    println!(
        "index of {} MB: {} versions of one chart, {:.2} s, peak RSS {:.0} MiB ({:.0} before)",
        entries.bytes / 1_000_000,
        index.versions("chart-7").len(),
        meter::busy()?.saturating_sub(before.0).as_secs_f64(),
        meter::peak_rss_mib(),
        before.1
    );
    Ok(())
}

/// The entries of an index, made as they are read; a hundred versions for each chart.
struct Entries {
    next: usize,
    bytes: usize,
    pending: Cursor<String>,
}

impl Read for Entries {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.pending.read(buffer)?;
        if read > 0 || self.next == VERSIONS || buffer.is_empty() {
            self.bytes += read;
            return Ok(read);
        }
        let (chart, version) = (self.next / 100, self.next % 100);
        self.next += 1;
        let mut text = String::new();
        if version == 0 {
            text = format!("  chart-{chart}:\n");
        }
        let name = format!("chart-{chart}");
        write!(
            text,
            "  - apiVersion: v2\n    name: {name}\n    version: 1.{version}.0\n    appVersion: \"{version}\"\n    \
             description: {:x<80}\n    created: \"2024-01-01T00:00:00Z\"\n    \
             digest: {:0>64}\n    urls:\n    - https://charts.example/{name}-1.{version}.0.tgz\n",
            "a chart ", self.next
        )
        .map_err(std::io::Error::other)?;
        self.pending = Cursor::new(text);
        self.read(buffer)
    }
}

/// Twice the calls of `tpl`, twice the templates: twice the time.
pub(super) fn templates() -> Result<()> {
    let tpl = |count: usize| {
        let text = format!(
            "{{{{ range until {count} }}}}{{{{ tpl \"k{{{{ . }}}}: {{{{ include \\\"n\\\" . }}}}\\n\" . }}}}{{{{ end }}}}"
        );
        let named = "{{ define \"n\" }}{{ . | quote }}{{ end }}".to_owned();
        chart([("templates/a.yaml".to_owned(), text), ("templates/_n.tpl".to_owned(), named)])
    };
    let umbrella = |count: usize| {
        chart((0..count).map(|i| {
            let text = "{{ define \"NAME\" }}{{ .Release.Name }}-NAME{{ end }}kind: ConfigMap\n\
                metadata:\n  name: {{ include \"NAME\" . }}\ndata: {{ toYaml .Chart | nindent 2 }}\n";
            let path = format!("charts/sub{}/templates/t{i}.yaml", i / 10);
            (path, text.replace("NAME", &format!("name{i}")))
        }))
    };
    doubling("tpl, calls", &[250, 500, 1000, 2000], tpl, |text| {
        text.lines().filter(|line| line.starts_with('k')).count()
    })?;
    doubling("umbrella, templates", &[75, 150, 300, 600], umbrella, |text| {
        usize::from(text.starts_with("kind: ConfigMap"))
    })
}

/// `pieces` counts in a manifest what a chart of some size has that many of.
fn doubling(
    what: &str,
    sizes: &[usize],
    chart: impl Fn(usize) -> Result<Chart>,
    pieces: impl Fn(&str) -> usize,
) -> Result<()> {
    let mut line = format!("{what}:");
    let mut before = None;
    for size in sizes {
        let chart = chart(*size)?;
        let rendered = run(&chart, None)?;
        let done: usize = rendered.manifests.iter().map(|manifest| pieces(&manifest.content)).sum();
        ensure!(done == *size, "{what}: {done} of {size} came out");
        let cost = meter::cost(|| run(&chart, None))?;
        write!(line, " {size} {:.2} ms", cost / 1e3)?;
        if let Some(before) = before.replace(cost) {
            write!(line, " (x{:.2})", cost / before)?;
        }
    }
    println!("{line}");
    Ok(())
}

/// A chart of these files, with a `Chart.yaml` wherever one is needed.
fn chart(files: impl IntoIterator<Item = (String, String)>) -> Result<Chart> {
    let mut all = std::collections::BTreeMap::from([metadata("", "top")]);
    for (path, text) in files {
        if let Some((folder, _)) = path.split_once("/templates/") {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            all.extend([metadata(&format!("{folder}/"), name)]);
        }
        all.insert(path, text);
    }
    let files = all.into_iter().map(|(name, text)| ChartFile { name, bytes: text.into() });
    Ok(Chart::from_files(files.collect())?)
}

fn metadata(folder: &str, name: &str) -> (String, String) {
    (format!("{folder}Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"))
}
