//! `cargo xtask control-plane`: a control plane to play with by hand.

use crate::repository;
use anyhow::Result;
use testbed::{ControlPlane, Options, Stack};

pub(crate) async fn run() -> Result<()> {
    let plane = ControlPlane::start(Options::default())?;
    Stack::install_crds(plane.cluster(), &repository().join("config/crds"))?;
    println!("export KUBECONFIG={}", plane.cluster().kubeconfig().display());
    println!("alias kubectl={}", plane.cluster().kubectl_path().display());
    println!("Ctrl-C stops it and removes everything");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
