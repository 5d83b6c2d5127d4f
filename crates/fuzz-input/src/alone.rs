//! What an input costs. A process knows the peak of its memory, but not of which input it was: each
//! has a process of its own, for which the test program starts itself again.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "what cannot be measured fails the test, and what a case costs be seen"
)]

use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

/// Processor time and growth of memory that an answer may take; unoptimized code is slower.
const MOST_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
const MOST_MEMORY_KIB: u64 = 64 << 10;

/// Starts the test `alone` of this program, which is ignored else, in a process of its own with
/// these variables, and answers whether it passed. What it said of its costs is printed.
///
/// # Panics
/// If the program cannot be started.
pub fn passes_alone<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    name: &str,
    variables: impl IntoIterator<Item = (N, V)>,
) -> bool {
    let program = std::env::current_exe().expect("a test has a program");
    let output = Command::new(program)
        .args(["--exact", "alone", "--ignored", "--nocapture", "--test-threads=1"])
        .envs(variables)
        .output()
        .expect("the program that runs can be started");
    let printed = String::from_utf8_lossy(&output.stdout);
    let line = printed.lines().find(|line| line.contains(" KiB: ")).unwrap_or_default();
    println!("{name}: {}", line.trim_start_matches("test alone ... "));
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        println!("{name}: {}{complaint}", output.status);
    }
    output.status.success()
}

/// Does what answers how it ended and with which message, and prints that and what it cost. Only
/// means something within [`passes_alone`], and once there.
///
/// # Panics
/// If it cost more than an answer may.
pub fn frugally(case: impl FnOnce() -> (String, String)) -> (String, String) {
    let (memory, time) = (memory_kib("VmRSS"), processor_time());
    let (ended, message) = case();
    let grown = memory_kib("VmHWM") - memory;
    let took = processor_time().saturating_sub(time);
    let shown: String = message.chars().take(150).collect();
    println!("{ended}, {took:?}, {grown} KiB: {shown:?}");
    assert!(took <= MOST_TIME, "took {took:?}");
    assert!(grown <= MOST_MEMORY_KIB, "took {grown} KiB");
    (ended, message)
}

/// A line of `/proc/self/status`, in KiB.
fn memory_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of processes");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("it has this line");
    let number = line.trim_start_matches(':').trim_end_matches("kB").trim();
    number.parse().expect("memory is a number")
}

/// Processor time of this process: the machine may have other things to do.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells of processes");
    let (_, after_name) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let ticks = after_name.split(' ').skip(11).take(2);
    let ticks = ticks.map(|field| field.parse::<u64>().expect("ticks are a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
