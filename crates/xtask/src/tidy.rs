//! `cargo xtask tidy`: checks what no compiler checks.

mod graph;
mod layers;
mod licences;
mod links;
mod manifests;
mod text;

use anyhow::{Result, bail};

/// What a check found. A fault fails the run, advice does not.
#[derive(Default)]
pub(crate) struct Findings {
    faults: Vec<String>,
    advice: Vec<String>,
}

impl Findings {
    fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    fn advise(&mut self, what: String) {
        self.advice.push(what);
    }
}

pub(crate) fn run() -> Result<()> {
    let mut findings = Findings::default();
    let metadata = graph::metadata()?;
    let files = crate::repository::files()?;
    layers::check(&metadata, &mut findings);
    graph::check(&metadata, &mut findings);
    licences::check(&metadata, &mut findings)?;
    manifests::check(&files, &mut findings)?;
    text::check(&files, &mut findings);
    links::check(&files, &mut findings)?;
    for advice in &findings.advice {
        println!("advice: {advice}");
    }
    for fault in &findings.faults {
        println!("fault: {fault}");
    }
    if !findings.faults.is_empty() {
        bail!("tidy found {} faults", findings.faults.len());
    }
    println!("tidy: {} files are in order", files.len());
    Ok(())
}
