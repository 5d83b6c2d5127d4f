//! The operator chart: linted, installed, upgraded and uninstalled by the real helm. Its controllers
//! run with the rendered command lines, as the chart's service accounts.

use crate::config_map;
use anyhow::{Context as _, Result, ensure};
use file_tree::{File, FileTree, TreePath};
use helm_render::{Capabilities, KubeVersion, Options, Release};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use system_tests::repository_root;
use testbed::{ChartServer, Cluster, ControlPlane, Controller, GitServer, eventually, free_port};
use testbed_programs::{Assets, Program};

const NAMESPACE: &str = "flux-system";

fn chart() -> PathBuf {
    repository_root().join("charts/ferroflux")
}

/// What the real helm prints.
fn helm(cluster: Option<&Cluster>, args: &[&str]) -> Result<String> {
    let mut command = Command::new(Assets::from_env().path(Program::Helm)?);
    command.args(args).env_remove("KUBECONFIG");
    if let Some(cluster) = cluster {
        command.env("KUBECONFIG", cluster.kubeconfig());
    }
    let output = command.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "helm {}: {stderr}", args.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// The files of a folder as a chart loader sees them.
fn tree(folder: &Path) -> FileTree {
    let mut builder = FileTree::builder();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = TreePath::parse(path.strip_prefix(folder).unwrap().to_str().unwrap());
            let bytes = std::fs::read(&path).unwrap().into();
            builder.file(&name.unwrap(), File { bytes, executable: false }).unwrap();
        }
    }
    builder.build()
}

#[test]
fn helm_and_our_renderer_print_the_same_bytes() {
    helm(None, &["lint", "--strict", chart().to_str().unwrap()]).unwrap();
    let chart_files = tree(&chart());
    let loaded = helm_chart::directory::load(&chart_files, &TreePath::ROOT).unwrap();
    let cases = [
        json!({}),
        json!({
            "crds": {"install": false}, "rbac": {"clusterAdmin": false, "aggregate": false},
            "tenancy": {"defaultServiceAccount": "flux", "crossNamespaceReferences": false},
            "pruning": {"guard": "full", "guardShare": 30},
            "networkPolicies": {"webhooks": [], "events": [{"podSelector": {}, "namespaceSelector": {}}]},
        }),
        json!({"controllers": {
            "helm": {"enabled": false},
            "source": {"storage": {"claim": "artifacts"}, "image": {"tag": "1.2.3"}},
            "kustomize": {"replicas": 2, "args": ["--concurrent=20"], "nodeSelector": {"a": "b"}},
            "notification": {"args": ["--feature-gates=ObjectLevelWorkloadIdentity=true"]},
        }}),
    ];
    for values in cases {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("values.yaml");
        std::fs::write(&file, values.to_string()).unwrap();
        let printed = helm(
            None,
            &[
                "template",
                "flux",
                chart().to_str().unwrap(),
                "--namespace",
                NAMESPACE,
                "--kube-version",
                "1.34.3",
                "--values",
                file.to_str().unwrap(),
            ],
        );
        let Value::Object(user) = values else { panic!("values are an object") };
        assert_eq!(rendered(&loaded, &user), printed.unwrap());
    }
    let path = chart();
    let typing_error =
        ["template", "x", path.to_str().unwrap(), "--set", "controllers.helm.replica=2"];
    let refused = helm(None, &typing_error).unwrap_err().to_string();
    assert!(refused.contains("additional properties 'replica' not allowed"), "{refused}");
}

fn rendered(chart: &helm_chart::Chart, user: &Map<String, Value>) -> String {
    let release = Release {
        name: "flux".to_owned(),
        namespace: NAMESPACE.to_owned(),
        is_upgrade: false,
        revision: 1,
    };
    let mut capabilities = Capabilities::without_cluster();
    capabilities.kube_version = KubeVersion::parse("1.34.3").unwrap();
    let host = helm_functions::Helm::new(jiff::Timestamp::now(), helm_functions::SystemEntropy);
    let rendered =
        helm_render::render(chart, user, &release, &capabilities, host, &Options::default());
    helm_render::template_output(&rendered.unwrap())
}

