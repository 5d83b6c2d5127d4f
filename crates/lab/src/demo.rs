//! `cargo xtask demo`: a commit and a chart become running objects, before your eyes.

mod channel;
mod table;

use crate::flux_objects::{
    Readiness, git_repositories, helm_releases, helm_repositories, kustomizations,
};
use crate::{programs, repository};
use anyhow::{Result, bail};
use channel::Channel;
use kube::api::{Api, DynamicObject, ListParams};
use std::time::{Duration, Instant};
use table::{Row, Table};
use testbed::{ChartServer, Cluster, ControlPlane, GitServer, Options, Stack, StackFlags, example};

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Exit with 0 as soon as everything is Ready, or with 1 and the reason.
    #[arg(long)]
    once: bool,
}

/// Where the examples go.
const GIT_APP: &str = "git-app";
const HELM_APP: &str = "podinfo";
const READY_WITHIN: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    println!("starting the control plane …");
    let plane = ControlPlane::start(Options::default())?;
    let cluster = plane.cluster();
    println!("installing the custom resources and starting the controllers …");
    Stack::install_crds(cluster, &repository().join("config/crds"))?;
    let dir = plane.dir().join("controllers");
    let flags = StackFlags { notification: Some(Vec::new()), ..StackFlags::with_helm() };
    let stack = Stack::start(&programs()?, cluster, &dir, flags).await?;

    let examples = repository().join("examples");
    let git = GitServer::http()?;
    let app = git.create("git-app")?;
    app.commit_folder("main", &examples.join("git-app/repository"), "Say hello")?;
    let charts = ChartServer::http()?;
    charts.publish_folder(&examples.join("helm-app/charts/podinfo"), "5.2.1")?;
    cluster.kubectl(&["create", "namespace", GIT_APP])?;
    let mut channel = Channel::start()?;
    let told_of = [("Kustomization", GIT_APP), ("HelmRelease", HELM_APP)];
    cluster.apply(&channel.manifests(GIT_APP, &told_of))?;
    cluster.apply(&example(&examples.join("git-app/flux"), &git.repository_url("git-app"))?)?;
    cluster.apply(&example(&examples.join("helm-app/flux"), charts.url())?)?;

    let start = Instant::now();
    let ready = watch_until_ready(cluster).await;
    if let Err(reason) = ready {
        for namespace in [GIT_APP, HELM_APP] {
            let events = cluster.kubectl(&["-n", namespace, "get", "events"]);
            println!("{}", events.unwrap_or_default());
        }
        for log in stack.logs() {
            let text = std::fs::read_to_string(&log)?;
            let last: Vec<_> = text.lines().rev().take(10).collect();
            println!("--- {}", log.display());
            last.iter().rev().for_each(|line| println!("{line}"));
        }
        return Err(reason);
    }
    println!("\nall Ready {:.1} s after the manifests were applied", start.elapsed().as_secs_f32());
    channel.until_told("Helm install succeeded").await?;
    channel.show();
    if arguments.once {
        return Ok(());
    }
    print_how_to_play_on(cluster, &git);
    tokio::select! {
        end = keep_showing(cluster, &mut channel) => end?,
        signal = tokio::signal::ctrl_c() => signal?,
    }
    println!("\nstopping …");
    Ok(())
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

/// Goes on showing the table whenever it changes, and what the channel is told.
async fn keep_showing(cluster: &Cluster, channel: &mut Channel) -> Result<()> {
    let client = cluster.client().await?;
    let mut table = Table::default();
    loop {
        if channel.show() {
            // It is drawn below.
            table = Table::default();
        }
        table.show(&rows(&client).await?);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn rows(client: &kube::Client) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let shown = [
        (GIT_APP, git_repositories()),
        (GIT_APP, kustomizations()),
        (HELM_APP, helm_repositories()),
        (HELM_APP, helm_releases()),
    ];
    for (namespace, resource) in shown {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
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
    kubectl -n {GIT_APP} get gitrepository,kustomization,deployment,pod,service,configmap
    kubectl -n {HELM_APP} get helmrepository,helmchart,helmrelease,deployment,pod,service

change something and see it applied (the repository is looked at every 10 s):

    git clone {url} && cd git-app
    sed -i 's/hello from git/hello again/' base/config.yaml
    git commit -am 'Say hello again' && git push

edit an applied object, and see the edit undone:

    kubectl -n {GIT_APP} scale deployment hello --replicas=5

change the values of the Helm release, and see it upgraded at once:

    kubectl -n {HELM_APP} edit configmap podinfo-values

Ctrl-C stops everything and removes it.
",
        cluster.kubeconfig().display(),
        cluster.kubectl_path().display(),
    );
}
