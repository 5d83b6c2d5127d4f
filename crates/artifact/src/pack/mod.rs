//! A reproducible `tar.gz`: the same tree gives the same bytes.
//!
//! Owners, times and all mode bits but one are fixed; see `header` for the exact form, which is
//! that of the Go controllers down to the byte (before compression).

mod header;

use std::io::{self, Write};

use flate2::{Compression, GzBuilder, write::GzEncoder};

/// Writes entries, in the order in which they are given, into a `tar.gz`.
///
/// For the same bytes as the Go controllers', directories come before what they hold and the
/// names of each directory come sorted by their bytes.
#[derive(Debug)]
pub struct Packer<W: Write> {
    out: GzEncoder<W>,
    limits: Limits,
    entries: u64,
    bytes: u64,
}

/// What an artifact may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files and directories together.
    pub entries: u64,
    /// The sum of all file sizes.
    pub bytes: u64,
}

/// Why an artifact could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// The source holds too much.
    #[error("the source holds more than {limit} files and directories")]
    TooManyEntries {
        /// How many would be accepted.
        limit: u64,
    },
    /// The source holds too much.
    #[error("the files of the source are larger than {limit_bytes} bytes together")]
    TooLarge {
        /// How much would be accepted.
        limit_bytes: u64,
    },
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 512 << 20 }
    }
}

impl<W: Write> Packer<W> {
    /// Starts with the entry of the root directory.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn new(out: W, limits: Limits) -> Result<Self, Error> {
        let out = GzBuilder::new().operating_system(255).write(out, Compression::default());
        let mut packer = Self { out, limits, entries: 0, bytes: 0 };
        packer.directory(".")?;
        Ok(packer)
    }

    /// Adds a directory, by its path from the root.
    ///
    /// # Errors
    /// If the output cannot be written or the artifact becomes too large.
    pub fn directory(&mut self, path: &str) -> Result<(), Error> {
        self.count(0)?;
        header::write(&mut self.out, path, header::Kind::Directory)?;
        Ok(())
    }

    /// Adds a regular file, by its path from the root.
    ///
    /// # Errors
    /// If the output cannot be written or the artifact becomes too large.
    pub fn file(&mut self, path: &str, executable: bool, content: &[u8]) -> Result<(), Error> {
        let size = content.len() as u64;
        self.count(size)?;
        header::write(&mut self.out, path, header::Kind::File { executable, size })?;
        self.out.write_all(content)?;
        self.out.write_all(header::padding(size))?;
        Ok(())
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(mut self) -> Result<W, Error> {
        self.out.write_all(&[0; 2 * header::BLOCK])?;
        Ok(self.out.finish()?)
    }

    fn count(&mut self, size: u64) -> Result<(), Error> {
        self.entries += 1;
        self.bytes += size;
        if self.entries > self.limits.entries {
            return Err(Error::TooManyEntries { limit: self.limits.entries });
        }
        if self.bytes > self.limits.bytes {
            return Err(Error::TooLarge { limit_bytes: self.limits.bytes });
        }
        Ok(())
    }
}
