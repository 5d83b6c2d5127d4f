//! What the real sops encrypted, on its way to the cluster.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use system_tests::{Kind, Scene};
use testbed_programs::{Assets, Program};

/// How long an outcome may take on a busy machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// The real sops, with a key of its own.
pub(crate) struct Sops {
    home: tempfile::TempDir,
    /// The age identity, as `age-keygen` prints it.
    pub(crate) identity: String,
    recipient: String,
}

impl Sops {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let keygen = Assets::from_env().path(Program::AgeKeygen).unwrap();
        let identity = String::from_utf8(run(Command::new(keygen), home.path())).unwrap();
        let recipient = identity.lines().find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient.unwrap().to_owned();
        Self { home, identity, recipient }
    }

    /// Encrypts a file for the age key.
    pub(crate) fn encrypt(&self, name: &str, plain: &str, options: &[&str]) -> String {
        let recipient = ["--age", &self.recipient];
        self.encrypt_for(name, plain.as_bytes(), &[&recipient, options].concat(), &[])
    }

    pub(crate) fn encrypt_for(
        &self,
        name: &str,
        plain: &[u8],
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> String {
        std::fs::write(self.home.path().join(name), plain).unwrap();
        let mut sops = Command::new(Assets::from_env().path(Program::Sops).unwrap());
        sops.arg("encrypt").args(options).arg(name).envs(environment.iter().copied());
        String::from_utf8(run(sops, self.home.path())).unwrap()
    }

    /// Encrypts the data of a Secret.
    fn secret(&self, name: &str, password: &str) -> String {
        let plain = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  user: \
             admin-{password}\n  password: {password}\n"
        );
        self.encrypt("secret.yaml", &plain, &["--encrypted-regex", "^(data|stringData)$"])
    }

    fn keys(&self) -> Value {
        json!({"age.agekey": self.identity})
    }
}

fn run(mut command: Command, home: &Path) -> Vec<u8> {
    let output = command.current_dir(home).env("HOME", home).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn apply_keys(scene: &Scene, keys: &Value) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": keys,
    });
    scene.namespace().apply(&secret.to_string()).unwrap();
}

fn apply(scene: &Scene) {
    scene.apply_source("app", &json!({})).unwrap();
    let spec = json!({"decryption": {"provider": "sops", "secretRef": {"name": "keys"}}});
    scene.apply_kustomization("app", &spec).unwrap();
}

async fn entries(scene: &Scene, name: &str) -> Value {
    let mut secret = scene.get(Kind::Secret, name).await.unwrap();
    secret["data"].take()
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}

#[tokio::test]
async fn files_of_every_format_are_applied_decrypted() {
    let sops = Sops::new();
    let scene = Scene::new("sops-formats").await.unwrap();
    let files = [
        ("config.json", "{\n\t\"token\": \"canary-json\"\n}\n"),
        ("app.ini", "[main]\ntoken = canary-ini\n"),
        (
            "values.yaml",
            "# note\ntoken: canary-yaml\nlist:\n    - 1\n    - |\n      two\n      lines\n",
        ),
        ("notes.txt", "canary-binary\n"),
        ("app.env", "TOKEN=canary-env\nURL=http://x\n"),
    ];
    let kustomization = "resources: [secret.yaml, config.yaml]\ngeneratorOptions: \
                         {disableNameSuffixHash: true}\nsecretGenerator:\n- name: files\n  files: \
                         [config.json, app.ini, values.yaml, notes.txt]\n- name: env\n  envs: \
                         [app.env]\npatches:\n- path: patch.yaml\n  target: {kind: ConfigMap}\n";
    let patch = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  token: \
                 canary-patch\n";
    let config = crate::config_map("config", "plain");
    let mut commit = vec![
        ("kustomization.yaml".to_owned(), kustomization.to_owned()),
        ("secret.yaml".to_owned(), sops.secret("creds", "canary-secret")),
        ("config.yaml".to_owned(), config),
        (
            "patch.yaml".to_owned(),
            sops.encrypt("patch.yaml", patch, &["--encrypted-regex", "^data$"]),
        ),
    ];
    commit.extend(files.map(|(name, plain)| (name.to_owned(), sops.encrypt(name, plain, &[]))));
    let commit: Vec<_> =
        commit.iter().map(|(name, text)| (name.as_str(), Some(text.as_str()))).collect();
    scene.commit(&commit).unwrap();
    apply_keys(&scene, &sops.keys());
    apply(&scene);
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();

    let creds = entries(&scene, "creds").await;
    assert_eq!(creds["password"], base64("canary-secret"));
    let applied = entries(&scene, "files").await;
    for (name, plain) in &files[..4] {
        assert_eq!(applied[*name], base64(plain), "{name}");
    }
    let env = entries(&scene, "env").await;
    assert_eq!(env, json!({"TOKEN": base64("canary-env"), "URL": base64("http://x")}));
    let config = scene.get(Kind::ConfigMap, "config").await.unwrap();
    assert_eq!(config["data"]["token"], "canary-patch");

    let status = scene.get(Kind::Kustomization, "app").await.unwrap().to_string();
    let events = scene.list(Kind::Event).await.unwrap();
    let logs = scene.world().logs().iter().map(|log| std::fs::read_to_string(log).unwrap());
    let told = logs.chain([status, json!(events).to_string()]).collect::<String>();
    assert!(!told.contains("canary-"), "what was decrypted is told");
    assert!(!told.contains("AGE-SECRET-KEY"), "a key is told");
}

