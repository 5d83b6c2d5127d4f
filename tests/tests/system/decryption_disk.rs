//! What sops encrypted is opened in memory: no file ever holds it.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use system_tests::{Kind, Scene, Shard};

use crate::decryption::Sops;
use crate::notifications::secret;

const KS: Kind = Kind::Kustomization;

/// A folder that tells whether there ever was a file in it.
struct Untouched(tempfile::TempDir);

impl Untouched {
    const LONG_AGO: Duration = Duration::from_hours(24);

    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Self::LONG_AGO;
        File::open(dir.path()).unwrap().set_modified(long_ago).unwrap();
        Self(dir)
    }

    fn is_so(&self) -> bool {
        let modified = self.0.path().metadata().unwrap().modified().unwrap();
        modified == SystemTime::UNIX_EPOCH + Self::LONG_AGO
    }
}

/// The files that a process has open, also those that have no name any more, with what is in them.
fn open_files(pid: u32) -> Vec<(String, Vec<u8>)> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let read = |path: &Path| {
        // What is no file, a socket say, is never read to its end; what is closed is gone.
        path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let name = path.read_link().ok()?.display().to_string();
        Some((name, std::fs::read(path).ok()?))
    };
    open.filter_map(|entry| read(&entry.unwrap().path())).collect()
}

/// Those that hold one of these texts.
fn holding(files: &[(String, Vec<u8>)], texts: &[&str]) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        let content = String::from_utf8_lossy(bytes);
        texts.iter().any(|text| content.contains(text))
    };
    files.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decrypted_is_in_no_file() {
    let (sops, scene, home) =
        (Sops::new(), Scene::new("sops-disk").await.unwrap(), Untouched::new());
    let shard = Shard::start_in(home.0.path(), &scene, scene.world().cluster()).unwrap();
    let plain = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: creds\nstringData:\n  key: \
                 plain-of-secret\n";
    let manifest = sops.encrypt("secret.yaml", plain, &["--encrypted-regex", "^stringData$"]);
    let env = sops.encrypt("app.env", "KEY=plain-of-env\n", &[]);
    let kustomization = "resources: [secret.yaml, waits.yaml]\nsecretGenerator:\n- name: env\n  \
                         envs: [app.env]\n";
    let files = [
        ("kustomization.yaml", kustomization.to_owned()),
        ("secret.yaml", manifest),
        ("app.env", env),
        // Nobody takes it, so that all is held until the test has looked around.
        ("waits.yaml", crate::deployment("waits", false)),
    ];
    scene.commit(&files.each_ref().map(|(path, text)| (*path, Some(text.as_str())))).unwrap();
    scene.apply_all(&[secret("keys", &json!({"age.agekey": sops.identity}))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let decryption = json!({"provider": "sops", "secretRef": {"name": "keys"}});
    let spec = json!({"decryption": decryption, "wait": true, "timeout": "4m"});
    scene.apply_all(&[shard.object(scene.kustomization("app", &spec))]).unwrap();
    let waits =
        |ks: &Value| ks["status"]["conditions"].to_string().contains("Running health checks");
    scene.until_object(Duration::from_mins(1), KS, "app", waits).await.unwrap();
    assert_eq!(scene.get(Kind::Secret, "creds").await.unwrap()["data"]["key"], BASE64[0]);

    let forbidden = ["plain-of-", BASE64[0], BASE64[1], "AGE-SECRET-KEY"];
    let files = open_files(shard.pid());
    assert!(!files.is_empty(), "its log is a file");
    assert_eq!(holding(&files, &forbidden), [""; 0]);
    assert!(home.is_so(), "it puts files where others can read them");
    scene.delete(KS, "app").await.unwrap();
    scene.until_gone(KS, "app").await.unwrap();
    assert!(home.is_so(), "it put files where others can read them");
}

/// The two texts as the API server has them.
const BASE64: [&str; 2] = ["cGxhaW4tb2Ytc2VjcmV0", "cGxhaW4tb2YtZW52"];

#[test]
fn a_file_is_noticed_that_is_there_no_more() {
    let home = Untouched::new();
    assert!(home.is_so());
    let path = home.0.path().join("secret.yaml");
    std::fs::write(&path, "key: plain-of-secret").unwrap();
    let _open = File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(!home.is_so());
    let found = holding(&open_files(std::process::id()), &["plain-of-"]);
    assert!(matches!(&found[..], [name] if name.contains("secret.yaml")), "{found:?}");
}
