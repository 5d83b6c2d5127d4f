//! `cargo xtask parity`: the comparisons on a terminal.
#![expect(clippy::print_stdout, reason = "the terminal is this program's user interface")]

mod bench;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use parity::Known;

#[derive(Parser)]
#[command(name = "cargo xtask parity", version)]
enum Arguments {
    /// Golden tables: a folder laid out like the corpus, or one of its folders of tables.
    Tables {
        /// The folder.
        dir: PathBuf,
    },
    /// Real charts with what Helm printed: `OWNER__REPO/CHART.tgz` and `CHART.cases.tar.zst`.
    Charts {
        /// Compares with what the `helm` on the PATH prints now. Charts may then also be plain
        /// folders, which are rendered with their own values.
        #[arg(long)]
        live: bool,
        /// The folder: the corpus or its `charts`.
        dir: PathBuf,
    },
    /// What rendering charts costs, beside Helm's engine and Helm where they can be had.
    BenchCharts {
        /// A folder laid out as for `charts`.
        dir: Option<PathBuf>,
    },
    /// Golden builds of kustomize: a folder with `cases.json`, archives and `goldens.tar.gz`.
    Kustomize {
        /// The folder: the corpus or its `kustomize`.
        dir: PathBuf,
        /// Only the cases whose name holds this word.
        #[arg(default_value = "")]
        word: String,
    },
}

fn main() -> Result<ExitCode> {
    let report = match Arguments::parse() {
        Arguments::Tables { dir } => parity::tables(&dir)?,
        Arguments::Charts { live: false, dir } => parity::charts(&dir)?,
        Arguments::Charts { live: true, dir } => parity::live(&dir)?,
        Arguments::BenchCharts { dir } => {
            bench::charts(dir.as_deref())?;
            return Ok(ExitCode::SUCCESS);
        }
        Arguments::Kustomize { dir, word } => parity::kustomize(&dir, &word)?,
    };
    let report = report.explained_by(&Known::of_repository());
    println!("{report}");
    Ok(if report.unexplained() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
