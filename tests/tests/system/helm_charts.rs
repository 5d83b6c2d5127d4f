//! Charts from everywhere they may come from: packaged, indexed and pushed by the real Helm.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::{Access, Ca, ChartServer, Process, eventually, free_port};
use testbed_programs::{Assets, Program};

const SOURCES: &str = "source.toolkit.fluxcd.io/v1";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Chart.Name \
                      }}\ndata:\n  colour: {{ .Values.colour }}\n";

/// A folder that the real Helm works in.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Self {
        let workshop = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(workshop.packed()).unwrap();
        workshop
    }

    fn helm(&self, args: &[&str]) -> anyhow::Result<String> {
        let home = self.0.path().join("home");
        let output = Command::new(Assets::from_env().path(Program::Helm)?)
            .args(args)
            .current_dir(self.0.path())
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "helm {args:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn packed(&self) -> PathBuf {
        self.0.path().join("packed")
    }

    /// Packages the chart `app`, and returns where the archive is.
    fn package(&self, version: &str) -> PathBuf {
        let chart = self.0.path().join("app");
        for (path, text) in chart_files("app", version, "") {
            write(&chart.join(path), &text);
        }
        self.helm(&["package", "app", "--destination", "packed"]).unwrap();
        self.packed().join(format!("app-{version}.tgz"))
    }

    /// Indexes what is packaged, and lets `server` serve it.
    fn publish(&self, server: &ChartServer) {
        self.helm(&["repo", "index", "packed"]).unwrap();
        for entry in std::fs::read_dir(self.packed()).unwrap() {
            let entry = entry.unwrap();
            let path = format!("/{}", entry.file_name().to_str().unwrap());
            server.put(&path, std::fs::read(entry.path()).unwrap());
        }
    }

    /// The digest of a version, as Helm has put it into the index.
    fn digest(&self, version: &str) -> String {
        let index = std::fs::read_to_string(self.packed().join("index.yaml")).unwrap();
        let entries = index.split("- apiVersion:");
        let of_version = |entry: &&str| entry.contains(&format!("version: {version}\n"));
        let entry = entries.filter(|entry| entry.contains("digest: ")).find(of_version).unwrap();
        let digest = entry.split("digest: ").nth(1).unwrap().lines().next().unwrap();
        format!("sha256:{digest}")
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn chart_files(name: &str, version: &str, more: &str) -> [(String, String); 3] {
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n{more}");
    [
        ("Chart.yaml".to_owned(), about),
        ("values.yaml".to_owned(), "colour: blue\n".to_owned()),
        ("templates/config.yaml".to_owned(), CONFIG.to_owned()),
    ]
}

fn apply(scene: &Scene, kind: &str, spec: &Value) {
    let object = json!({
        "apiVersion": SOURCES, "kind": kind, "metadata": {"name": "app"}, "spec": spec,
    });
    scene.namespace().apply(&object.to_string()).unwrap();
}

fn apply_secret(scene: &Scene, name: &str, data: &Value) {
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data,
    });
    scene.namespace().apply(&object.to_string()).unwrap();
}

fn apply_chart(scene: &Scene, version: &str) {
    let source = json!({"kind": "HelmRepository", "name": "app"});
    let spec = json!({"interval": "1h", "chart": "app", "version": version, "sourceRef": source});
    apply(scene, "HelmChart", &spec);
}

async fn artifact(scene: &Scene) -> Value {
    scene.get(Kind::HelmChart, "app").await.unwrap()["status"]["artifact"].clone()
}

#[tokio::test]
async fn a_repository_with_login_and_own_authority_is_read() {
    let scene = Scene::new("chart-login").await.unwrap();
    let workshop = Workshop::new();
    workshop.package("1.0.0");
    workshop.package("1.1.0");
    let ca = Ca::new("charts").unwrap();
    let server = ChartServer::https(&ca).unwrap();
    workshop.publish(&server);
    let (user, password) = ("reader".to_owned(), "pa:ss".to_owned());
    server.set_access(Access::Basic { user, password });

    let mut spec = json!({"interval": "1h", "url": server.url()});
    apply(&scene, "HelmRepository", &spec);
    let failed = |part: &'static str| scene.until_failed(Kind::HelmRepository, "app", part);
    failed("failed to fetch Helm repository index: ").await.unwrap();
    apply_secret(&scene, "authority", &json!({"ca.crt": ca.certificate_pem()}));
    spec["certSecretRef"] = json!({"name": "authority"});
    apply(&scene, "HelmRepository", &spec);
    failed("401 Unauthorized").await.unwrap();
    spec["secretRef"] = json!({"name": "login"});
    apply(&scene, "HelmRepository", &spec);
    let told = failed("failed to get authentication secret").await.unwrap();
    assert_eq!(told.reason, "AuthenticationFailed");
    apply_secret(&scene, "login", &json!({"username": "reader", "password": "pa:ss"}));
    scene.until_ready(Kind::HelmRepository, "app", "stored artifact").await.unwrap();

    apply_chart(&scene, "1.x");
    let told = scene.until_ready(Kind::HelmChart, "app", "'1.1.0'").await.unwrap();
    assert_eq!(told.message, "pulled 'app' chart with version '1.1.0'");
    assert_eq!(artifact(&scene).await["digest"], workshop.digest("1.1.0"));
}

