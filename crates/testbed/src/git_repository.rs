//! Repositories with commits whose ids repeat from run to run.

use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// A bare repository, written by real git. Author and dates are fixed, so equal files give equal ids.
#[derive(Clone, Debug)]
pub struct GitRepository {
    dir: PathBuf,
    // Two commits on one branch at once would both have the same parent.
    writer: Arc<Mutex<()>>,
}

/// 2024-01-01T00:00:00Z; each commit of a branch is a minute later than its parent.
const FIRST_COMMIT: u64 = 1_704_067_200;

impl GitRepository {
    /// Makes an empty repository in `dir`, with `main` as its (unborn) default branch.
    ///
    /// # Errors
    /// If git is missing or `dir` cannot be written.
    pub fn create(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let repository = Self { dir: dir.to_path_buf(), writer: Arc::default() };
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."])?;
        let settings = [
            ("uploadpack.allowAnySHA1InWant", "true"),
            ("uploadpack.allowFilter", "true"),
            ("http.receivepack", "true"),
            ("gc.auto", "0"),
        ];
        for (key, value) in settings {
            repository.git(&["config", key, value])?;
        }
        Ok(repository)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Commits `files` (path, text; `None` removes the file or folder) on `branch` and returns the
    /// commit's id. The branch is made when it does not exist.
    ///
    /// # Errors
    /// If git refuses, for example because a removed file does not exist.
    pub fn commit(
        &self,
        branch: &str,
        files: &[(&str, Option<&str>)],
        message: &str,
    ) -> Result<String> {
        let mut changes = Vec::new();
        for (path, text) in files {
            match text {
                Some(text) => change(&mut changes, "100644", path, text.as_bytes()),
                None => changes.extend(format!("D {}\n", quoted(path)).into_bytes()),
            }
        }
        self.add(branch, &changes, message)
    }

    /// Commits a symbolic link at `path` that points to `target`.
    ///
    /// # Errors
    /// If git refuses.
    pub fn commit_symlink(&self, branch: &str, path: &str, target: &str) -> Result<String> {
        let mut changes = Vec::new();
        change(&mut changes, "120000", path, target.as_bytes());
        self.add(branch, &changes, "link")
    }

    /// Commits all files below `folder`, which replace what the branch held.
    ///
    /// # Errors
    /// If a file cannot be read or git refuses.
    pub fn commit_folder(&self, branch: &str, folder: &Path, message: &str) -> Result<String> {
        let mut changes = b"deleteall\n".to_vec();
        add_folder(&mut changes, folder, "")?;
        self.add(branch, &changes, message)
    }

    /// Puts a lightweight tag on `revision`.
    ///
    /// # Errors
    /// If git refuses.
    pub fn tag(&self, name: &str, revision: &str) -> Result<()> {
        self.git(&["tag", "--force", name, revision]).map(drop)
    }

    /// The commit that `revision` names.
    ///
    /// # Errors
    /// If there is none.
    pub fn resolve(&self, revision: &str) -> Result<String> {
        self.git(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
    }

    /// Runs git in the repository and returns its trimmed output.
    ///
    /// # Errors
    /// If git ends with an error; the message holds what it said.
    pub fn git(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args).output().context("cannot start git")?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("git {}: {}", args.join(" "), stderr.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Feeds `git fast-import`, for commits that have to have given ids.
    ///
    /// # Errors
    /// If git refuses.
    pub fn import(&self, stream: &str) -> Result<()> {
        let _one_writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.fast_import(stream.as_bytes())
    }

    fn add(&self, branch: &str, changes: &[u8], message: &str) -> Result<String> {
        let _one_writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let reference = format!("refs/heads/{branch}");
        let parent = self.resolve(&reference).ok();
        let age: u64 = match &parent {
            Some(parent) => self.git(&["rev-list", "--count", parent])?.parse()?,
            None => 0,
        };
        let date = FIRST_COMMIT + 60 * age;
        let mut stream = format!(
            "commit {reference}\ncommitter testbed <testbed@example.com> {date} +0000\ndata {}\n{message}\n",
            message.len()
        )
        .into_bytes();
        if let Some(parent) = parent {
            stream.extend(format!("from {parent}\n").into_bytes());
        }
        stream.extend_from_slice(changes);
        stream.extend(b"\ndone\n");
        self.fast_import(&stream)?;
        self.resolve(&reference)
    }

    fn fast_import(&self, stream: &[u8]) -> Result<()> {
        let mut import = self
            .command(&["fast-import", "--quiet", "--done"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start git")?;
        if let Some(mut stdin) = import.stdin.take() {
            // When git stops reading it also says why, below.
            drop(stdin.write_all(stream));
        }
        let output = import.wait_with_output()?;
        if !output.status.success() {
            bail!("git fast-import: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.current_dir(&self.dir)
            .args(args)
            // The person's own settings (signing, hooks, default branch) must not change commit ids.
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_WORK_TREE");
        git
    }
}

fn add_folder(changes: &mut Vec<u8>, folder: &Path, prefix: &str) -> Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?;
    for entry in entries {
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_str().context("a file name is not UTF-8")?);
        if entry.file_type()?.is_dir() {
            add_folder(changes, &entry.path(), &format!("{path}/"))?;
        } else {
            change(changes, "100644", &path, &std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn change(changes: &mut Vec<u8>, mode: &str, path: &str, data: &[u8]) {
    let head = format!("M {mode} inline {}\ndata {}\n", quoted(path), data.len());
    changes.extend(head.into_bytes());
    changes.extend_from_slice(data);
    changes.push(b'\n');
}

/// C-style quoting, so that blanks and quotes may stand in a path.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_give_equal_commits() {
        let ids: Vec<_> = (0..2)
            .map(|_| {
                let dir = tempfile::tempdir().unwrap();
                let repository = GitRepository::create(dir.path()).unwrap();
                repository.commit("main", &[("a b.yaml", Some("x: 1\n"))], "one").unwrap();
                repository.commit("main", &[("a b.yaml", None), ("c/d", Some(""))], "two").unwrap()
            })
            .collect();
        assert_eq!(ids[0], ids[1]);
    }

    #[test]
    fn files_are_added_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let repository = GitRepository::create(dir.path()).unwrap();
        repository.commit("main", &[("a", Some("1")), ("b", Some("2"))], "one").unwrap();
        let head = repository.commit("main", &[("a", None)], "two").unwrap();
        assert_eq!(repository.git(&["ls-tree", "--name-only", &head]).unwrap(), "b");
        repository.tag("v1.0.0", &head).unwrap();
        assert_eq!(repository.resolve("v1.0.0").unwrap(), head);
    }
}
