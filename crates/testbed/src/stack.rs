//! The controllers as a set, wired to each other.

use crate::{Cluster, Controller, eventually, free_port};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Flags besides those that wire the controllers to the test bed.
#[derive(Clone, Debug, Default)]
pub struct StackFlags {
    /// For source-controller.
    pub source: Vec<String>,
    /// For kustomize-controller.
    pub kustomize: Vec<String>,
    /// For helm-controller; none does not start it.
    pub helm: Option<Vec<String>>,
    /// For notification-controller, to which the others then post their events; none does not start
    /// it.
    pub notification: Option<Vec<String>>,
}

impl StackFlags {
    /// All controllers, without further flags.
    pub fn with_helm() -> Self {
        Self { helm: Some(Vec::new()), ..Self::default() }
    }
}

/// A source-controller and a kustomize-controller, and a helm-controller if it is wanted, that run
/// against one cluster.
#[derive(Debug)]
pub struct Stack {
    programs: PathBuf,
    cluster: Cluster,
    dir: PathBuf,
    flags: StackFlags,
    storage_port: u16,
    /// Where a notification-controller takes events and webhooks.
    event_port: u16,
    webhook_port: u16,
    /// Where each controller tells its metrics.
    metrics: BTreeMap<String, String>,
    // `None` only between a stop and the following start.
    source: Option<Controller>,
    kustomize: Option<Controller>,
    helm: Option<Controller>,
    notification: Option<Controller>,
}

impl Stack {
    /// Starts the programs of the folder `programs` and waits until they are ready. Logs and the
    /// artifact storage are put into `dir`.
    ///
    /// # Errors
    /// If one is missing or does not become ready.
    pub async fn start(
        programs: &Path,
        cluster: &Cluster,
        dir: &Path,
        flags: StackFlags,
    ) -> Result<Self> {
        std::fs::create_dir_all(dir.join("artifacts"))?;
        let mut stack = Self {
            programs: programs.to_path_buf(),
            cluster: cluster.clone(),
            dir: dir.to_path_buf(),
            flags,
            storage_port: free_port()?,
            event_port: free_port()?,
            webhook_port: free_port()?,
            metrics: BTreeMap::new(),
            source: None,
            kustomize: None,
            helm: None,
            notification: None,
        };
        stack.start_notification().await?;
        stack.start_source().await?;
        stack.start_kustomize().await?;
        stack.start_helm().await?;
        Ok(stack)
    }