#[tokio::test]
async fn a_login_goes_to_another_host_only_if_that_is_wanted() {
    let scene = Scene::new("chart-pass").await.unwrap();
    let workshop = Workshop::new();
    workshop.package("1.0.0");
    let (index, archives) = (ChartServer::http().unwrap(), ChartServer::http().unwrap());
    workshop.publish(&archives);
    let text = std::fs::read_to_string(workshop.packed().join("index.yaml")).unwrap();
    let elsewhere = format!("- {}/app-1.0.0.tgz", archives.url());
    index.put("/index.yaml", text.replace("- app-1.0.0.tgz", &elsewhere));
    for server in [&index, &archives] {
        let (user, password) = ("reader".to_owned(), "secret".to_owned());
        server.set_access(Access::Basic { user, password });
    }
    apply_secret(&scene, "login", &json!({"username": "reader", "password": "secret"}));
    let mut spec = json!({"interval": "1h", "url": index.url(), "secretRef": {"name": "login"}});
    apply(&scene, "HelmRepository", &spec);
    scene.until_ready(Kind::HelmRepository, "app", "stored artifact").await.unwrap();
    apply_chart(&scene, "1.0.0");
    scene.until_failed(Kind::HelmChart, "app", "401 Unauthorized").await.unwrap();

    spec["passCredentials"] = json!(true);
    apply(&scene, "HelmRepository", &spec);
    scene.request_reconcile(Kind::HelmChart, "app", "1").await.unwrap();
    scene.until_ready(Kind::HelmChart, "app", "pulled 'app' chart").await.unwrap();
}

#[tokio::test]
async fn a_repository_that_wants_a_certificate_is_read_with_one() {
    let scene = Scene::new("chart-cert").await.unwrap();
    let workshop = Workshop::new();
    workshop.package("1.0.0");
    let ca = Ca::new("charts").unwrap();
    let server = ChartServer::https_for_clients(&ca).unwrap();
    workshop.publish(&server);
    apply_secret(&scene, "tls", &json!({"ca.crt": ca.certificate_pem()}));
    let spec = json!({"interval": "1h", "url": server.url(), "certSecretRef": {"name": "tls"}});
    apply(&scene, "HelmRepository", &spec);
    let failed = "failed to fetch Helm repository index";
    scene.until_failed(Kind::HelmRepository, "app", failed).await.unwrap();

    let own = ca.client("reader", &[]).unwrap();
    let tls = json!({
        "ca.crt": ca.certificate_pem(), "tls.crt": own.certificate_pem, "tls.key": own.key_pem,
    });
    apply_secret(&scene, "tls", &tls);
    scene.request_reconcile(Kind::HelmRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::HelmRepository, "app", "stored artifact").await.unwrap();
    apply_chart(&scene, "1.0.0");
    scene.until_ready(Kind::HelmChart, "app", "pulled 'app' chart").await.unwrap();
}

#[tokio::test]
async fn faults_of_a_repository_are_told_and_heal() {
    let scene = Scene::new("chart-faults").await.unwrap();
    let workshop = Workshop::new();
    let archive = workshop.package("1.0.0");
    let server = ChartServer::http().unwrap();
    workshop.publish(&server);
    let original = std::fs::read(&archive).unwrap();
    server.put("/app-1.0.0.tgz", std::fs::read(Workshop::new().package("6.6.6")).unwrap());
    apply(&scene, "HelmRepository", &json!({"interval": "1h", "url": server.url()}));
    apply_chart(&scene, "1.0.0");
    let told = scene.until_failed(Kind::HelmChart, "app", "has digest sha256:").await.unwrap();
    assert_eq!(told.reason, "ChartPullError");
    server.put("/app-1.0.0.tgz", original);
    // Nobody has to ask: it is tried again.
    scene.until_ready(Kind::HelmChart, "app", "'1.0.0'").await.unwrap();

    apply_chart(&scene, "9.x");
    let part = "no 'app' chart with version matching '9.x' found";
    let told = scene.until_failed(Kind::HelmChart, "app", part).await.unwrap();
    assert_eq!(told.reason, "InvalidChartReference");
    let index = std::fs::read(workshop.packed().join("index.yaml")).unwrap();
    server.put("/index.yaml", "entries: [".as_bytes());
    scene.request_reconcile(Kind::HelmRepository, "app", "broken").await.unwrap();
    let failed = scene.until_failed(Kind::HelmRepository, "app", "index").await.unwrap();
    assert_eq!(failed.reason, "IndexationFailed");
    server.put("/index.yaml", index);
    scene.until_ready(Kind::HelmRepository, "app", "stored artifact").await.unwrap();

    workshop.package("9.1.0");
    workshop.publish(&server);
    scene.request_reconcile(Kind::HelmRepository, "app", "more").await.unwrap();
    scene.until_ready(Kind::HelmChart, "app", "'9.1.0'").await.unwrap();
    assert_eq!(artifact(&scene).await["digest"], workshop.digest("9.1.0"));
}

