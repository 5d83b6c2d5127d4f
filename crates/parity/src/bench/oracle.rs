//! Helm's engine in a program of Go's, over the same charts.

use super::HelmCost;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// The program's module.
const MODULE: &str = "crates/parity/oracles/charts";

/// Helm's engine with the chart of `helm create`, cold, as it was measured once.
const RECORDED: &str = "1.86 ms";

/// What charts cost there; nothing, and a line that says so, where it cannot be built.
pub(super) fn costs(charts: &[PathBuf]) -> BTreeMap<PathBuf, HelmCost> {
    run(charts).unwrap_or_else(|error| {
        println!("Helm's engine is not measured beside ({error:#}); recorded: {RECORDED} cold");
        BTreeMap::new()
    })
}

fn run(charts: &[PathBuf]) -> Result<BTreeMap<PathBuf, HelmCost>> {
    let program = std::env::temp_dir().join(format!("helm-engine-{}", std::process::id()));
    let built = Command::new("go").current_dir(MODULE).args(["build", "-o"]).arg(&program).status();
    ensure!(built.context("cannot start go")?.success(), "go build failed");
    let output = Command::new(&program).args(charts).output();
    std::fs::remove_file(&program)?;
    let text = String::from_utf8(output?.stdout)?;
    text.lines().map(line).collect()
}

fn line(line: &str) -> Result<(PathBuf, HelmCost)> {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().with_context(|| format!("unexpected line `{line}`"));
    let (cold, warm, parsing) = (word()?.parse()?, word()?.parse()?, word()?.parse()?);
    Ok((PathBuf::from(word()?), HelmCost { cold, warm, parsing }))
}
