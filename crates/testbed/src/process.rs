//! Child processes that never outlive us.

use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Runs `"$@"` and watches our end of a pipe. When the pipe closes, because the guard was dropped or
/// because our process died in whatever way, the program gets SIGTERM and after 5 s SIGKILL. A line
/// in the pipe names another signal. The shell is the program's parent and reaps it last, so the
/// process id it signals cannot have been given to somebody else.
const SUPERVISOR: &str = r#"
pidfile=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
echo "$child" >"$pidfile.new"; mv "$pidfile.new" "$pidfile"
(
  read -r signal <&3
  kill -"${signal:-TERM}" "$child" 2>/dev/null
  tries=0
  while kill -0 "$child" 2>/dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$child" 2>/dev/null
) &
watcher=$!
exec 3<&-
wait "$child"; code=$?
kill "$watcher" 2>/dev/null
exit "$code"
"#;

/// A running program. Dropping it ends the program and waits until it is gone.
///
/// It runs in a process group of its own, so that Ctrl-C in a terminal reaches only us and we decide
/// the order in which things stop.
#[derive(Debug)]
pub struct Process {
    name: String,
    supervisor: Child,
    pipe: Option<ChildStdin>,
    pid: u32,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `dir/NAME.log` (appended).
    ///
    /// # Errors
    /// If the program does not exist or the log cannot be written.
    pub fn start(name: &str, command: &Command, dir: &Path) -> Result<Self> {
        let program = Path::new(command.get_program());
        if program.is_absolute() && !program.is_file() {
            bail!("{} does not exist", program.display());
        }
        let log = dir.join(format!("{name}.log"));
        let pid_file = dir.join(format!("{name}.pid"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut supervised = Command::new("sh");
        supervised.args(["-c", SUPERVISOR, name]).arg(&pid_file).arg(command.get_program());
        supervised.args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => supervised.env(key, value),
                None => supervised.env_remove(key),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            supervised.current_dir(dir);
        }
        drop(std::fs::remove_file(&pid_file));
        let mut supervisor = supervised
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start `sh`")?;
        let pipe = supervisor.stdin.take();
        let pid = read_pid(&pid_file).with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), supervisor, pipe, pid, log })
    }

    /// The name given at the start.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id of the program itself, not of its supervisor.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its standard output and error go.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has printed so far; bytes that are not UTF-8 are replaced.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How it ended, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.supervisor.try_wait().ok().flatten()
    }

    /// Asks it to stop with SIGTERM, waits, and says how it ended. After 5 s it is killed.
    ///
    /// # Errors
    /// If its end could not be observed.
    pub fn stop(mut self) -> Result<ExitStatus> {
        drop(self.pipe.take());
        self.supervisor.wait().with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Ends it as `kill -9` does: without a chance to finish anything.
    ///
    /// # Errors
    /// If its end could not be observed.
    pub fn kill(mut self) -> Result<ExitStatus> {
        if let Some(mut pipe) = self.pipe.take() {
            // An error means that it has already ended, which is what we want.
            drop(pipe.write_all(b"KILL\n"));
        }
        self.supervisor.wait().with_context(|| format!("cannot wait for {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // The supervisor kills after 5 s, so this ends.
        drop(self.supervisor.wait());
    }
}

/// A directory that vanishes when our process ends, even without destructors (a `static`, an abort).
#[derive(Debug)]
pub(crate) struct ScratchDir {
    path: PathBuf,
    janitor: Child,
}

/// Waits for the pipe to close and for the programs that logged here to end, then removes the directory.
const JANITOR: &str = r#"
read -r _
tries=0
for file in "$1"/*.pid "$1"/*/*.pid; do
  [ -f "$file" ] || continue
  while kill -0 "$(cat "$file")" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
done
exec rm -rf "$1"
"#;

impl ScratchDir {
    /// Creates the directory below the system's temporary directory.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let path = tempfile::Builder::new().prefix(prefix).tempdir()?.keep();
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .arg(&path)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `sh`")?;
        Ok(Self { path, janitor })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        drop(self.janitor.wait());
    }
}

fn read_pid(path: &Path) -> Result<u32> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text.trim().parse().context("the supervisor wrote no process id");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("the supervisor has not started it within 10 s")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(dir: &Path) -> Process {
        let mut command = Command::new("sleep");
        command.arg("1000");
        Process::start("sleeper", &command, dir).unwrap()
    }

    fn runs(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_dropped_guard_leaves_no_process() {
        let dir = tempfile::tempdir().unwrap();
        let process = sleeper(dir.path());
        let pid = process.pid();
        assert!(runs(pid));
        drop(process);
        assert!(!runs(pid));
    }

    #[test]
    fn a_killed_program_reports_the_signal() {
        let dir = tempfile::tempdir().unwrap();
        let process = sleeper(dir.path());
        assert_eq!(process.kill().unwrap().code(), Some(128 + 9));
    }

    #[test]
    fn output_and_exit_code_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo said; exit 3"]);
        let mut process = Process::start("short", &command, dir.path()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while process.exit_status().is_none() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(process.exit_status().and_then(|s| s.code()), Some(3));
        assert_eq!(process.log(), "said\n");
    }

    #[test]
    fn a_scratch_directory_is_removed() {
        let dir = ScratchDir::new("ferroflux-test-").unwrap();
        let path = dir.path().to_path_buf();
        std::fs::write(path.join("file"), "x").unwrap();
        drop(dir);
        assert!(!path.exists());
    }
}