#[tokio::test]
async fn a_key_that_comes_or_changes_is_used_at_once() {
    let sops = Sops::new();
    let scene = Scene::new("sops-keys").await.unwrap();
    scene.commit(&[("secret.yaml", Some(&sops.secret("creds", "hunter22")))]).unwrap();
    apply(&scene);
    let missing =
        scene.until_failed(Kind::Kustomization, "app", "secrets \"keys\" not found").await.unwrap();
    assert_eq!(missing.reason, "BuildFailed");
    apply_keys(&scene, &sops.keys());
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    assert_eq!(entries(&scene, "creds").await["password"], base64("hunter22"));

    apply_keys(&scene, &Sops::new().keys());
    let part = "cannot get sops data key: Failed to get the data key";
    scene.until_failed(Kind::Kustomization, "app", part).await.unwrap();
    apply_keys(&scene, &json!({"age.agekey": "no key"}));
    let part = "failed to import 'age.agekey' data from sops decryption Secret";
    scene.until_failed(Kind::Kustomization, "app", part).await.unwrap();
    apply_keys(&scene, &sops.keys());
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
}

#[tokio::test]
async fn files_that_were_tampered_with_apply_nothing() {
    let sops = Sops::new();
    let scene = Scene::new("sops-tampered").await.unwrap();
    apply_keys(&scene, &sops.keys());
    let good = sops.secret("victim", "hunter22");
    let line = |key: &str| good.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
    let value = |key: &str| line(key).split_once(": ").unwrap().1;
    let (user, password) = (value("user:"), value("password:"));
    let level = |level: usize| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        format!("a{level}: &a{level} [{aliases}]\n")
    };
    let bomb = (1..9).map(level).collect::<Vec<_>>().concat();
    let cases = [
        ("a value for another", good.replace(password, user), "message authentication failed"),
        ("another name", good.replace("name: victim", "name: other"), "MAC mismatch"),
        ("a value less", good.replace(&format!("{}\n", line("user:")), ""), "MAC mismatch"),
        ("another time", good.replace("lastmodified: \"20", "lastmodified: \"19"), "MAC"),
        ("no MAC", good.replace(line("mac:"), ""), "File has no MAC"),
        ("a bomb", format!("{good}\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{bomb}"), "aliasing"),
        ("its start", good[..good.len() / 2].to_owned(), ""),
    ];
    apply(&scene);
    for (index, (what, file, part)) in cases.iter().enumerate() {
        assert_ne!(*file, good, "{what}");
        let marker = crate::config_map("marker", &index.to_string());
        let commit =
            scene.commit(&[("secret.yaml", Some(file)), ("marker.yaml", Some(&marker))]).unwrap();
        scene.request_reconcile(Kind::GitRepository, "app", &index.to_string()).await.unwrap();
        let failed = scene.until_object(PATIENCE, Kind::Kustomization, "app", |ks| {
            let ready = &ks["status"]["conditions"];
            let ready = ready.as_array().into_iter().flatten().find(|it| it["type"] == "Ready");
            let attempted = ks["status"]["lastAttemptedRevision"].as_str().unwrap_or_default();
            attempted.contains(&commit)
                && ready.is_some_and(|ready| {
                    ready["status"] == "False"
                        && ready["message"].as_str().unwrap_or_default().contains(part)
                })
        });
        failed.await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
        for kind in [Kind::Secret, Kind::ConfigMap] {
            let name = if kind == Kind::Secret { "victim" } else { "marker" };
            assert!(!scene.exists(kind, name).await.unwrap(), "{what}: {name} was applied");
        }
    }
    scene.commit(&[("secret.yaml", Some(&good))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "good").await.unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    assert!(scene.exists(Kind::Secret, "victim").await.unwrap());
}

