//! How tests reach an API server.

use crate::certificates::Ca;
use crate::control_plane::kubeconfig;
use crate::namespace::Namespace;
use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use testbed_programs::{Assets, Program};

/// An API server that tests may use: an administrator's kubeconfig and a kubectl.
#[derive(Clone, Debug)]
pub struct Cluster {
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    authority: Option<Arc<Ca>>,
}

impl Cluster {
    /// The cluster of `kubeconfig`.
    ///
    /// # Errors
    /// If there is no kubectl, neither among the test bed's programs nor on the PATH.
    pub fn new(kubeconfig: &Path, assets: &Assets) -> Result<Self> {
        let kubectl = assets.path(Program::Kubectl).or_else(|missing| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let mut candidates = std::env::split_paths(&path).map(|dir| dir.join("kubectl"));
            candidates.find(|path| path.is_file()).ok_or(missing)
        })?;
        Ok(Self { kubeconfig: kubeconfig.to_path_buf(), kubectl, authority: None })
    }

    /// The cluster that `USE_EXISTING_CLUSTER=true` asks for, as the ecosystem's envtest does:
    /// the one of `KUBECONFIG`, or of `~/.kube/config`.
    ///
    /// # Errors
    /// If it is asked for, but there is no such file.
    pub fn existing() -> Result<Option<Self>> {
        if !std::env::var("USE_EXISTING_CLUSTER").is_ok_and(|v| v.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let kubeconfig = std::env::var_os("KUBECONFIG")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config")));
        match kubeconfig.filter(|path| path.is_file()) {
            Some(path) => Self::new(&path, &Assets::from_env()).map(Some),
            None => bail!("USE_EXISTING_CLUSTER=true, but KUBECONFIG names no file"),
        }
    }

    /// The same cluster, which can make up users because it trusts `ca`.
    pub(crate) fn trusting(mut self, ca: Ca) -> Self {
        self.authority = Some(Arc::new(ca));
        self
    }

    /// The same cluster as another administrator, by whose name the audit log knows the requests.
    /// On an existing cluster there is only one, who is returned.
    ///
    /// # Errors
    /// If the kubeconfig, which stands beside the first one, cannot be written.
    pub fn as_user(&self, name: &str) -> Result<Self> {
        let Some(ca) = &self.authority else { return Ok(self.clone()) };
        let certificate = ca.client(name, &["system:masters"])?;
        let text = std::fs::read_to_string(&self.kubeconfig)?;
        let kubeconfig = self.kubeconfig.with_file_name(format!("{name}.kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig::with_user(&text, &certificate)?)?;
        Ok(Self { kubeconfig, ..self.clone() })
    }

    /// The same cluster as a service account, with its rights and no more.
    ///
    /// # Errors
    /// If the account does not exist, or the kubeconfig, which goes into `dir`, cannot be written.
    pub fn as_service_account(&self, namespace: &str, name: &str, dir: &Path) -> Result<Self> {
        let token = self.kubectl(&["create", "token", name, "--namespace", namespace])?;
        let text = self.kubectl(&["config", "view", "--raw", "--minify", "--output=json"])?;
        let kubeconfig = dir.join(format!("{namespace}-{name}.kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig::with_token(&text, token.trim())?)?;
        Ok(Self { kubeconfig, authority: None, ..self.clone() })
    }

    /// The same cluster behind `url`. The kubeconfig is written to `path`.
    pub(crate) fn behind(&self, url: &str, path: &Path) -> Result<Self> {
        let text = self.kubectl(&["config", "view", "--raw", "--minify", "--output=json"])?;
        std::fs::write(path, kubeconfig::with_server(&text, url)?)?;
        Ok(Self { kubeconfig: path.to_path_buf(), authority: None, ..self.clone() })
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The path of kubectl.
    pub fn kubectl_path(&self) -> &Path {
        &self.kubectl
    }

    /// A new client. It belongs to the runtime that calls this, so each test makes its own.
    ///
    /// # Errors
    /// If the kubeconfig cannot be read.
    pub async fn client(&self) -> Result<kube::Client> {
        crate::certificates::use_one_tls_backend();
        let kubeconfig = kube::config::Kubeconfig::read_from(&self.kubeconfig)?;
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        Ok(kube::Client::try_from(config)?)
    }

    /// A new client that can be cut off at one of its writes.
    ///
    /// # Errors
    /// If the kubeconfig cannot be read.
    pub async fn interruptible_client(&self, by: &crate::Interruption) -> Result<kube::Client> {
        crate::certificates::use_one_tls_backend();
        let kubeconfig = kube::config::Kubeconfig::read_from(&self.kubeconfig)?;
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        Ok(kube::client::ClientBuilder::try_from(config)?.with_layer(by).build())
    }

    /// Runs kubectl and returns what it printed.
    ///
    /// # Errors
    /// If it fails; the message holds its standard error.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.kubectl_with_input(args, "")
    }

    /// As [`Self::kubectl`], with `input` for `-f -`.
    ///
    /// # Errors
    /// If it fails; the message holds its standard error.
    pub fn kubectl_with_input(&self, args: &[&str], input: &str) -> Result<String> {
        let mut child = Command::new(&self.kubectl)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.kubectl.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // kubectl reads its input whole before it prints, so this cannot block both ways.
            // A closed pipe shows in its exit status.
            drop(stdin.write_all(input.as_bytes()));
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("kubectl {}: {}", args.join(" "), stderr.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Applies manifests as a user does: `kubectl apply --server-side -f -`.
    ///
    /// # Errors
    /// If the API server refuses one of them.
    pub fn apply(&self, manifests: &str) -> Result<String> {
        self.kubectl_with_input(&["apply", "--server-side", "-f", "-"], manifests)
    }

    /// Creates a namespace that no other test uses.
    ///
    /// # Errors
    /// If the API server refuses it.
    pub fn namespace(&self, prefix: &str) -> Result<Namespace> {
        Namespace::create(self, prefix)
    }
}
