//! Processor time and memory of this process, as Linux tells them.

use anyhow::{Context as _, Result};
use std::time::{Duration, Instant};

/// Microseconds of processor time.
pub(super) type Micros = f64;

/// How long each figure is measured.
const STRETCH: Duration = Duration::from_millis(100);

/// What one call costs; a first one, which fills caches, does not count.
pub(super) fn cost<T>(mut once: impl FnMut() -> Result<T>) -> Result<Micros> {
    once()?;
    let (started, before, mut calls) = (Instant::now(), busy()?, 0_u32);
    while calls == 0 || started.elapsed() < STRETCH {
        once()?;
        calls += 1;
    }
    Ok(busy()?.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(calls))
}

/// Processor time of this thread so far.
pub(super) fn busy() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

/// Processor time of all child processes that have ended so far.
pub(super) fn children() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program may hold anything, but nothing behind it holds a bracket.
    let fields = text.rsplit_once(')').context("stat is cut off")?.1;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(13).take(2) {
        ticks += field.parse::<u64>()?;
    }
    // Linux counts hundredths of a second here.
    Ok(Duration::from_millis(ticks * 10))
}

/// The most memory that the process has held, in MiB; not a number where the system does not tell.
pub(super) fn peak_rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
