//! What the controllers used between two moments.

use anyhow::Result;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testbed::{ApiRequests, ControlPlane, Controller, Stack, Usage};

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

    fn ours(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| process.name.ends_with("-controller"))
    }

    fn print_requests(&self, user: &str) {
        let count = |verb: &str, status: bool, dry: bool| {
            self.requests.count(|key| {
                let is_status = key.resource.ends_with("/status");
                key.user == user && key.verb == verb && is_status == status && key.dry_run == dry
            })
        };
        let lines = [
            ("apply", count("apply", false, false)),
            ("apply (dry run)", count("apply", false, true)),
            ("status patch", count("patch", true, false) + count("apply", true, false)),
            ("patch", count("patch", false, false) + count("patch", false, true)),
            ("get", count("get", false, false) + count("get", true, false)),
            ("list", count("list", false, false)),
            ("watch", count("watch", false, false)),
            ("create", count("create", false, false)),
            ("update", count("update", false, false) + count("update", true, false)),
            ("delete", count("delete", false, false)),
        ];
        for (what, n) in lines.into_iter().filter(|(_, n)| *n > 0) {
            println!("  {:28} {n:>8}", format!("{user}: {what}"));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure with one decimal")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