    /// Installs the custom resources of the folder `crds`, as a user does.
    ///
    /// # Errors
    /// If the API server refuses one or does not establish it.
    pub fn install_crds(cluster: &Cluster, crds: &Path) -> Result<()> {
        let folder = crds.display().to_string();
        cluster.kubectl(&["apply", "--server-side", "-f", &folder])?;
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "-f", &folder];
        cluster.kubectl(&wait).map(drop)
    }

    /// The running source-controller.
    pub fn source(&self) -> Option<&Controller> {
        self.source.as_ref()
    }

    /// The running kustomize-controller.
    pub fn kustomize(&self) -> Option<&Controller> {
        self.kustomize.as_ref()
    }

    /// The running helm-controller.
    pub fn helm(&self) -> Option<&Controller> {
        self.helm.as_ref()
    }

    /// The running notification-controller.
    pub fn notification(&self) -> Option<&Controller> {
        self.notification.as_ref()
    }

    /// Where a running notification-controller takes webhooks, without a path.
    pub fn webhooks(&self) -> String {
        format!("http://127.0.0.1:{}", self.webhook_port)
    }

    /// Where a running notification-controller takes events.
    pub fn events(&self) -> String {
        format!("http://127.0.0.1:{}/", self.event_port)
    }

    /// All controllers that run.
    pub fn controllers(&self) -> impl Iterator<Item = &Controller> {
        [&self.source, &self.kustomize, &self.helm, &self.notification].into_iter().flatten()
    }

    /// Where they tell their metrics.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.metrics.values().map(String::as_str)
    }

    /// The logs of all.
    pub fn logs(&self) -> Vec<PathBuf> {
        self.controllers().map(|c| c.log_path().to_path_buf()).collect()
    }

    /// Ends source-controller without warning and starts it again on the same storage and address.
    ///
    /// # Errors
    /// If it does not become ready again.
    pub async fn kill_and_restart_source(&mut self) -> Result<()> {
        if let Some(old) = self.source.take() {
            old.kill()?;
        }
        self.start_source().await
    }

    /// Ends kustomize-controller without warning and starts it again.
    ///
    /// # Errors
    /// If it does not become ready again.
    pub async fn kill_and_restart_kustomize(&mut self) -> Result<()> {
        if let Some(old) = self.kustomize.take() {
            old.kill()?;
        }
        self.start_kustomize().await
    }

    async fn start_source(&mut self) -> Result<()> {
        let address = format!("127.0.0.1:{}", self.storage_port);
        let mut flags = vec![
            format!("--storage-path={}", self.dir.join("artifacts").display()),
            format!("--storage-addr={address}"),
            format!("--storage-adv-addr={address}"),
        ];
        flags.extend(self.flags.source.iter().cloned());
        self.source = Some(self.start_one("source-controller", flags).await?);
        Ok(())
    }

    async fn start_kustomize(&mut self) -> Result<()> {
        let flags = self.flags.kustomize.clone();
        self.kustomize = Some(self.start_one("kustomize-controller", flags).await?);
        Ok(())
    }

    async fn start_helm(&mut self) -> Result<()> {
        if let Some(flags) = self.flags.helm.clone() {
            self.helm = Some(self.start_one("helm-controller", flags).await?);
        }
        Ok(())
    }

    async fn start_notification(&mut self) -> Result<()> {
        if let Some(mut flags) = self.flags.notification.clone() {
            flags.push(format!("--events-addr=127.0.0.1:{}", self.event_port));
            flags.push(format!("--receiverAddr=127.0.0.1:{}", self.webhook_port));
            self.notification = Some(self.start_one("notification-controller", flags).await?);
        }
        Ok(())
    }

    async fn start_one(&mut self, name: &str, mut flags: Vec<String>) -> Result<Controller> {
        let health = free_port()?;
        if !flags.iter().any(|flag| flag.starts_with("--events-addr=")) {
            let receiver = self.flags.notification.as_ref().map(|_| self.events());
            flags.push(format!("--events-addr={}", receiver.unwrap_or_default()));
        }
        flags.push(format!("--health-addr=127.0.0.1:{health}"));
        let metrics = format!("127.0.0.1:{}", free_port()?);
        flags.push(format!("--metrics-addr={metrics}"));
        self.metrics.insert(name.to_owned(), format!("http://{metrics}/metrics"));
        let cluster = self.cluster.as_user(name)?;
        let binary = self.programs.join(name);
        let mut controller = Controller::start(name, &binary, &flags, &cluster, &self.dir)?;
        let mut ended = None;
        let ready = eventually(Duration::from_secs(30), || {
            ended = ended.or_else(|| controller.process().exit_status());
            async move {
                match ended {
                    // Asking on would only delay the bad news.
                    Some(status) => Ok(Some(status)),
                    None => is_ready(health).await.map(|()| None),
                }
            }
        })
        .await;
        let log = controller.process().log();
        let tail = || {
            let lines: Vec<_> = log.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        };
        let ended = ready.with_context(|| format!("{name} is not ready:\n{}", tail()))?;
        ensure!(ended.is_none(), "{name} ended at once:\n{}", tail());
        Ok(controller)
    }
}

/// `GET /readyz`, by hand: an HTTP client would be a big dependency for one line.
async fn is_ready(port: u16) -> Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200"), "/readyz answers `{status}`");
    Ok(())
}
