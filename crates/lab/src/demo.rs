//! `cargo xtask demo`: a commit becomes running objects, before your eyes.

mod table;

use crate::flux_objects::{Readiness, git_repositories, kustomizations};
use crate::{programs, repository};
use anyhow::{Context as _, Result, bail};
use kube::api::{Api, DynamicObject, ListParams};
use std::time::{Duration, Instant};
use table::{Row, Table};
use testbed::{Cluster, ControlPlane, GitServer, Options, Stack, StackFlags};

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Exit with 0 as soon as everything is Ready, or with 1 and the reason.
    #[arg(long)]
    once: bool,
}

const NAMESPACE: &str = "git-app";
const READY_WITHIN: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    println!("starting the control plane …");
    let plane = ControlPlane::start(Options::default())?;
    let cluster = plane.cluster();
    println!("installing the custom resources and starting the controllers …");
    Stack::install_crds(cluster, &repository().join("config/crds"))?;
    let dir = plane.dir().join("controllers");
    let stack = Stack::start(&programs()?, cluster, &dir, StackFlags::default()).await?;

    let example = repository().join("examples/git-app");
    let git = GitServer::http()?;
    let app = git.create("git-app")?;
    app.commit_folder("main", &example.join("repository"), "Say hello")?;
    cluster.kubectl(&["create", "namespace", NAMESPACE])?;
    cluster.apply(&manifests(&example, &git.repository_url("git-app"))?)?;

    let start = Instant::now();
    let ready = watch_until_ready(cluster).await;
    if let Err(reason) = ready {
        println!("{}", cluster.kubectl(&["-n", NAMESPACE, "get", "events"]).unwrap_or_default());
        for log in stack.logs() {
            let text = std::fs::read_to_string(&log)?;
            let last: Vec<_> = text.lines().rev().take(10).collect();
            println!("--- {}", log.display());
            last.iter().rev().for_each(|line| println!("{line}"));
        }
        return Err(reason);
    }
    println!(
        "\nall Ready {:.1} s after the manifests were applied\n",
        start.elapsed().as_secs_f32()
    );
    if arguments.once {
        return Ok(());
    }
    print_how_to_play_on(cluster, &git);
    tokio::select! {
        end = keep_showing(cluster) => end?,
        signal = tokio::signal::ctrl_c() => signal?,
    }
    println!("\nstopping …");
    Ok(())
}

/// The example's manifests with the address of the local git server.
fn manifests(example: &std::path::Path, url: &str) -> Result<String> {
    let source = std::fs::read_to_string(example.join("flux/git-repository.yaml"))?;
    let line = source.lines().find(|line| line.trim_start().starts_with("url: "));
    let line = line.context("the example's GitRepository has no url")?;
    let source = source.replace(line, &format!("  url: {url}"));
    let kustomization = std::fs::read_to_string(example.join("flux/kustomization.yaml"))?;
    Ok(format!("{source}---\n{kustomization}"))
}

async fn watch_until_ready(cluster: &Cluster) -> Result<()> {
    let client = cluster.client().await?;
    let mut table = Table::default();
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let rows = rows(&client).await?;
        table.show(&rows);
        if rows.iter().all(|row| row.ready == "True") {
            return Ok(());
        }
        if Instant::now() > deadline {
            let late = rows.iter().filter(|row| row.ready != "True");
            let late: Vec<_> = late.map(|row| format!("{}: {}", row.object, row.message)).collect();
            bail!("not Ready within {} s: {}", READY_WITHIN.as_secs(), late.join("; "));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Goes on showing the table whenever it changes.
async fn keep_showing(cluster: &Cluster) -> Result<()> {
    let client = cluster.client().await?;
    let mut table = Table::default();
    loop {
        table.show(&rows(&client).await?);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn rows(client: &kube::Client) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for resource in [git_repositories(), kustomizations()] {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), NAMESPACE, &resource);
        for object in api.list(&ListParams::default()).await? {
            let name = object.metadata.name.as_deref().unwrap_or_default();
            let object_name = format!("{}/{name}", resource.kind.to_lowercase());
            let readiness = Readiness::of(&object);
            let ready = if Readiness::is_ready(&object) || readiness.status != "True" {
                readiness.status
            } else {
                // True, but about an older generation.
                "Unknown".to_owned()
            };
            rows.push(Row { object: object_name, ready, message: readiness.message });
        }
    }
    Ok(rows)
}

fn print_how_to_play_on(cluster: &Cluster, git: &GitServer) {
    let url = git.repository_url("git-app");
    println!(
        "look around, in another terminal:

    export KUBECONFIG={}
    alias kubectl={}
    kubectl -n {NAMESPACE} get gitrepository,kustomization,deployment,pod,service,configmap

change something and see it applied (the repository is looked at every 10 s):

    git clone {url} && cd git-app
    sed -i 's/hello from git/hello again/' base/config.yaml
    git commit -am 'Say hello again' && git push

edit an applied object, and see the edit undone:

    kubectl -n {NAMESPACE} scale deployment hello --replicas=5

Ctrl-C stops everything and removes it.
",
        cluster.kubeconfig().display(),
        cluster.kubectl_path().display(),
    );
}
