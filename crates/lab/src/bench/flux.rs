//! What the same load cost Flux's own controllers, on two cores.

use std::time::Duration;

use super::cost::{Cost, mib};
use super::load::LoadKind;

/// Figures of Flux's controllers.
pub(super) struct Reference {
    /// From the first object created to the last one Ready.
    seconds: f64,
    cpu_seconds: &'static [(&'static str, f64)],
    peak_mib: &'static [(&'static str, f64)],
    /// Requests of all controllers, by what the audit log calls them.
    requests: &'static [(&'static str, f64)],
    /// CPU time of all controllers in a round with nothing to do.
    idle_cpu_seconds: f64,
}

/// 50 HelmReleases of podinfo, without waiting for health.
const HELM_RELEASES: Reference = Reference {
    seconds: 13.1,
    cpu_seconds: &[("helm-controller", 6.9), ("source-controller", 1.0)],
    peak_mib: &[("helm-controller", 128.0), ("source-controller", 96.0)],
    requests: &[
        ("apply", 301.0),
        ("patch", 1031.0),
        ("update", 264.0),
        ("get", 489.0),
        ("list", 166.0),
    ],
    idle_cpu_seconds: 0.7,
};

/// The figures for a load, if there are any.
pub(super) const fn reference(kind: LoadKind, count: usize) -> Option<Reference> {
    match (kind, count) {
        (LoadKind::Helmrelease, 50) => Some(HELM_RELEASES),
        (LoadKind::Helmrelease | LoadKind::Kustomization, _) => None,
    }
}

impl Reference {
    /// Ours beside Flux's, for the installation.
    pub(super) fn print_install(&self, cost: &Cost, took: Duration) {
        head();
        line("time to all Ready, s", took.as_secs_f64(), self.seconds);
        for (process, cpu) in self.cpu_seconds {
            line(&format!("{process}, CPU s"), cost.cpu(process).as_secs_f64(), *cpu);
        }
        for (process, peak) in self.peak_mib {
            line(&format!("{process}, peak MiB"), mib(cost.peak_bytes(process)), *peak);
        }
        let count = |verb: &str| {
            // Reads of leases belong to no load.
            let n = cost.requests(|key| key.verb == verb && key.resource != "leases");
            f64::from(u32::try_from(n).unwrap_or(u32::MAX))
        };
        let mut sums = (0.0, 0.0);
        for (verb, theirs) in self.requests {
            let ours = count(verb);
            line(&format!("requests: {verb}"), ours, *theirs);
            sums = (sums.0 + ours, sums.1 + theirs);
        }
        line("requests: all of these", sums.0, sums.1);
    }

    /// Ours beside Flux's, for a round with nothing to do.
    pub(super) fn print_round(&self, cost: &Cost) {
        head();
        let processes = self.cpu_seconds.iter();
        let ours: Duration = processes.map(|(process, _)| cost.cpu(process)).sum();
        line("controllers, CPU s", ours.as_secs_f64(), self.idle_cpu_seconds);
    }
}

fn head() {
    println!("  {:32} {:>8} {:>8} {:>8}", "beside Flux", "ours", "Flux", "ratio");
}

fn line(what: &str, ours: f64, theirs: f64) {
    println!("  {what:32} {ours:>8.2} {theirs:>8.2} {:>8.2}", ours / theirs);
}
