//! Which artifacts go when newer ones came.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{Alias, ArtifactPath, Error, Store, UNFINISHED, failed, remove_file};

/// How long superseded artifacts stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// A superseded artifact older than this goes.
    pub ttl: Duration,
    /// Of the younger ones, so many stay at most; the current one counts.
    pub records: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { ttl: Duration::from_mins(1), records: 2 }
    }
}

/// Limit: an object with more files than this is cleaned in several rounds.
const FILES_PER_ROUND: usize = 1000;

/// A file of the object, oldest first when sorted.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// Zero for what was there when this process started.
    sequence: u64,
    name: String,
    age: Duration,
}

impl Store {
    /// Removes superseded artifacts of the object that `current` belongs to, and says how many.
    /// Blocks; may be repeated.
    ///
    /// Differs: Flux goes by modification times of the wall clock. Here, age is measured by the
    /// monotonic clock of this process, and order is the order of writing; a file found at the start
    /// counts as written then, so a clock that jumps removes nothing too early.
    ///
    /// # Errors
    /// If the directory cannot be read or a file not be removed.
    pub fn collect_garbage(
        &self,
        current: &ArtifactPath,
        retention: Retention,
    ) -> Result<usize, Error> {
        let directory = self.root.join(current.directory());
        let mut candidates = self.candidates(&directory, current.file())?;
        candidates.sort();
        let (mut garbage, fresh): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|file| file.age > retention.ttl);
        // The current one is not among the candidates.
        let surplus = (fresh.len() + 1).saturating_sub(retention.records.max(1));
        garbage.extend(fresh.into_iter().take(surplus));
        for file in &garbage {
            let path = directory.join(&file.name);
            remove_file(&path)?;
            remove_file(&lock_of(&path))?;
            self.known().files.remove(&path);
        }
        Ok(garbage.len())
    }

    /// Removes all artifacts of an object, and says how many there were. Blocks; may be repeated.
    ///
    /// # Errors
    /// If the directory is there and cannot be removed.
    pub fn remove_all(&self, any: &ArtifactPath) -> Result<usize, Error> {
        let directory = self.root.join(any.directory());
        if !directory.exists() {
            return Ok(0);
        }
        let files = self.candidates(&directory, "")?.len();
        fs::remove_dir_all(&directory).map_err(|error| failed("remove", &directory, error))?;
        self.known().files.retain(|path, _| !path.starts_with(&directory));
        Ok(files)
    }

    fn candidates(&self, directory: &Path, current: &str) -> Result<Vec<Candidate>, Error> {
        let read_failed = |error| failed("read directory", directory, error);
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(read_failed)?,
        };
        let mut candidates = Vec::new();
        let now = Instant::now();
        for entry in entries {
            let entry = entry.map_err(read_failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_lock = Path::new(&name).extension().is_some_and(|kind| kind == "lock");
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let is_alias = [Alias::Index, Alias::Latest].iter().any(|alias| alias.file() == name);
            let is_ours = is_lock || is_alias || name.starts_with(UNFINISHED);
            if !is_file || is_ours || name == current {
                continue;
            }
            let known = self.known();
            let (sequence, written) = known
                .files
                .get(&entry.path())
                .map_or((0, known.opened), |file| (file.sequence, file.written));
            candidates.push(Candidate { sequence, name, age: now.duration_since(written) });
            if candidates.len() == FILES_PER_ROUND {
                break;
            }
        }
        Ok(candidates)
    }
}

/// Where the Go controllers left a lock.
fn lock_of(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}
