//! Generated files: written, or compared with what stands in the repository.

use crate::repository;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail if something would change.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = repository();
    let mut stale = Vec::new();
    for (path, text) in generated() {
        let target = root.join(&path);
        if std::fs::read_to_string(&target).is_ok_and(|found| found == text) {
            continue;
        }
        if !arguments.check {
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&target, text)?;
            println!("wrote {}", path.display());
        }
        stale.push(path.display().to_string());
    }
    for path in left_over()? {
        if !arguments.check {
            std::fs::remove_file(root.join(&path))?;
            println!("removed {}", path.display());
        }
        stale.push(path.display().to_string());
    }
    if arguments.check && !stale.is_empty() {
        bail!("not up to date, run `cargo xtask codegen`: {}", stale.join(", "));
    }
    println!("codegen: {}", if stale.is_empty() { "all files are up to date" } else { "done" });
    Ok(())
}

/// Folders with nothing but generated files: for `kubectl apply`, and for the operator chart, which
/// cannot reach out of its own folder.
const FOLDERS: [&str; 2] = ["config/crds", "charts/ferroflux/files/crds"];

/// Path from the root of the repository, and content.
fn generated() -> Vec<(PathBuf, String)> {
    let files = crd_types::codegen::files();
    let in_folder = |folder| files.iter().map(move |(name, text)| (folder, name, text));
    let all = FOLDERS.into_iter().flat_map(in_folder);
    all.map(|(folder, name, text)| (Path::new(folder).join(name), text.clone())).collect()
}

/// Files in the generated folders that nothing generates any more.
fn left_over() -> Result<Vec<PathBuf>> {
    let known: Vec<_> = generated().into_iter().map(|(path, _)| path).collect();
    let mut found = Vec::new();
    for folder in FOLDERS.map(Path::new) {
        for entry in std::fs::read_dir(repository().join(folder))? {
            let path = folder.join(entry?.file_name());
            if !known.contains(&path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}
