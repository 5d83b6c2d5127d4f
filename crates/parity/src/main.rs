//! How much of what the real tools print comes out the same: `cargo xtask parity`.
//!
//! The comparisons belong to the engines (their module `parity`); here they only get their files and
//! a terminal. No case is known by name, so any folder of the same layout can be measured.
#![expect(clippy::print_stdout, reason = "the terminal is this program's user interface")]

use anyhow::{Context as _, Result};
use clap::Parser;
use std::path::{Path, PathBuf};

#[derive(Parser)]
#[command(name = "cargo xtask parity", version)]
enum Arguments {
    /// Golden tables of Helm's functions and templates, and of sops: a folder of folders of JSON files.
    Tables {
        /// The folder.
        dir: PathBuf,
    },
    /// Real charts with what Helm printed: `OWNER__REPO/CHART.tgz` and `CHART.cases.tar.zst`.
    Charts {
        /// The folder.
        dir: PathBuf,
    },
    /// Golden builds of kustomize: a folder with `cases.json`, archives and `goldens.tar.gz`.
    Kustomize {
        /// The folder.
        dir: PathBuf,
        /// Only the cases whose name holds this word.
        #[arg(default_value = "")]
        word: String,
    },
}

fn main() -> Result<()> {
    match Arguments::parse() {
        Arguments::Tables { dir } => tables(&dir)?,
        Arguments::Charts { dir } => println!("{}", helm_render::parity::charts(&dir)?),
        Arguments::Kustomize { dir, word } => kustomize(&dir, &word)?,
    }
    Ok(())
}

fn tables(dir: &Path) -> Result<()> {
    println!("{}", helm_render::parity::tables(dir)?);
    let read = |name: &str| std::fs::read(dir.join("sops").join(name)).ok();
    let report = sops_decrypt::parity::run(&read)?;
    if report.same + report.differences.len() > 0 {
        println!("{report}");
    }
    Ok(())
}

fn kustomize(dir: &Path, word: &str) -> Result<()> {
    let read = |name: &str| std::fs::read(dir.join(name)).ok();
    let report = kustomize_build::parity::run(&read, &|case| case.id.contains(word))
        .with_context(|| format!("cannot compare with {}", dir.display()))?;
    println!("{report}");
    if let Some(inline) = read("units-handwritten.json").filter(|_| word.is_empty()) {
        println!("units-handwritten.json\n{}", kustomize_build::parity::run_inline(&inline)?);
    }
    Ok(())
}
