//! Hooks that fail, hang and follow each other; objects that do not get ready.

use std::time::Duration;

use helm_action::{CrdPolicy, Options, WaitStrategy, apply_crds, install, test, upgrade};
use helm_chart::ChartFile;
use helm_release::HookPhase;
use serde_json::json;

use crate::bench::{Bench, failure, history, options, released, statuses, test_options};
use crate::chart::{CONFIG, HOOKS, chart, desired};

/// A Job that succeeds on the kwok node, and hangs without one.
fn job(name: &str, annotations: &str, node: bool) -> String {
    let node = if node { "      nodeName: lab-node\n" } else { "" };
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations:\n{annotations}\
         spec:\n  backoffLimit: 0\n  template:\n    spec:\n{node}      restartPolicy: Never\n\
         \x20     containers:\n      - name: main\n        image: busybox\n"
    )
}

#[tokio::test]
async fn hooks_run_by_weight_and_a_hanging_one_fails_the_release() {
    let bench = Bench::new("hooks").await;
    let target = bench.target("app");
    let first = job(
        "first",
        "    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"-5\"\n    helm.sh/hook-delete-policy: hook-succeeded\n",
        true,
    );
    let second =
        job("second", "    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"5\"\n", false);
    let wanted =
        desired(chart("1.0.0", &[CONFIG, ("a.yaml", &second), ("b.yaml", &first)]), &json!({}));
    let short = Options { timeout: Duration::from_secs(8), ..options() };
    let attempt = install(&target, &history(&target).await, &wanted, &short).await;
    let namespace = bench.namespace.name();
    assert_eq!(
        failure(&attempt),
        format!(
            "failed pre-install: timeout waiting for: [Job/{namespace}/second status: 'InProgress']"
        )
    );
    let record = attempt.release().unwrap();
    let phase = |name: &str| {
        let hook = record.hooks.iter().find(|hook| hook.name == name).unwrap();
        hook.last_run.phase.clone()
    };
    assert_eq!((phase("first"), phase("second")), (HookPhase::Succeeded, HookPhase::Failed));
    assert!(!bench.exists("job/first"), "it succeeded and says to be deleted then");
    assert!(bench.exists("job/second"));
    assert!(!bench.exists("configmap/app-config"), "objects come after hooks");
    assert_eq!(statuses(&target).await, "1:failed");
}

#[tokio::test]
async fn what_does_not_get_ready_fails_the_release() {
    let bench = Bench::new("waits").await;
    let target = bench.target("app");
    let job = job("hangs", "    a: b\n", false);
    let wanted = desired(chart("1.0.0", &[CONFIG, ("job.yaml", &job)]), &json!({}));
    let short = Options { timeout: Duration::from_secs(3), ..options() };
    let attempt = install(&target, &history(&target).await, &wanted, &short).await;
    let namespace = bench.namespace.name();
    let wanted_error = format!("timeout waiting for: [Job/{namespace}/hangs status: 'InProgress']");
    assert_eq!(failure(&attempt), wanted_error);
    let no_wait = Options { wait: WaitStrategy::HooksOnly, ..short };
    released(upgrade(&target, &history(&target).await, &wanted, &no_wait).await);
}

#[tokio::test]
async fn tests_are_chosen_by_name() {
    let bench = Bench::new("tests").await;
    let target = bench.target("app");
    let wanted = desired(chart("1.0.0", &[CONFIG, HOOKS]), &json!({}));
    released(install(&target, &history(&target).await, &wanted, &options()).await);
    let mut none = test_options();
    none.filters.exclude = vec!["app-test".to_owned()];
    test(&target, &history(&target).await, &none).await.result.unwrap();
    assert!(!bench.exists("configmap/app-test"));
    test(&target, &history(&target).await, &test_options()).await.result.unwrap();
    assert!(bench.exists("configmap/app-test"));
}

#[tokio::test]
async fn definitions_are_applied_by_policy() {
    let bench = Bench::new("crds").await;
    let target = bench.target("app");
    let group = format!("{}.example.com", bench.namespace.name());
    let mut with_crds = chart("1.0.0", &[CONFIG]);
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata:\n  name: things.{group}\nspec:\n  group: {group}\n  scope: Namespaced\n\
         \x20 names: {{plural: things, singular: thing, kind: Thing, listKind: ThingList}}\n\
         \x20 versions:\n  - name: v1\n    served: true\n    storage: true\n\
         \x20   schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    );
    with_crds.files.push(ChartFile {
        name: "crds/thing.yaml".to_owned(),
        bytes: definition.into_bytes().into(),
    });
    let skipped = apply_crds(&target, &with_crds, CrdPolicy::Skip, true).await.unwrap();
    assert!(skipped.applied.is_empty());
    let applied = apply_crds(&target, &with_crds, CrdPolicy::Create, true).await.unwrap();
    assert_eq!(applied.applied.len(), 1);
    let thing = format!(
        "apiVersion: {group}/v1\nkind: Thing\nmetadata:\n  name: {{{{ .Release.Name }}}}\n\
         {{{{ if .Capabilities.APIVersions.Has \"{group}/v1/Thing\" }}}}known: yes{{{{ end }}}}\n"
    );
    with_crds.templates.push(ChartFile {
        name: "templates/thing.yaml".to_owned(),
        bytes: thing.into_bytes().into(),
    });
    let lax = Options { validate_objects: false, ..options() };
    released(
        install(&target, &history(&target).await, &desired(with_crds, &json!({})), &lax).await,
    );
    assert!(bench.exists(&format!("things.{group}/app")));
    let manifest = history(&target).await.last().unwrap().manifest.clone();
    assert!(manifest.contains("known: yes"), "{manifest}");
}
