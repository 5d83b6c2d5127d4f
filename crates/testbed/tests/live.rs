//! The test bed itself: does it start, serve, fail on demand and clean up?
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use testbed::{Access, Ca, Cluster, ControlPlane, Fault, GitServer, Options, eventually};

fn git(args: &[&str]) -> Output {
    let config = [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_TERMINAL_PROMPT", "0")];
    let mut git = Command::new("git");
    // It would come before what the test says.
    git.args(args).envs(config).env_remove("GIT_SSL_CAINFO");
    git.output().unwrap()
}

fn clone(url: &str, options: &[&str]) -> Result<tempfile::TempDir, String> {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("clone");
    let output = git(&[options, &["clone", "--quiet", url, target.to_str().unwrap()]].concat());
    if output.status.success() { Ok(dir) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[test]
fn git_clones_over_http_and_sees_credentials() {
    let server = GitServer::http().unwrap();
    let repository = server.create("apps").unwrap();
    repository.commit("main", &[("a.yaml", Some("a: 1\n"))], "first").unwrap();
    let url = server.repository_url("apps");
    let dir = clone(&url, &[]).unwrap();
    assert_eq!(std::fs::read_to_string(dir.path().join("clone/a.yaml")).unwrap(), "a: 1\n");
    let commands: Vec<_> = server.take_requests("apps").into_iter().map(|r| r.command).collect();
    assert_eq!(commands, [None, Some("ls-refs".to_owned()), Some("fetch".to_owned())]);

    server.set_access("apps", Access::Basic { user: "u".to_owned(), password: "p".to_owned() });
    assert!(clone(&url, &[]).is_err());
    clone(&url.replace("http://", "http://u:p@"), &[]).unwrap();
    server.set_access("apps", Access::Bearer("token".to_owned()));
    clone(&url, &["-c", "http.extraHeader=Authorization: Bearer token"]).unwrap();
}

#[test]
fn git_clones_over_https_with_our_authority_only() {
    let (ca, clients) = (Ca::new("servers").unwrap(), Ca::new("clients").unwrap());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let server = GitServer::https(&ca, Some(&clients)).unwrap();
    server.create("apps").unwrap().commit("main", &[("a", Some(""))], "first").unwrap();
    let url = server.repository_url("apps");
    let me = clients.client("me", &[]).unwrap();
    let trust = format!("http.sslCAInfo={}", file("ca", ca.certificate_pem()));
    let cert = format!("http.sslCert={}", file("cert", &me.certificate_pem));
    let key = format!("http.sslKey={}", file("key", &me.key_pem));
    assert!(clone(&url, &[]).is_err());
    assert!(clone(&url, &["-c", &trust]).is_err());
    clone(&url, &["-c", &trust, "-c", &cert, "-c", &key]).unwrap();
}

#[test]
fn faults_come_and_go() {
    let server = GitServer::http().unwrap();
    let repository = server.create("apps").unwrap();
    let url = server.repository_url("apps");
    assert!(clone(&url, &[]).is_ok(), "an empty repository can be cloned");
    repository.commit("main", &[("a", Some("text"))], "first").unwrap();
    for (fault, said) in [
        (Fault::Status(403), "403"),
        (Fault::Status(404), "not found"),
        (Fault::Status(500), "500"),
        (Fault::CloseMidPack { after: 40 }, "early EOF"),
    ] {
        server.set_fault("apps", Some(fault.clone()));
        let stderr = clone(&url, &[]).unwrap_err();
        assert!(stderr.contains(said), "{fault:?}: {stderr}");
    }
    server.set_fault("apps", Some(Fault::Slow { pause: Duration::from_millis(1) }));
    clone(&url, &[]).unwrap();
    server.set_fault("apps", Some(Fault::Hang));
    let curl = ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=1"];
    assert!(clone(&url, &curl).is_err());
    server.set_fault("apps", None);
    clone(&url, &[]).unwrap();
}

#[tokio::test]
async fn a_control_plane_runs_pods_and_leaves_nothing() {
    if Cluster::existing().unwrap().is_some() {
        return;
    }
    let start = Instant::now();
    let plane = ControlPlane::start(Options { audit: true, kwok: true }).unwrap();
    println!("control plane ready after {:?}", start.elapsed());
    let cluster = plane.cluster().clone();
    let namespace = cluster.namespace("live").unwrap();
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: lab-node, \
               containers: [{name: c, image: i}]}}";
    namespace.apply(pod).unwrap();
    let ready = || async {
        let phase = namespace.kubectl(&["get", "pod/p", "-o", "jsonpath={.status.phase}"])?;
        anyhow::ensure!(phase == "Running", "the pod is {phase}");
        Ok(())
    };
    eventually(Duration::from_secs(30), ready).await.unwrap();
    let version = cluster.client().await.unwrap().apiserver_version().await.unwrap();
    assert_eq!(version.git_version, "v1.34.3");
    let (requests, _) = testbed::ApiRequests::read(&plane.audit_log(), 0).unwrap();
    assert!(requests.count(|k| k.user == "admin" && k.verb == "apply") >= 1);

    let dir = plane.dir().to_path_buf();
    let pids: Vec<_> = plane.processes().iter().map(testbed::Process::pid).collect();
    assert_eq!(pids.len(), 4);
    drop(plane);
    assert!(!dir.exists());
    assert!(pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
}
