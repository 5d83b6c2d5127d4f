//! Archives under construction, right or wrong.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// Metadata that is all right.
pub(crate) const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

/// A tar under construction, gzipped on the way so that a bomb takes no memory.
pub(crate) struct Pack(GzEncoder<Vec<u8>>);

impl Pack {
    pub(crate) fn empty() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// One that becomes as small as it can be.
    pub(crate) fn dense() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::best()))
    }

    /// With a `Chart.yaml` that is all right.
    pub(crate) fn chart() -> Self {
        Self::empty().file("web/Chart.yaml", CHART)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Regular, name.as_bytes(), "", content.as_ref())
    }

    /// The safe setters refuse the names that matter here.
    pub(crate) fn entry(self, kind: EntryType, name: &[u8], target: &str, content: &[u8]) -> Self {
        self.sized(kind, name, target, content, content.len() as u64)
    }

    pub(crate) fn sized(
        mut self,
        kind: EntryType,
        name: &[u8],
        target: &str,
        content: &[u8],
        size: u64,
    ) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(size);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.0.write_all(header.as_bytes()).unwrap();
        self.0.write_all(content).unwrap();
        self.0.write_all(&vec![0; content.len().wrapping_neg() % 512]).unwrap();
        self
    }

    /// An extended header of `key=value` records, as PAX has them.
    pub(crate) fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length =
                (rest + 1..rest + 20).find(|all| rest + all.to_string().len() == *all).unwrap();
            text += &format!("{length} {key}={value}\n");
        }
        self.entry(EntryType::XHeader, b"pax", "", text.as_bytes())
    }

    pub(crate) fn zeros(mut self, name: &str, size: u64) -> Self {
        self = self.sized(EntryType::Regular, name.as_bytes(), "", b"", size);
        let block = vec![0; 1 << 16];
        for _ in 0..size / (1 << 16) {
            self.0.write_all(&block).unwrap();
        }
        self
    }

    pub(crate) fn done(mut self) -> Vec<u8> {
        self.0.write_all(&[0; 1024]).unwrap();
        self.0.finish().unwrap()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}
