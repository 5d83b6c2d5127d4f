//! What a process costs, from `/proc`.

use anyhow::{Context as _, Result};
use std::fs;
use std::time::Duration;

/// Processor time and memory of one process, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time since its start.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub rss_bytes: u64,
    /// The highest resident memory so far, in bytes.
    pub peak_rss_bytes: u64,
}

impl Usage {
    /// Reads the figures of process `pid`.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("no process {pid}"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        Ok(Self {
            cpu: cpu(&stat).context("unreadable /proc/PID/stat")?,
            rss_bytes: kib(&status, "VmRSS:").unwrap_or(0) * 1024,
            peak_rss_bytes: kib(&status, "VmHWM:").unwrap_or(0) * 1024,
        })
    }
}

/// Fields 14 and 15, in ticks. The name in field 2 may hold blanks and brackets, so count after it.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    // USER_HZ is 100 on every Linux that Rust's standard library supports.
    Some(Duration::from_millis((user + system) * 10))
}

fn kib(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 9 9 9";
        assert_eq!(cpu(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn we_have_a_size() {
        let own = Usage::of(std::process::id()).unwrap();
        assert!(own.peak_rss_bytes >= own.rss_bytes && own.rss_bytes > 0);
    }
}
