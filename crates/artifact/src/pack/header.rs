//! The header of one entry, as Go's `archive/tar` writes it.
//!
//! USTAR where the name fits, else a PAX header in front. Numbers are octal, padded with zeros and
//! closed by a NUL; there is no owner, and the time is the epoch.

use std::io::{self, Write};

/// Headers and contents start at multiples of this.
pub(super) const BLOCK: usize = 512;

const NAME_BYTES: usize = 100;
const PREFIX_BYTES: usize = 155;

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Directory,
    File { executable: bool, size: u64 },
}

/// A header block under construction.
struct Block([u8; BLOCK]);

/// Writes the header of the entry at `path`.
pub(super) fn write(out: &mut impl Write, path: &str, kind: Kind) -> io::Result<()> {
    let (type_flag, mode, size) = match kind {
        Kind::Directory => (b'5', 0o750, 0),
        Kind::File { executable: true, size } => (b'0', 0o700, size),
        Kind::File { executable: false, size } => (b'0', 0o600, size),
    };
    let mut block = Block([0; BLOCK]);
    block.0[156] = type_flag;
    block.octal(100, 8, mode);
    for (at, width, value) in [(108, 8, 0), (116, 8, 0), (124, 12, size), (136, 12, 0)] {
        block.octal(at, width, value);
    }
    block.octal(329, 8, 0);
    block.octal(337, 8, 0);
    if let Some((prefix, name)) = split(path) {
        block.text(0, NAME_BYTES, name);
        block.text(345, PREFIX_BYTES, prefix);
    } else {
        write_pax(out, path)?;
        block.text(0, NAME_BYTES, &ascii(path));
    }
    out.write_all(block.sealed())
}

/// The zeros between the end of a content and the next header.
pub(super) fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    let block = BLOCK as u64;
    let missing = (block - size % block) % block;
    // Smaller than a block, so it fits any pointer size.
    &ZEROS[..usize::try_from(missing).unwrap_or_default()]
}

/// The prefix and name fields that hold `path`, if USTAR can hold it.
fn split(path: &str) -> Option<(&str, &str)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME_BYTES {
        return Some(("", path));
    }
    let head = &path[..path.len().min(PREFIX_BYTES + 1)];
    let at = head.rfind('/').filter(|at| *at > 0)?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (!name.is_empty() && name.len() <= NAME_BYTES && prefix.len() <= PREFIX_BYTES)
        .then_some((prefix, name))
}

/// Writes the extra entry that carries a name which USTAR cannot hold.
fn write_pax(out: &mut impl Write, path: &str) -> io::Result<()> {
    let record = pax_record("path", path);
    let name = match path.rsplit_once('/') {
        Some((directory, file)) => format!("{directory}/PaxHeaders.0/{file}"),
        None => format!("PaxHeaders.0/{path}"),
    };
    let mut name = ascii(&name);
    name.truncate(NAME_BYTES);
    let mut block = Block([0; BLOCK]);
    block.0[156] = b'x';
    block.text(0, NAME_BYTES, name.trim_end_matches('/'));
    for (at, width, value) in
        [(100, 8, 0), (108, 8, 0), (116, 8, 0), (124, 12, record.len() as u64), (136, 12, 0)]
    {
        block.octal(at, width, value);
    }
    out.write_all(block.sealed())?;
    out.write_all(record.as_bytes())?;
    out.write_all(padding(record.len() as u64))
}

/// `<length> <key>=<value>\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    // One more digit may be needed for the length of the length.
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

impl Block {
    fn text(&mut self, at: usize, width: usize, text: &str) {
        let length = text.len().min(width);
        self.0[at..at + length].copy_from_slice(&text.as_bytes()[..length]);
        // A cut name that ends in a slash would read as a directory.
        if text.len() > width && self.0[at + width - 1] == b'/' {
            let kept = text[..width - 1].trim_end_matches('/').len();
            self.0[at + kept] = 0;
        }
    }

    fn octal(&mut self, at: usize, width: usize, value: u64) {
        let digits = format!("{value:0width$o}", width = width - 1);
        let kept = digits.len().min(width - 1);
        self.0[at..at + kept].copy_from_slice(&digits.as_bytes()[..kept]);
    }

    /// Adds magic, version and checksum; nothing may change afterwards.
    fn sealed(&mut self) -> &[u8] {
        self.0[257..265].copy_from_slice(b"ustar\x0000");
        self.0[148..156].fill(b' ');
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        self.octal(148, 7, sum);
        self.0[154] = 0;
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pax_record_counts_itself() {
        assert_eq!(pax_record("path", "ä"), "11 path=ä\n");
        let long = "a".repeat(90);
        assert_eq!(pax_record("path", &long).len(), 99);
        let longer = pax_record("path", &"a".repeat(91));
        assert!(longer.starts_with("101 ") && longer.len() == 101, "{longer}");
    }

    #[test]
    fn a_long_name_is_split_at_a_slash() {
        let path = format!("{}/{}", "d".repeat(120), "f".repeat(90));
        assert_eq!(split(&path).map(|(prefix, name)| (prefix.len(), name.len())), Some((120, 90)));
        assert_eq!(split(&"x".repeat(101)), None);
        assert_eq!(split("é"), None);
        assert_eq!(split("a"), Some(("", "a")));
    }
}
