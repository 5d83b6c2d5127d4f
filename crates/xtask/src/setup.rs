//! `cargo xtask setup`.

use crate::repository;
use anyhow::Result;
use std::thread::JoinHandle;

/// Builds the control plane unless the cache holds it. Says nothing when there is nothing to do.
pub(crate) fn ensure() -> Result<()> {
    control_plane_assets::build(&repository::root(), &mut |line| println!("setup: {line}"))?;
    Ok(())
}

/// The same beside other work: Go and cargo each have stretches that use one core only.
pub(crate) fn ensure_in_background() -> JoinHandle<Result<()>> {
    std::thread::spawn(ensure)
}

/// Waits for [`ensure_in_background`].
pub(crate) fn join(setup: JoinHandle<Result<()>>) -> Result<()> {
    setup.join().map_err(|_panic| anyhow::anyhow!("the set-up panicked"))?
}

pub(crate) fn run() -> Result<()> {
    ensure()?;
    println!("the control plane is in {}", control_plane_assets::cache_dir().display());
    Ok(())
}
