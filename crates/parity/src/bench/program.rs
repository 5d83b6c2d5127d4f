//! `helm template`, a process for each chart.

use super::meter;
use anyhow::{Result, ensure};
use std::path::Path;
use std::process::{Command, Stdio};

/// Every so many charts are rendered: a process takes as long as many renderings.
const EVERY: usize = 8;

/// Prints what `helm template` costs, or that there is none.
pub(super) fn print<'a>(charts: impl Iterator<Item = &'a std::path::PathBuf>) {
    let mean = |charts: Vec<&Path>| -> Result<(usize, f64)> {
        let before = meter::children()?;
        let mut count = 0;
        for chart in charts {
            let mut helm = Command::new("helm");
            helm.args(["template", "rel"]).arg(chart).stdout(Stdio::null()).stderr(Stdio::null());
            count += usize::from(helm.status()?.success());
        }
        ensure!(count > 0, "it renders nothing");
        #[expect(clippy::cast_precision_loss, reason = "there are few charts")]
        let each = meter::children()?.saturating_sub(before).as_secs_f64() * 1e3 / count as f64;
        Ok((count, each))
    };
    match mean(charts.step_by(EVERY).map(std::path::PathBuf::as_path).collect()) {
        Ok((count, mean)) => {
            println!(
                "helm template, {count} charts: {mean:.0} ms each, start of the process included"
            );
        }
        Err(error) => println!("helm template is not measured beside ({error:#})"),
    }
}