/// Runs a rendered Deployment: its arguments, its service account. Only what a pod brings is replaced,
/// which is the volume and the name of the Service.
fn run(deployment: &Value, cluster: &Cluster, dir: &Path) -> Result<Controller> {
    let name = deployment["metadata"]["name"].as_str().context("a Deployment without a name")?;
    let pod = &deployment["spec"]["template"]["spec"];
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut flags = vec![
        format!("--health-addr=127.0.0.1:{}", free_port()?),
        format!("--metrics-addr=127.0.0.1:{}", free_port()?),
    ];
    for arg in pod["containers"][0]["args"].as_array().into_iter().flatten() {
        let arg = arg.as_str().context("an argument that is no text")?;
        match arg.split_once('=') {
            Some(("--storage-path", _)) => flags.push(format!("--storage-path={}", dir.display())),
            Some(("--storage-adv-addr", _)) => {
                flags.push(format!("--storage-addr={address}"));
                flags.push(format!("--storage-adv-addr={address}"));
            }
            _ => flags.push(arg.to_owned()),
        }
    }
    if name == "notification-controller" {
        flags.push(format!("--events-addr=127.0.0.1:{}", free_port()?));
        flags.push(format!("--receiverAddr=127.0.0.1:{}", free_port()?));
    }
    let account = pod["serviceAccountName"].as_str().context("no service account")?;
    let cluster = cluster.as_service_account(NAMESPACE, account, dir)?;
    Controller::start(name, &Controller::binary(name)?, &flags, &cluster, dir)
}

/// Runs it until it works. Somebody may take a port that was free just before: then it ends at once,
/// and is started anew.
async fn run_ready(deployment: &Value, cluster: &Cluster, dir: &Path) -> Result<Controller> {
    // What a controller says when it has all its ports.
    let works = match deployment["metadata"]["name"].as_str() {
        Some("source-controller") => "serving artifacts",
        _ => "became leader",
    };
    for _ in 0..5 {
        let mut controller = run(deployment, cluster, dir)?;
        let ended = eventually(Duration::from_secs(30), || {
            let ended = controller.process().exit_status().is_some();
            let works = controller.process().log().contains(works);
            async move {
                ensure!(ended || works, "it does not work yet");
                Ok(ended)
            }
        });
        if !ended.await? {
            return Ok(controller);
        }
    }
    anyhow::bail!("it ends each time it is started")
}

/// The installed chart, with its controllers running.
struct Operator {
    plane: ControlPlane,
    dir: tempfile::TempDir,
    running: Vec<Controller>,
    git: GitServer,
    charts: ChartServer,
}

impl Operator {
    async fn install(values: &[&str]) -> Self {
        let plane = ControlPlane::start(testbed::Options::default()).unwrap();
        let cluster = plane.cluster();
        let dir = tempfile::tempdir().unwrap();
        let path = chart();
        let args = ["install", "flux", path.to_str().unwrap(), "--namespace", NAMESPACE];
        let args = [&args[..], &["--create-namespace"], values].concat();
        helm(Some(cluster), &args).unwrap();
        let wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
        cluster.kubectl(&wait).unwrap();
        let list = ["get", "deployments", "--namespace", NAMESPACE, "--output=json"];
        let deployments: Value = serde_json::from_str(&cluster.kubectl(&list).unwrap()).unwrap();
        let deployments = deployments["items"].as_array().unwrap();
        let names: Vec<_> = deployments.iter().map(|d| d["metadata"]["name"].as_str()).collect();
        let controllers = [
            "helm-controller",
            "kustomize-controller",
            "notification-controller",
            "source-controller",
        ];
        assert_eq!(names, controllers.map(Some));
        let mut running = Vec::new();
        for deployment in deployments {
            running.push(run_ready(deployment, cluster, dir.path()).await.unwrap());
        }
        let git = GitServer::http().unwrap();
        let repository = git.create("app").unwrap();
        repository.commit("main", &[("app.yaml", Some(&config_map("app", "1")))], "first").unwrap();
        let charts = ChartServer::http().unwrap();
        let chart_of_app = repository_root().join("examples/helm-app/charts/podinfo");
        charts.publish_folder(&chart_of_app, "5.2.1").unwrap();
        Self { plane, dir, running, git, charts }
    }

