//! A namespace of its own for each test, which tells its story when the test fails.

use crate::Cluster;
use anyhow::Result;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A namespace that one test owns. When the test panics, dropping it prints the objects and events in
/// it and what the controllers logged about it.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    cluster: Cluster,
    logs: Vec<PathBuf>,
}

/// What a failure report prints of each log, at most.
const LOG_LINES: usize = 60;

impl Namespace {
    pub(crate) fn create(cluster: &Cluster, prefix: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}-{}-{count}", std::process::id());
        cluster.kubectl(&["create", "namespace", &name])?;
        Ok(Self { name, cluster: cluster.clone(), logs: Vec::new() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster that holds it.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Includes the lines of `log` that name this namespace in the report of a failure.
    pub fn watch_log(&mut self, log: PathBuf) {
        self.logs.push(log);
    }

    /// `kubectl -n NAME ARGS`.
    ///
    /// # Errors
    /// If it fails; the message holds its standard error.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.cluster.kubectl(&[&["-n", &self.name], args].concat())
    }

    /// Applies manifests to this namespace, with the server-side apply of kubectl.
    ///
    /// # Errors
    /// If the API server refuses one of them.
    pub fn apply(&self, manifests: &str) -> Result<String> {
        let args = ["-n", &self.name, "apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.cluster.kubectl_with_input(&args, manifests)
    }

    /// Objects, events and log lines, for a person who looks for the reason of a failure.
    pub fn report(&self) -> String {
        let mut report = format!("=== namespace {} ===\n", self.name);
        let custom = self.cluster.kubectl(&["api-resources", "--no-headers", "-o", "name"]);
        let custom: Vec<_> = custom
            .iter()
            .flat_map(|names| names.lines())
            .filter(|name| name.ends_with(".toolkit.fluxcd.io"))
            .collect();
        let mut kinds = custom.join(",");
        if !kinds.is_empty() {
            section(&mut report, "our objects", self.kubectl(&["get", &kinds, "-o", "yaml"]));
            kinds.push(',');
        }
        kinds.push_str("deployments,services,configmaps,pods,jobs");
        section(&mut report, "objects", self.kubectl(&["get", &kinds]));
        let events = ["get", "events", "--sort-by=.lastTimestamp"];
        section(&mut report, "events", self.kubectl(&events));
        for log in &self.logs {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<_> = text.lines().filter(|line| line.contains(&self.name)).collect();
            let last = lines.len().saturating_sub(LOG_LINES);
            section(&mut report, &log.display().to_string(), Ok(lines[last..].join("\n")));
        }
        report
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(
                clippy::print_stderr,
                reason = "the test's own output is where a person looks"
            )]
            {
                eprintln!("{}", self.report());
            }
        }
    }
}

fn section(report: &mut String, title: &str, text: Result<String>) {
    let text = text.unwrap_or_else(|error| format!("({error:#})"));
    report.extend(["--- ", title, "\n", text.trim_end(), "\n"]);
}
