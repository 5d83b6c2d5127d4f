//! `cargo xtask bench`: what a load costs in time, CPU, memory and API requests.
//!
//! Not a test: it prints figures and judges nothing. On a busy machine trust CPU time, not wall time.

mod cost;
mod definitions;
mod events;
mod flux;
mod kustomize;
mod load;

use crate::{programs, repository};
use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use cost::Meter;
use load::{Load as Mttp, LoadKind};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testbed::{ChartServer, ControlPlane, GitServer, Options, Stack, StackFlags};

/// The loads.
#[derive(Subcommand)]
pub(crate) enum Load {
    /// Mean time to production: N Kustomizations of plain objects in one repository, or N HelmReleases
    /// of one chart.
    Mttp(MttpArguments),
    /// Builds of the kustomize engine, without a cluster; beside `kustomize` if it is on PATH.
    Kustomize(kustomize::Arguments),
    /// Events that a notification-controller on one core takes in a second, beside duplicates, slow
    /// connections and a chat server that is told of some.
    Events(events::Arguments),
}

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct MttpArguments {
    /// What the load is made of.
    #[arg(long, default_value = "kustomization")]
    kind: LoadKind,
    /// How many of them.
    #[arg(long, default_value_t = 50)]
    n: usize,
    /// How many ConfigMaps each of them applies.
    #[arg(long, default_value_t = 10)]
    objects: usize,
    /// What is measured after the installation.
    #[arg(long, value_delimiter = ',', default_value = "forced")]
    rounds: Vec<Round>,
    /// How long the steady state is watched, in seconds.
    #[arg(long, default_value_t = 120)]
    steady_seconds: u64,
    /// Whether health is waited for.
    #[arg(long)]
    wait: bool,
    /// How many further definitions of custom resources the cluster has.
    #[arg(long, default_value_t = 0)]
    crds: usize,
    /// How many objects of a kind are reconciled at once.
    #[arg(long, default_value_t = 20)]
    concurrent: u32,
    /// A folder with other programs `source-controller` and `kustomize-controller`, for example Flux's.
    #[arg(long)]
    programs: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Round {
    /// `reconcile.fluxcd.io/requestedAt` on all of them, with nothing to do.
    Forced,
    /// A commit that changes one file of one Kustomization.
    Commit,
    /// Nothing happens, at `interval: 30s`; then one object is edited.
    Steady,
}

/// With a steady round the interval is short, so that it passes several times.
const STEADY_INTERVAL: &str = "30s";
const LONG_INTERVAL: &str = "1h";

pub(crate) async fn run(load: Load) -> Result<()> {
    match load {
        Load::Mttp(arguments) => mttp(arguments).await,
        Load::Kustomize(arguments) => kustomize::run(&arguments),
        Load::Events(arguments) => events::run(arguments).await,
    }
}

async fn mttp(arguments: MttpArguments) -> Result<()> {
    if arguments.n == 0 || arguments.objects == 0 {
        bail!("--n and --objects must be at least 1");
    }
    let plane = ControlPlane::start(Options { audit: true, kwok: false })?;
    let cluster = plane.cluster();
    Stack::install_crds(cluster, &repository().join("config/crds"))?;
    definitions::install(cluster, arguments.crds)?;
    let programs = match arguments.programs {
        Some(folder) => folder,
        None => programs()?,
    };
    let concurrent = format!("--concurrent={}", arguments.concurrent);
    let flags = || vec![concurrent.clone()];
    let helm = (arguments.kind == LoadKind::Helmrelease).then(flags);
    let flags = StackFlags { source: flags(), kustomize: flags(), helm, notification: None };
    let stack = Stack::start(&programs, cluster, &plane.dir().join("controllers"), flags).await?;
    let git = GitServer::http()?;
    let steady = arguments.rounds.contains(&Round::Steady);
    let charts = ChartServer::http()?;
    let load = Mttp {
        kind: arguments.kind,
        count: arguments.n,
        objects: arguments.objects,
        interval: if steady { STEADY_INTERVAL } else { LONG_INTERVAL },
        wait: arguments.wait,
        client: cluster.client().await?,
    };
    println!(
        "{}, wait: {}, interval {}, {} at once, {} further definitions",
        load.told(),
        load.wait,
        load.interval,
        arguments.concurrent,
        arguments.crds
    );
    let repository = load.prepare(cluster, &git, &charts).await?;

    let meter = Meter::start(&plane, &stack)?;
    let took = load.install().await?;
    let cost = meter.stop()?;
    cost.print("install", Some(took));
    let reference = flux::reference(load.kind, load.count).filter(|_| !load.wait);
    if let Some(reference) = &reference {
        reference.print_install(&cost, took);
    }
    if arguments.rounds.contains(&Round::Forced) {
        let meter = Meter::start(&plane, &stack)?;
        let took = load.force().await?;
        let cost = meter.stop()?;
        cost.print("forced round", Some(took));
        if let Some(reference) = &reference {
            reference.print_round(&cost);
        }
    }
    if arguments.rounds.contains(&Round::Commit) {
        let repository = repository.context("a commit round is for Kustomizations")?;
        let meter = Meter::start(&plane, &stack)?;
        let took = load.commit_one_file(&repository).await?;
        meter.stop()?.print("commit of one file", Some(took));
    }
    if steady {
        let meter = Meter::start(&plane, &stack)?;
        let wanted = Duration::from_secs(arguments.steady_seconds);
        tokio::time::sleep(wanted).await;
        meter.stop()?.print(&format!("steady state, {wanted:?}"), None);
        let start = Instant::now();
        load.edit_and_wait_until_undone(cluster).await?;
        println!("\nan edit of one object was undone after {} ms", start.elapsed().as_millis());
    }
    Ok(())
}
