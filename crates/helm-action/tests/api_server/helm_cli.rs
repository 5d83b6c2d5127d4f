//! The real helm on our releases, and we on its: Helm 4, and Helm 3, which knows no server-side apply.

use std::path::Path;
use std::process::{Command, Output};

use helm_action::{Options, install, resume, rollback, uninstall, upgrade};
use serde_json::{Value, json};
use testbed_programs::{Assets, Program};

use crate::bench::{Bench, PLANE, history, options, released, statuses, uninstall_options};
use crate::chart::{CONFIG, HOOKS, OLD, chart, desired};

/// Runs helm in the namespace of a test; what it printed. None if it is not built.
fn helm(bench: &Bench, program: Program, args: &[&str]) -> Option<String> {
    let output = run_helm(bench, program, args)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {args:?}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn run_helm(bench: &Bench, program: Program, args: &[&str]) -> Option<Output> {
    let Ok(program) = Assets::from_env().path(program) else {
        eprintln!("skipped: `cargo xtask setup` builds {}", program.name());
        return None;
    };
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args(["--kubeconfig", PLANE.cluster().kubeconfig().to_str().unwrap()])
        .args(["--namespace", bench.namespace.name()])
        .args(args)
        .env("HELM_CACHE_HOME", home.path())
        .env("HELM_CONFIG_HOME", home.path())
        .env("HELM_DATA_HOME", home.path())
        .output()
        .unwrap();
    Some(output)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn helm_4_knows_our_releases() {
    // As with Flux: the fields are helm-controller's.
    knows_our_releases(Program::Helm, &["rollback", "app", "1", "--force-conflicts"]).await;
}

#[tokio::test]
async fn helm_3_knows_our_releases() {
    knows_our_releases(Program::Helm3, &["rollback", "app", "1"]).await;
}

#[tokio::test]
async fn we_know_releases_of_helm_4() {
    we_know_releases_of(Program::Helm).await;
}

#[tokio::test]
async fn we_know_releases_of_helm_3() {
    we_know_releases_of(Program::Helm3).await;
}

async fn knows_our_releases(program: Program, roll_back: &[&str]) {
    let bench = Bench::new("theirs").await;
    let helm = |args: &[&str]| helm(&bench, program, args);
    let target = bench.target("app");
    let notes = ("NOTES.txt", "Hello {{ .Values.text }}\n");
    let first = desired(chart("1.0.0", &[CONFIG, OLD, HOOKS, notes]), &json!({"text": "one"}));
    released(install(&target, &history(&target).await, &first, &options()).await);
    let second = desired(chart("2.0.0", &[CONFIG, OLD, HOOKS, notes]), &json!({"text": "two"}));
    released(upgrade(&target, &history(&target).await, &second, &options()).await);

    let Some(list) = helm(&["list", "--output", "json"]) else { return };
    let list = json_of(&list);
    assert_eq!(list[0]["name"], "app");
    assert_eq!(list[0]["revision"], "2");
    assert_eq!(list[0]["status"], "deployed");
    assert_eq!(list[0]["chart"], "demo-2.0.0");
    assert_eq!(list[0]["app_version"], "2.0.0");
    let listed = json_of(&helm(&["history", "app", "--output", "json"]).unwrap());
    assert_eq!(listed[0]["status"], "superseded");
    assert_eq!(listed[0]["description"], "Install complete");
    assert_eq!(listed[1]["description"], "Upgrade complete");
    let status = helm(&["status", "app"]).unwrap();
    assert!(status.contains("STATUS: deployed") && status.contains("Hello two"), "{status}");
    let manifest = helm(&["get", "manifest", "app"]).unwrap();
    assert_eq!(manifest.trim_end(), history(&target).await.last().unwrap().manifest.trim_end());
    let values = helm(&["get", "values", "app", "--output", "json"]).unwrap();
    assert_eq!(json_of(&values), json!({"text": "two"}));
    let hooks = helm(&["get", "hooks", "app"]).unwrap();
    assert!(hooks.contains("helm.sh/hook: pre-upgrade"), "{hooks}");

    helm(roll_back).unwrap();
    assert_eq!(bench.get("configmap/app-config", "{.data.text}"), "one");
    assert_eq!(statuses(&target).await, "1:superseded 2:superseded 3:deployed");
    assert_eq!(history(&target).await.last().unwrap().intent, None, "what helm wrote is helm's");
    helm(&["uninstall", "app"]).unwrap();
    assert_eq!(statuses(&target).await, "");
    assert!(!bench.exists("configmap/app-config"));
}

async fn we_know_releases_of(program: Program) {
    let bench = Bench::new("ours").await;
    let helm = |args: &[&str]| helm(&bench, program, args);
    let target = bench.target("app");
    let folder = tempfile::tempdir().unwrap();
    write_chart(folder.path(), "1.0.0");
    let chart_path = folder.path().to_str().unwrap().to_owned();
    if helm(&["install", "app", &chart_path, "--set", "text=one"]).is_none() {
        return;
    }
    helm(&["upgrade", "app", &chart_path, "--set", "text=two"]).unwrap();
    assert_eq!(statuses(&target).await, "1:superseded 2:deployed");
    let record = history(&target).await.last().unwrap().as_ref().clone();
    assert_eq!(record.chart_version(), "1.0.0");

    let third = desired(chart("2.0.0", &[CONFIG, OLD, HOOKS]), &json!({"text": "three"}));
    released(upgrade(&target, &history(&target).await, &third, &options()).await);
    assert_eq!(bench.get("configmap/app-config", "{.data.text}"), "three");
    assert!(!bench.exists("secret/app-old"));
    released(rollback(&target, &history(&target).await, 1, &options()).await);
    assert_eq!(bench.get("configmap/app-config", "{.data.text}"), "one");
    assert!(bench.exists("secret/app-old"));
    let listed = json_of(&helm(&["history", "app", "--output", "json"]).unwrap());
    assert_eq!(listed.as_array().unwrap().len(), 4);
    let attempt = uninstall(&target, &history(&target).await, &uninstall_options()).await;
    attempt.result.unwrap();
    assert!(!bench.exists("configmap/app-config"));
    assert_eq!(helm(&["list", "--short"]).unwrap_or_default(), "");
}

/// Refused by the API server if the values say so.
const BROKEN: (&str, &str) = (
    "broken.yaml",
    "{{ if .Values.broken }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name \
     }}-broken\nspec: {ports: [{port: 99999999}]}\n{{ end }}\n",
);

/// What `maxHistory` leaves, upgrade after upgrade, of which some fail.
#[tokio::test]
async fn as_many_revisions_are_kept_as_helm_keeps() {
    let bench = Bench::new("kept").await;
    let folder = tempfile::tempdir().unwrap();
    write_chart(folder.path(), "1.0.0");
    std::fs::write(folder.path().join("templates").join(BROKEN.0), BROKEN.1).unwrap();
    let chart_path = folder.path().to_str().unwrap().to_owned();
    for max in [1, 2, 3] {
        let (theirs, ours) = (format!("theirs-{max}"), format!("ours-{max}"));
        let (theirs, ours) = (bench.target(&theirs), bench.target(&ours));
        let options = Options { max_history: max, ..options() };
        for (step, breaks) in [false, false, true, true, false, false].into_iter().enumerate() {
            let set = format!("broken={breaks},text=t{step}");
            let keep = format!("--history-max={max}");
            let args = ["upgrade", "--install", &theirs.name, &chart_path, "--set", &set, &keep];
            let Some(output) = run_helm(&bench, Program::Helm, &args) else { return };
            assert_eq!(output.status.success(), !breaks, "{output:?}");
            let values = json!({"broken": breaks, "text": format!("t{step}")});
            let wanted = desired(chart("1.0.0", &[CONFIG, OLD, HOOKS, BROKEN]), &values);
            let stored = history(&ours).await;
            let attempt = if stored.records.is_empty() {
                install(&ours, &stored, &wanted, &options).await
            } else {
                upgrade(&ours, &stored, &wanted, &options).await
            };
            assert_eq!(attempt.result.is_ok(), !breaks, "{:?}", attempt.result);
            let (theirs, ours) = (statuses(&theirs).await, statuses(&ours).await);
            assert_eq!(ours, theirs, "step {step}, at most {max}");
        }
    }
}

/// The same where nothing was ever deployed: Helm then upgrades what failed.
#[tokio::test]
async fn a_release_that_only_failed_is_never_out_of_storage() {
    let bench = Bench::new("failing").await;
    let target = bench.target("app");
    let options = Options { max_history: 1, ..options() };
    let wanted = |breaks: bool| {
        desired(chart("1.0.0", &[CONFIG, BROKEN]), &json!({"broken": breaks, "text": "x"}))
    };
    let attempt = install(&target, &history(&target).await, &wanted(true), &options).await;
    assert!(attempt.result.is_err());
    bench.interruption.disarm();
    for n in 1..=20 {
        // A revision that failed is what the next one starts from.
        let before = statuses(&target).await;
        bench.interruption.arm(n, testbed::Moment::After);
        let (stored, wanted) = (history(&target).await, wanted(true));
        let is_over = tokio::select! {
            attempt = upgrade(&target, &stored, &wanted, &options) => {
                assert!(attempt.result.is_err());
                true
            }
            () = bench.interruption.reached() => false,
        };
        bench.interruption.disarm();
        let after = statuses(&target).await;
        assert!(!after.is_empty(), "cut at write {n}, {before} is gone");
        let last = history(&target).await.last().unwrap().clone();
        if last.info.status.is_pending() {
            let stored = history(&target).await;
            assert!(stored.records.len() > 1, "what {after} starts from is gone");
            assert!(resume(&target, &stored, &options).await.result.is_err());
        }
        if is_over {
            break;
        }
    }
    let end = upgrade(&target, &history(&target).await, &wanted(false), &options).await;
    let record = released(end);
    assert_eq!(statuses(&target).await, format!("{}:deployed", record.version));
}

fn write_chart(folder: &Path, version: &str) {
    let templates = folder.join("templates");
    std::fs::create_dir_all(&templates).unwrap();
    for (name, text) in [CONFIG, OLD, HOOKS] {
        std::fs::write(templates.join(name), text).unwrap();
    }
    let metadata =
        format!("apiVersion: v2\nname: demo\nversion: {version}\nappVersion: {version}\n");
    std::fs::write(folder.join("Chart.yaml"), metadata).unwrap();
    std::fs::write(folder.join("values.yaml"), "text: default\n").unwrap();
}
