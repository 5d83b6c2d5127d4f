//! What a large index takes. The only test of its process, so that the process can be weighed.

use std::io::{BufRead, BufReader, Read, Write as _};

use helm_chart::index::{each, rewrite};

const VERSIONS: usize = 100_000;

/// An index of one chart, made while it is read.
struct Endless {
    next: usize,
    pending: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, mut buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.pending.is_empty() && self.next < VERSIONS {
            let version = self.next;
            self.next += 1;
            let line =
                format!("  - {{name: app, version: 1.{version}.0, urls: [a-{version}.tgz]}}\n");
            self.pending = line.into_bytes();
        }
        let count = buffer.write(&self.pending)?;
        self.pending.drain(..count);
        Ok(count)
    }
}

fn index() -> impl BufRead {
    let head = &b"apiVersion: v1\nentries:\n  app:\n"[..];
    BufReader::new(head.chain(Endless { next: 0, pending: Vec::new() }))
}

#[test]
fn many_versions_of_one_chart_are_never_held_together() {
    rewrite(index(), std::io::sink()).unwrap();
    let (mut count, mut longest) = (0, 0);
    each(index(), "app", |entry| {
        count += 1;
        longest = longest.max(entry.version.len());
    })
    .unwrap();
    assert_eq!((count, longest), (VERSIONS, "1.99999.0".len()));
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak_kib < 48 << 10, "{peak_kib} KiB");
}