    fn cluster(&self) -> &Cluster {
        self.plane.cluster()
    }

    fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.cluster().kubectl(args)
    }

    /// Applies an app and a release that act as `account`, or as their controllers if it is empty.
    fn apply(&self, account: &str) {
        let objects = objects(&self.git.repository_url("app"), self.charts.url(), account);
        self.cluster().apply(&objects).unwrap();
    }

    /// Applies the app, then installs, upgrades and uninstalls the release: each needs rights.
    async fn live(&self) {
        self.until_ready("kustomization/app").await;
        let value = self.kubectl(&["get", "configmap", "app", "--output=jsonpath={.data.key}"]);
        assert_eq!(value.unwrap(), "1");
        self.until_ready("helmrelease/podinfo").await;
        let replicas = r#"{"spec":{"values":{"replicaCount":2}}}"#;
        self.kubectl(&["patch", "helmrelease/podinfo", "--type=merge", "-p", replicas]).unwrap();
        let upgraded = eventually(Duration::from_mins(1), || {
            let count = ["get", "deployment", "podinfo", "--output=jsonpath={.spec.replicas}"];
            let count = self.kubectl(&count);
            async move {
                ensure!(count? == "2", "not upgraded yet");
                Ok(())
            }
        });
        upgraded.await.with_context(|| self.logs()).unwrap();
        let delete = ["delete", "helmrelease/podinfo", "--timeout=60s"];
        self.kubectl(&delete).with_context(|| self.logs()).unwrap();
        let left = self.kubectl(&["get", "deployment", "podinfo"]);
        assert!(left.is_err(), "it is not uninstalled");
        assert!(!self.logs().contains("forbidden"), "a right is missing:\n{}", self.logs());
    }

    async fn until_ready(&self, object: &str) {
        let ready = eventually(Duration::from_mins(2), || {
            let wait = ["wait", "--for=condition=Ready", object, "--timeout=5s"];
            let answer = self.kubectl(&wait);
            async move { answer.map(drop) }
        });
        ready.await.with_context(|| self.logs()).unwrap();
    }

    fn logs(&self) -> String {
        let log = |controller: &Controller| std::fs::read_to_string(controller.log_path());
        self.running.iter().map(|controller| log(controller).unwrap_or_default()).collect()
    }

    /// Whether a controller may do something in the namespace of the app.
    fn may(&self, controller: &str, action: &[&str]) -> bool {
        let user = format!("system:serviceaccount:{NAMESPACE}:{controller}");
        let asked = [&["auth", "can-i", "--as", &user, "--namespace", "default"], action].concat();
        self.kubectl(&asked).is_ok()
    }

    fn stop(self) {
        for controller in self.running {
            controller.stop().unwrap();
        }
        drop(self.dir);
    }
}

#[tokio::test]
async fn the_chart_installs_what_its_service_accounts_can_run() {
    let operator = Operator::install(&[]).await;
    operator.apply("");
    operator.live().await;

    let path = chart();
    let release = ["flux", path.to_str().unwrap(), "--namespace", NAMESPACE];
    let tokens = ["create", "serviceaccounts", "--subresource=token"];
    assert!(!operator.may("notification-controller", &tokens));
    let identities =
        "controllers.notification.args={--feature-gates=ObjectLevelWorkloadIdentity=true}";
    let more = [
        "--set",
        "controllers.kustomize.replicas=2",
        "--set",
        "controllers.helm.enabled=false",
        "--set",
        identities,
    ];
    let cluster = operator.cluster();
    helm(Some(cluster), &[&["upgrade"][..], &release, &more].concat()).unwrap();
    assert!(operator.may("notification-controller", &tokens));
    let left = cluster.kubectl(&["get", "deployments", "--namespace", NAMESPACE, "--output=name"]);
    assert!(!left.unwrap().contains("helm-controller"));
    helm(Some(cluster), &["uninstall", "flux", "--namespace", NAMESPACE]).unwrap();
    cluster.kubectl(&["get", "kustomization", "app"]).expect("definitions and objects stay");
    operator.stop();
}