#[tokio::test]
async fn a_chart_of_a_source_tree_is_packaged_with_what_it_needs() {
    let scene = Scene::new("chart-tree").await.unwrap();
    let needs = "dependencies:\n- name: part\n  version: 2.x\n  repository: file://../part\n";
    let files: Vec<_> = [("app", "1.0.0", needs), ("part", "2.3.4", "")]
        .into_iter()
        .flat_map(|(name, version, more)| {
            chart_files(name, version, more).map(|(path, text)| (format!("{name}/{path}"), text))
        })
        .chain([("app/red.yaml".to_owned(), "colour: red\n".to_owned())])
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), Some(&**text))).collect();
    let commit = scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let mut spec = json!({
        "interval": "1h",
        "chart": "./app",
        "reconcileStrategy": "Revision",
        "sourceRef": {"kind": "GitRepository", "name": "app"},
        "valuesFiles": ["app/values.yaml", "app/red.yaml"],
    });
    apply(&scene, "HelmChart", &spec);
    let version = format!("1.0.0+{}.1", &commit[..12]);
    let told = scene.until_ready(Kind::HelmChart, "app", &version).await.unwrap();
    let values = "and merged values files [app/values.yaml app/red.yaml]";
    assert_eq!(told.message, format!("packaged 'app' chart with version '{version}' {values}"));

    // The real Helm is the judge of what was made.
    let url = artifact(&scene).await["url"].as_str().unwrap().to_owned();
    let rendered = Workshop::new().helm(&["template", "it", &url]).unwrap();
    assert!(rendered.contains("app/charts/part/templates/config.yaml"), "{rendered}");
    assert!(rendered.contains("name: app\ndata:\n  colour: red"), "{rendered}");
    assert!(rendered.contains("name: part\ndata:\n  colour: blue"), "{rendered}");

    spec["valuesFiles"] = json!(["app/none.yaml"]);
    apply(&scene, "HelmChart", &spec);
    let told = scene.until_failed(Kind::HelmChart, "app", "no values file found").await.unwrap();
    assert_eq!(told.reason, "ValuesFilesError");
    spec["ignoreMissingValuesFiles"] = json!(true);
    apply(&scene, "HelmChart", &spec);
    scene.until_ready(Kind::HelmChart, "app", "packaged 'app' chart").await.unwrap();
}

#[tokio::test]
async fn a_chart_is_pulled_from_a_registry() {
    let scene = Scene::new("chart-registry").await.unwrap();
    let workshop = Workshop::new();
    let port = free_port().unwrap();
    let mut command = Command::new(Assets::from_env().path(Program::Registry).unwrap());
    command.args(["-port", &port.to_string()]);
    let _registry = Process::start("registry", &command, workshop.0.path()).unwrap();
    let url = format!("oci://127.0.0.1:{port}/charts");
    let push = async |version: &str| {
        let archive = workshop.package(version);
        let args = ["push", archive.to_str().unwrap(), &url, "--plain-http"];
        // The registry may not listen yet.
        eventually(Duration::from_secs(20), || async { workshop.helm(&args) }).await.unwrap();
        workshop.helm(&["repo", "index", "packed"]).unwrap();
    };
    push("1.0.0+build.7").await;
    let mut spec = json!({"type": "oci", "url": url, "insecure": true});
    apply(&scene, "HelmRepository", &spec);
    apply_chart(&scene, "1.x");
    let told = scene.until_ready(Kind::HelmChart, "app", "").await.unwrap();
    assert_eq!(told.message, "pulled 'app' chart with version '1.0.0+build.7'");
    assert_eq!(artifact(&scene).await["digest"], workshop.digest("1.0.0+build.7"));
    push("1.1.0").await;
    scene.request_reconcile(Kind::HelmChart, "app", "newer").await.unwrap();
    scene.until_ready(Kind::HelmChart, "app", "'1.1.0'").await.unwrap();

    apply_chart(&scene, "2.0.0");
    let told = scene.until_failed(Kind::HelmChart, "app", "failed to download chart").await;
    assert_eq!(told.unwrap().reason, "ChartPullError");
    push("2.0.0").await;
    scene.until_ready(Kind::HelmChart, "app", "'2.0.0'").await.unwrap();

    spec["provider"] = json!("aws");
    apply(&scene, "HelmRepository", &spec);
    let told = scene.until_failed(Kind::HelmChart, "app", "spec.provider 'aws'").await.unwrap();
    assert_eq!(told.reason, "UnsupportedField");
    spec["provider"] = json!("generic");
    apply(&scene, "HelmRepository", &spec);
    scene.until_ready(Kind::HelmChart, "app", "'2.0.0'").await.unwrap();
}
