//! What the controllers used between two moments.

use anyhow::Result;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testbed::{ApiRequests, ControlPlane, Controller, RequestKey, Stack, Usage};

/// Running; [`Meter::stop`] says what it has counted.
pub(super) struct Meter {
    start: Instant,
    audit_log: PathBuf,
    audit_from: usize,
    before: Vec<(String, u32, Usage)>,
}

/// What was used.
pub(super) struct Cost {
    elapsed: Duration,
    processes: Vec<Process>,
    requests: ApiRequests,
}

struct Process {
    name: String,
    cpu: Duration,
    after: Usage,
}

impl Meter {
    pub(super) fn start(plane: &ControlPlane, stack: &Stack) -> Result<Self> {
        let audit_log = plane.audit_log();
        let (_, audit_from) = ApiRequests::read(&audit_log, 0)?;
        let controllers = stack.controllers().map(|c| (c.name(), Controller::pid(c)));
        let parts = plane.processes().iter().map(|p| (p.name(), p.pid()));
        let before = controllers
            .chain(parts)
            .map(|(name, pid)| Ok((name.to_owned(), pid, Usage::of(pid)?)))
            .collect::<Result<_>>()?;
        Ok(Self { start: Instant::now(), audit_log, audit_from, before })
    }

    pub(super) fn stop(self) -> Result<Cost> {
        let elapsed = self.start.elapsed();
        let mut processes = Vec::new();
        for (name, pid, before) in self.before {
            let after = Usage::of(pid)?;
            processes.push(Process { name, cpu: after.cpu.saturating_sub(before.cpu), after });
        }
        let (requests, _) = ApiRequests::read(&self.audit_log, self.audit_from)?;
        Ok(Cost { elapsed, processes, requests })
    }
}

impl Cost {
    /// `took` is the time that the load itself measured; otherwise the whole stretch is printed.
    pub(super) fn print(&self, title: &str, took: Option<Duration>) {
        println!("\n{title}: {:.2} s", took.unwrap_or(self.elapsed).as_secs_f64());
        println!("  {:28} {:>8} {:>10} {:>10}", "process", "CPU s", "RSS MiB", "peak MiB");
        for process in &self.processes {
            println!(
                "  {:28} {:>8.2} {:>10.1} {:>10.1}",
                process.name,
                process.cpu.as_secs_f64(),
                mib(process.after.rss_bytes),
                mib(process.after.peak_rss_bytes),
            );
        }
        let ours: Duration = self.ours().map(|process| process.cpu).sum();
        println!("  {:28} {:>8.2}", "all controllers", ours.as_secs_f64());
        println!("  {:28} {:>8}", "API requests", "count");
        for process in self.ours() {
            self.print_requests(&process.name);
        }
    }

    /// The CPU time of one process.
    pub(super) fn cpu(&self, process: &str) -> Duration {
        self.of(process).map(|process| process.cpu).sum()
    }

    /// The highest resident memory of one process so far, in bytes.
    pub(super) fn peak_bytes(&self, process: &str) -> u64 {
        self.of(process).map(|process| process.after.peak_rss_bytes).sum()
    }

    /// Requests of all controllers.
    pub(super) fn requests(&self, mut wanted: impl FnMut(&RequestKey) -> bool) -> u64 {
        let is_ours = |user: &str| self.ours().any(|process| process.name == user);
        self.requests.count(|key| is_ours(&key.user) && wanted(key))
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |process| process.name == name)
    }

    fn ours(&self) -> impl Iterator<Item = &Process> {
        let names = ["source-controller", "kustomize-controller", "helm-controller"];
        self.processes.iter().filter(move |process| names.contains(&process.name.as_str()))
    }

    /// Each verb with its sum, and what it was about. Leases are no work.
    fn print_requests(&self, user: &str) {
        let mut by_verb: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for (key, n) in self.requests.iter() {
            if key.user != user || key.resource == "leases" {
                continue;
            }
            let verb =
                if key.dry_run { format!("{} (dry run)", key.verb) } else { key.verb.clone() };
            by_verb.entry(verb).or_default().push((key.resource.clone(), n));
        }
        for (verb, mut resources) in by_verb {
            resources.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
            let sum: u64 = resources.iter().map(|(_, n)| n).sum();
            let told: Vec<_> =
                resources.iter().map(|(resource, n)| format!("{resource} {n}")).collect();
            println!("  {:28} {sum:>8}   {}", format!("{user}: {verb}"), told.join(", "));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure with one decimal")]
pub(super) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
