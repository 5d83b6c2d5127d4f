//! The recorded scenarios of real Flux, played against our programs.
//!
//! Recordings and runner stand beside the checkout, in `../shared/transcripts`; a newcomer does not
//! have them, and is told so.

use crate::{programs, repository};
use anyhow::{Result, ensure};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use testbed::{ControlPlane, Options, free_port};

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Scenarios to play, separated by commas. Default: all of the kinds that we have.
    #[arg(long)]
    only: Option<String>,
    /// Where to put the transcripts and logs; kept. Default: a temporary folder.
    #[arg(long)]
    out: Option<std::path::PathBuf>,
    /// How many scenarios run at once.
    #[arg(long, default_value_t = 6)]
    jobs: u32,
    /// The port of the runner's servers. The recordings were made with the default.
    #[arg(long, default_value_t = 27000)]
    port: u16,
    /// How many lines of each difference are printed.
    #[arg(long, default_value_t = 30)]
    diff_lines: u32,
    /// A flag for all controllers besides the usual ones.
    #[arg(
        long,
        allow_hyphen_values = true,
        default_value = "--feature-gates=ProgressPerStep=true"
    )]
    flag: Vec<String>,
}

/// Scenarios whose controllers exist; the names start with the kind.
const KINDS: &[&str] =
    &["alert-", "git-", "hchart-", "hr-", "hrepo-", "ks-", "receiver-", "story-homelab"];
/// Where webhooks are taken; the recordings were made with it.
const RECEIVER: &str = "127.0.0.1:27206";

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let transcripts = repository().join("../shared/transcripts");
    if !transcripts.join("run.py").is_file() {
        println!("the recordings (../shared/transcripts) are not here: nothing was compared");
        return Ok(());
    }
    let kept = arguments.out.clone();
    let scratch = tempfile::tempdir()?;
    let out = kept.unwrap_or_else(|| scratch.path().to_path_buf());
    let (work, results) = (out.join("work"), out.join("transcripts"));
    std::fs::create_dir_all(&work)?;
    let plane = ControlPlane::start(Options::default())?;
    let stack = out.join("stack.json");
    std::fs::write(&stack, stack_file(&arguments.flag)?)?;
    let status = Command::new("python3")
        .arg(transcripts.join("run.py"))
        .arg("--kubeconfig")
        .arg(plane.cluster().kubeconfig())
        .arg("--stack")
        .arg(&stack)
        .arg("--out")
        .arg(&results)
        .arg("--compare")
        .arg(transcripts.join("golden"))
        .arg("--work")
        .arg(&work)
        .args(["--only", &scenarios(&transcripts, arguments.only.as_deref())?])
        .args(["--jobs", &arguments.jobs.to_string()])
        .args(["--diff-lines", &arguments.diff_lines.to_string()])
        .args(["--port", &arguments.port.to_string()])
        .env("PATH", path_with(plane.cluster().kubectl_path())?)
        .status()?;
    ensure!(status.success(), "some transcripts differ");
    Ok(())
}

fn scenarios(transcripts: &Path, only: Option<&str>) -> Result<String> {
    if let Some(only) = only {
        return Ok(only.to_owned());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(transcripts.join("scenarios"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if KINDS.iter().any(|kind| name.starts_with(kind)) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.join(","))
}

/// The stack as the goldens were recorded, with the controllers that exist.
fn stack_file(extra: &[String]) -> Result<String> {
    let storage = format!("127.0.0.1:{}", free_port()?);
    let events = format!("127.0.0.1:{}", free_port()?);
    let program = |name: &str, flags: &[&str]| -> Result<serde_json::Value> {
        let mut command = vec![
            programs()?.join(name).display().to_string(),
            format!("--health-addr=127.0.0.1:{}", free_port()?),
            format!("--metrics-addr=127.0.0.1:{}", free_port()?),
            "--requeue-dependency=5s".to_owned(),
        ];
        command.extend(flags.iter().map(|flag| (*flag).to_owned()));
        command.extend(extra.iter().cloned());
        Ok(json!({"name": name, "cmd": command, "env": {}}))
    };
    let to_events = format!("--events-addr=http://{events}/");
    let source = [
        &*to_events,
        "--storage-path={work}/data",
        &format!("--storage-addr={storage}"),
        &format!("--storage-adv-addr={storage}"),
        "--concurrent=8",
    ];
    let stack = json!({
        "name": "ferroflux",
        "receiver": format!("http://{RECEIVER}"),
        "warmup": 3,
        "crds": [repository().join("config/crds")],
        "processes": [
            program("source-controller", &source)?,
            program("kustomize-controller", &[&to_events, "--concurrent=12"])?,
            program("helm-controller", &[&to_events, "--concurrent=12"])?,
            program("notification-controller", &[
                &format!("--events-addr={events}"),
                &format!("--receiverAddr={RECEIVER}"),
            ])?,
        ],
    });
    Ok(stack.to_string())
}

/// The runner calls `kubectl`; the test bed's comes first.
fn path_with(kubectl: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = kubectl.parent().map(Path::to_path_buf);
    Ok(std::env::join_paths(first.into_iter().chain(std::env::split_paths(&path)))?)
}