#[tokio::test]
async fn without_cluster_admin_the_rights_of_tenants_are_all_there_is() {
    let values = ["--set", "rbac.clusterAdmin=false"];
    let operator = Operator::install(&values).await;
    let binding = ["create", "rolebinding", "tenant", "--clusterrole=cluster-admin"];
    operator.kubectl(&["create", "serviceaccount", "tenant"]).unwrap();
    operator.kubectl(&[&binding[..], &["--serviceaccount=default:tenant"]].concat()).unwrap();
    operator.apply("tenant");
    operator.live().await;

    for (controller, action, may) in [
        ("kustomize-controller", &["impersonate", "serviceaccounts"][..], true),
        ("kustomize-controller", &["impersonate", "users"], false),
        ("kustomize-controller", &["impersonate", "groups"], false),
        ("kustomize-controller", &["create", "configmaps"], false),
        ("kustomize-controller", &["delete", "kustomizations"], false),
        ("kustomize-controller", &["patch", "gitrepositories"], false),
        ("helm-controller", &["create", "secrets"], false),
        ("helm-controller", &["create", "helmcharts"], true),
        ("helm-controller", &["impersonate", "users"], false),
        ("source-controller", &["get", "configmaps"], false),
        ("source-controller", &["impersonate", "serviceaccounts"], false),
        ("source-controller", &["create", "serviceaccounts", "--subresource=token"], false),
    ] {
        assert_eq!(operator.may(controller, action), may, "{controller} {action:?}");
    }

    // Who names no account has the controllers' rights, which are none.
    operator.apply("");
    for (object, controller) in
        [("kustomization/app", "kustomize-controller"), ("helmrelease/podinfo", "helm-controller")]
    {
        let user = format!("system:serviceaccount:{NAMESPACE}:{controller}");
        let refused = eventually(Duration::from_mins(1), || {
            let path = r#"--output=jsonpath={.status.conditions[?(@.type=="Ready")].message}"#;
            let message = operator.kubectl(&["get", object, path]);
            let user = &user;
            async move {
                let message = message?;
                ensure!(message.contains("forbidden") && message.contains(user), "{message}");
                Ok(())
            }
        });
        refused.await.unwrap();
    }
    operator.stop();
}

/// An app and a release that act as `account`, or as their controllers if it is empty.
fn objects(git_url: &str, charts_url: &str, account: &str) -> String {
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "app", "namespace": "default"},
        "spec": {"url": git_url, "interval": "1m", "ref": {"branch": "main"}},
    });
    let mut app = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "app", "namespace": "default"},
        "spec": {"interval": "1m", "prune": true, "path": "./", "targetNamespace": "default",
            "sourceRef": {"kind": "GitRepository", "name": "app"}},
    });
    let charts = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": "default"},
        "spec": {"url": charts_url, "interval": "1m"},
    });
    let mut release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "podinfo", "namespace": "default"},
        "spec": {"interval": "1m", "values": {"nodeName": "lab-node"}, "chart": {"spec": {
            "chart": "podinfo", "sourceRef": {"kind": "HelmRepository", "name": "charts"},
        }}},
    });
    if !account.is_empty() {
        for object in [&mut app, &mut release] {
            object["spec"]["serviceAccountName"] = json!(account);
        }
    }
    [source, app, charts, release].map(|object| format!("{object}\n---\n")).concat()
}