#[tokio::test]
async fn keys_of_gpg_open_what_it_encrypted() {
    let sops = Sops::new();
    let home = sops.home.path().join("gnupg");
    if Command::new("gpg").arg("--version").output().is_err() {
        eprintln!("skipped: there is no gpg here");
        return;
    }
    std::fs::create_dir(&home).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--pinentry-mode", "loopback", "--passphrase", ""]).args(arguments);
        gpg.env("GNUPGHOME", &home);
        String::from_utf8(run(gpg, sops.home.path())).unwrap()
    };
    let scene = Scene::new("sops-pgp").await.unwrap();
    let mut keys = json!({});
    let mut files = Vec::new();
    for (name, main, sub) in [("rsa", "rsa2048", "rsa2048"), ("curves", "ed25519", "cv25519")] {
        gpg(&["--quick-gen-key", &format!("{name}@example.com"), main, "cert,sign", "never"]);
        let listed = gpg(&["--list-keys", "--with-colons", name]);
        let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:::::::::"));
        let fingerprint = fingerprint.unwrap().trim_end_matches(':').to_owned();
        gpg(&["--quick-add-key", &fingerprint, sub, "encr", "never"]);
        keys[format!("{name}.asc")] = gpg(&["--armor", "--export-secret-keys", name]).into();
        let plain = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  key: \
             secret-{name}\n"
        );
        let options = ["--pgp", &fingerprint, "--encrypted-regex", "^stringData$"];
        let environment = [("GNUPGHOME", home.to_str().unwrap())];
        let file = format!("{name}.yaml");
        let text = sops.encrypt_for(&file, plain.as_bytes(), &options, &environment);
        files.push((file, text));
    }
    let commit: Vec<_> =
        files.iter().map(|(name, text)| (name.as_str(), Some(text.as_str()))).collect();
    scene.commit(&commit).unwrap();
    apply_keys(&scene, &keys);
    apply(&scene);
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    for name in ["rsa", "curves"] {
        assert_eq!(entries(&scene, name).await["key"], base64(&format!("secret-{name}")));
    }
    // The agent of the home would outlive it.
    let mut end = Command::new("gpgconf");
    end.args(["--kill", "all"]).env("GNUPGHOME", &home);
    run(end, sops.home.path());
}

/// A transit engine that "encrypts" by turning texts around.
pub(crate) async fn vault() -> String {
    let turned = |text: &str| text.chars().rev().collect::<String>();
    let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        if headers.get("x-vault-token").is_none_or(|token| token != "s.token") {
            return (StatusCode::FORBIDDEN, json!({"errors": ["denied"]}).to_string());
        }
        let answer = match uri.path() {
            "/v1/transit/encrypt/key" => {
                let plain = turned(sent["plaintext"].as_str().unwrap());
                json!({"data": {"ciphertext": format!("vault:v1:{plain}")}})
            }
            "/v1/transit/decrypt/key" => {
                let sealed = sent["ciphertext"].as_str().unwrap();
                let sealed = sealed.strip_prefix("vault:v1:").unwrap();
                json!({"data": {"plaintext": turned(sealed)}})
            }
            _ => return (StatusCode::NOT_FOUND, String::new()),
        };
        (StatusCode::OK, answer.to_string())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn vault_opens_what_sops_had_it_encrypt() {
    let sops = Sops::new();
    let scene = Scene::new("sops-vault").await.unwrap();
    let vault = vault().await;
    let key = format!("{vault}/v1/transit/keys/key");
    let plain = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: creds\nstringData:\n  key: \
                 from-vault\n";
    let options = ["--hc-vault-transit", &key, "--encrypted-regex", "^stringData$"];
    let environment = [("VAULT_TOKEN", "s.token"), ("VAULT_ADDR", vault.as_str())];
    let file = sops.encrypt_for("vault.yaml", plain.as_bytes(), &options, &environment);
    scene.commit(&[("secret.yaml", Some(&file))]).unwrap();
    apply_keys(&scene, &json!({"sops.vault-token": "s.wrong"}));
    apply(&scene);
    let part = "failed to decrypt sops data key from Vault";
    scene.until_failed(Kind::Kustomization, "app", part).await.unwrap();
    apply_keys(&scene, &json!({"sops.vault-token": "s.token\n"}));
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    assert_eq!(entries(&scene, "creds").await["key"], base64("from-vault"));
}
