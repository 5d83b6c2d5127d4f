//! A Kubernetes control plane on the loopback.

use crate::certificates::Ca;
use crate::process::ScratchDir;
use crate::{Cluster, Process, free_port};
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use testbed_programs::{Assets, Program};

pub(crate) mod kubeconfig;

/// What a control plane should have besides the usual.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Write an audit log at level `Metadata`, to count requests ([`crate::ApiRequests`]).
    pub audit: bool,
    /// Start kwok and create the node `lab-node`, so that pods on it become Ready.
    pub kwok: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { audit: false, kwok: true }
    }
}

/// etcd, kube-apiserver (RBAC, stock admission), kube-controller-manager and kwok, on free ports of
/// the loopback, with their data in a temporary directory. Ready about 5 s after its start.
///
/// There is no scheduler: a pod runs (that is, kwok says so) if it names `lab-node` itself.
#[derive(Debug)]
pub struct ControlPlane {
    cluster: Cluster,
    // Dropped from top to bottom: clients first, etcd last, then the directory.
    processes: Vec<Process>,
    /// Starts the API server anew, on its old port.
    api_server: Command,
    dir: ScratchDir,
}

/// Ports are found free and then used, so somebody else can be faster; a new start finds new ones.
const ATTEMPTS: usize = 3;
const START_TIMEOUT: Duration = Duration::from_secs(90);
const API_SERVER: &str = "kube-apiserver";

/// The controllers that a user meets. Nodes, volumes and clouds are left out: nothing here
/// has them, and each controller costs the machine.
const CONTROLLERS: &[&str] = &[
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "clusterrole-aggregation-controller",
    "resourcequota-controller",
    "disruption-controller",
    "horizontal-pod-autoscaler-controller",
    "ttl-after-finished-controller",
];

impl ControlPlane {
    /// Starts one and waits until it answers. Blocks the calling thread.
    ///
    /// # Errors
    /// If a program is missing (`cargo xtask setup` builds them) or does not come up.
    pub fn start(options: Options) -> Result<Self> {
        let assets = Assets::from_env();
        let mut attempt = 1;
        loop {
            match Self::try_start(&assets, options) {
                Ok(plane) => return Ok(plane),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(error) if error.is::<testbed_programs::MissingAsset>() => {
                    return Err(error);
                }
                Err(_) => attempt += 1,
            }
        }
    }

    fn try_start(assets: &Assets, options: Options) -> Result<Self> {
        for program in Program::CONTROL_PLANE {
            assets.path(program)?;
        }
        let dir = ScratchDir::new("ferroflux-control-plane-")?;
        let root = dir.path();
        let ca = Ca::new("testbed")?;
        let api_port = free_port()?;
        let server = format!("https://127.0.0.1:{api_port}");
        write_pki(root, &ca)?;
        let admin = ca.client("admin", &["system:masters"])?;
        let kubeconfig = root.join("kubeconfig");
        fs::write(&kubeconfig, kubeconfig::text(&server, &ca, &admin))?;
        let manager = ca.client("system:kube-controller-manager", &[])?;
        fs::write(root.join("manager.kubeconfig"), kubeconfig::text(&server, &ca, &manager))?;

        let etcd_url = format!("http://127.0.0.1:{}", free_port()?);
        let mut etcd = Command::new(assets.path(Program::Etcd)?);
        etcd.args(etcd_flags(root, &etcd_url, free_port()?));
        let mut api = Command::new(assets.path(Program::KubeApiserver)?);
        api.args(apiserver_flags(root, &etcd_url, api_port, options.audit)?);
        let mut processes =
            vec![Process::start("etcd", &etcd, root)?, Process::start(API_SERVER, &api, root)?];
        let cluster = Cluster::new(&kubeconfig, assets)?;
        wait_ready(&cluster, &mut processes)?;

        let mut manager = Command::new(assets.path(Program::KubeControllerManager)?);
        manager.args(manager_flags(root));
        processes.push(Process::start("kube-controller-manager", &manager, root)?);
        if options.kwok {
            // Its own configuration would be read from the home directory otherwise.
            let config = root.join("kwok.yaml");
            fs::write(&config, "")?;
            let mut kwok = Command::new(assets.path(Program::Kwok)?);
            kwok.arg("--kubeconfig").arg(&kubeconfig).arg("--config").arg(&config).args([
                "--manage-all-nodes=true",
                "--node-lease-duration-seconds=0",
                "--server-address=",
            ]);
            processes.push(Process::start("kwok", &kwok, root)?);
            cluster.kubectl_with_input(&["create", "-f", "-"], &lab_node().to_string())?;
        }
        processes.reverse();
        let plane = Self { cluster: cluster.trusting(ca), processes, api_server: api, dir };
        plane.wait_for_controllers()?;
        Ok(plane)
    }

    /// How to reach it.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Its directory: kubeconfig, logs, data. Removed when it is dropped.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The audit log, if it was asked for.
    pub fn audit_log(&self) -> PathBuf {
        self.dir.path().join("audit.log")
    }

    /// Its programs.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Ends the API server as `kill -9` does, does something, starts it again and waits until it
    /// answers. etcd keeps what it has been told. Blocks the calling thread.
    ///
    /// # Errors
    /// If it does not come up again.
    pub fn kill_and_restart_api_server(&mut self, between: impl FnOnce()) -> Result<()> {
        let at = self.processes.iter().position(|process| process.name() == API_SERVER);
        let at = at.context("there is no API server")?;
        self.processes.remove(at).kill()?;
        between();
        let again = Process::start(API_SERVER, &self.api_server, self.dir.path())?;
        self.processes.insert(at, again);
        wait_ready(&self.cluster, &mut self.processes)
    }

    /// A namespace without its service account refuses pods, so nothing works before this does.
    fn wait_for_controllers(&self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match self.cluster.kubectl(&["-n", "default", "get", "serviceaccount", "default"]) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context("the controller manager does not work"));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

/// Asks `/readyz` until the API server says yes.
fn wait_ready(cluster: &Cluster, processes: &mut [Process]) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let Err(last) = cluster.kubectl(&["get", "--raw", "/readyz"]) else { return Ok(()) };
        for process in processes.iter_mut() {
            if let Some(status) = process.exit_status() {
                let log = process.log();
                let tail: Vec<_> = log.lines().rev().take(15).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                bail!("{} ended ({status}):\n{}", process.name(), tail.join("\n"));
            }
        }
        if Instant::now() > deadline {
            return Err(last.context("the API server is not ready"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn write_pki(root: &Path, ca: &Ca) -> Result<()> {
    fs::write(root.join("ca.crt"), ca.certificate_pem())?;
    let serving = ca.server(&["localhost", "127.0.0.1", "kubernetes.default.svc", "10.0.0.1"])?;
    fs::write(root.join("apiserver.crt"), &serving.certificate_pem)?;
    fs::write(root.join("apiserver.key"), &serving.key_pem)?;
    // Signs the tokens of service accounts; the certificate only carries the public key.
    let tokens = ca.client("service-accounts", &[])?;
    fs::write(root.join("service-accounts.key"), &tokens.key_pem)?;
    fs::write(root.join("service-accounts.crt"), &tokens.certificate_pem)?;
    Ok(())
}

fn etcd_flags(root: &Path, client_url: &str, peer_port: u16) -> Vec<String> {
    let peer = format!("http://127.0.0.1:{peer_port}");
    vec![
        format!("--data-dir={}", root.join("etcd").display()),
        format!("--listen-client-urls={client_url}"),
        format!("--advertise-client-urls={client_url}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--log-level=warn".to_owned(),
        // The data is thrown away in any case, and fsync is most of the time of a write.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn apiserver_flags(root: &Path, etcd: &str, port: u16, audit: bool) -> Result<Vec<String>> {
    let file = |name: &str| root.join(name).display().to_string();
    let mut flags = vec![
        format!("--etcd-servers={etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // The Service `kubernetes` cannot point at the loopback, and nobody here uses it.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("apiserver.crt")),
        format!("--tls-private-key-file={}", file("apiserver.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file("service-accounts.crt")),
        format!("--service-account-signing-key-file={}", file("service-accounts.key")),
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ];
    if audit {
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": [{"level": "Metadata"}],
        });
        fs::write(root.join("audit-policy.json"), policy.to_string())?;
        flags.push(format!("--audit-policy-file={}", file("audit-policy.json")));
        flags.push(format!("--audit-log-path={}", file("audit.log")));
        flags.push("--audit-log-mode=blocking".to_owned());
    }
    Ok(flags)
}

fn manager_flags(root: &Path) -> Vec<String> {
    let file = |name: &str| root.join(name).display().to_string();
    vec![
        format!("--kubeconfig={}", file("manager.kubeconfig")),
        format!("--root-ca-file={}", file("ca.crt")),
        format!("--service-account-private-key-file={}", file("service-accounts.key")),
        format!("--controllers={}", CONTROLLERS.join(",")),
        "--use-service-account-credentials=true".to_owned(),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        // The defaults protect big clusters; tests wait for these controllers.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ]
}

fn lab_node() -> serde_json::Value {
    let room = json!({"cpu": "64", "memory": "256Gi", "pods": "500"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "lab-node", "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"allocatable": room, "capacity": room},
    })
}
