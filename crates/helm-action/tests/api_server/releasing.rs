//! Releases made, changed and taken away.

use helm_action::{
    DriftRules, Options, ServerSideApply, correct_drift, find_drift, install, rollback, test,
    uninstall, unlock, upgrade,
};
use helm_release::Status;
use serde_json::json;

use crate::bench::{
    Bench, failure, history, options, released, statuses, test_options, uninstall_options,
};
use crate::chart::{CONFIG, HOOKS, OLD, chart, desired};

#[tokio::test]
async fn a_release_lives_its_life() {
    let bench = Bench::new("life").await;
    let target = bench.target("app");
    let first = desired(chart("1.0.0", &[CONFIG, OLD]), &json!({"text": "one"}));
    let record = released(install(&target, &history(&target).await, &first, &options()).await);
    assert_eq!(record.info.description, "Install complete");
    assert_eq!(bench.get("configmap/app-config", "{.data.text}"), "one");
    let owned = "{.metadata.labels.app\\.kubernetes\\.io/managed-by} \
                 {.metadata.annotations.meta\\.helm\\.sh/release-name}";
    assert_eq!(bench.get("configmap/app-config", owned), "Helm app");
    assert!(bench.exists("secret/app-old"));
    assert!(bench.exists("secret/sh.helm.release.v1.app.v1"));

    let second = desired(chart("2.0.0", &[CONFIG, OLD]), &json!({"text": "two"}));
    let record = released(upgrade(&target, &history(&target).await, &second, &options()).await);
    assert_eq!(record.info.description, "Upgrade complete");
    assert_eq!(bench.get("configmap/app-config", "{.data.text} {.data.revision}"), "two 2");
    assert!(!bench.exists("secret/app-old"));
    assert_eq!(statuses(&target).await, "1:superseded 2:deployed");

    let record = released(rollback(&target, &history(&target).await, 1, &options()).await);
    assert_eq!(record.info.description, "Rollback to 1");
    assert_eq!(bench.get("configmap/app-config", "{.data.text} {.data.revision}"), "one 1");
    assert!(bench.exists("secret/app-old"));
    assert_eq!(statuses(&target).await, "1:superseded 2:superseded 3:deployed");

    test(&target, &history(&target).await, &test_options()).await.result.unwrap();
    let attempt = uninstall(&target, &history(&target).await, &uninstall_options()).await;
    attempt.result.unwrap();
    assert!(!bench.exists("configmap/app-config"));
    assert_eq!(statuses(&target).await, "");
}

#[tokio::test]
async fn a_release_that_does_not_fit_its_secret_changes_nothing() {
    let bench = Bench::new("large").await;
    let target = bench.target("app");
    let mut large = chart("1.0.0", &[CONFIG, HOOKS]);
    let mut noise = 1_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.to_be_bytes()[0]
    })
    .take(2 << 20)
    .collect();
    large.files.push(helm_chart::ChartFile { name: "big.bin".to_owned(), bytes: bytes.into() });
    let desired = desired(large, &json!({}));
    let attempt = install(&target, &history(&target).await, &desired, &options()).await;
    let error = failure(&attempt);
    assert!(error.contains("`big.bin` (2097152 bytes)"), "{error}");
    assert!(!attempt.has_written());
    assert_eq!(bench.interruption.seen(), 0, "nothing is written");
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_not_taken() {
    let bench = Bench::new("owned").await;
    let target = bench.target("app");
    bench.namespace.kubectl(&["create", "configmap", "app-config"]).unwrap();
    let desired = desired(chart("1.0.0", &[CONFIG]), &json!({}));
    let strict = Options { take_ownership: false, ..options() };
    let attempt = install(&target, &history(&target).await, &desired, &strict).await;
    let namespace = bench.namespace.name();
    assert_eq!(
        failure(&attempt),
        format!(
            "unable to continue with install: ConfigMap \"app-config\" in namespace \"{namespace}\" exists \
             and cannot be imported into the current release: invalid ownership metadata; label \
             validation error: missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; \
             annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \
             \"app\"; annotation validation error: missing key \"meta.helm.sh/release-namespace\": must \
             be set to \"{namespace}\""
        )
    );
    released(install(&target, &history(&target).await, &desired, &options()).await);
}

#[tokio::test]
async fn a_refused_object_fails_the_release() {
    let bench = Bench::new("refused").await;
    let target = bench.target("app");
    let bad = "apiVersion: v1\nkind: Service\nmetadata:\n  name: bad\nspec:\n  ports:\n  - port: 99999999\n";
    let desired = desired(chart("1.0.0", &[CONFIG, ("bad.yaml", bad)]), &json!({}));
    let attempt = install(&target, &history(&target).await, &desired, &options()).await;
    let error = failure(&attempt);
    let wanted = format!(
        "server-side apply failed for object {}/bad /v1, Kind=Service: Service \"bad\" is invalid",
        bench.namespace.name()
    );
    assert!(error.starts_with(&wanted), "{error}");
    let record = attempt.release().unwrap();
    assert_eq!(record.info.description, format!("Release \"app\" failed: {error}"));
    assert_eq!(record.info.status, Status::Failed);
    let attempt = upgrade(&target, &history(&target).await, &desired, &options()).await;
    let again = failure(&attempt);
    assert!(again.starts_with("failed to create resource: server-side apply failed"), "{again}");
    let log = attempt.logs.to_string();
    assert!(
        log.contains(
            "Error creating resource via patch: {\"error\":{},\"gvk\":\"/v1, Kind=Service\""
        ),
        "{log}"
    );
}

#[tokio::test]
async fn history_is_kept_short_and_damage_is_told() {
    let bench = Bench::new("short").await;
    let target = bench.target("app");
    let small = Options { max_history: 2, ..options() };
    let wanted = |n: usize| desired(chart("1.0.0", &[CONFIG]), &json!({"text": n.to_string()}));
    released(install(&target, &history(&target).await, &wanted(0), &small).await);
    for n in 1..4 {
        released(upgrade(&target, &history(&target).await, &wanted(n), &small).await);
    }
    assert_eq!(statuses(&target).await, "3:superseded 4:deployed");
    let patch = r#"{"data":{"release":"bm90IGEgcmVjb3Jk"}}"#;
    let secret = "secret/sh.helm.release.v1.app.v4";
    bench.namespace.kubectl(&["patch", secret, "--type=merge", "-p", patch]).unwrap();
    let attempt = upgrade(&target, &history(&target).await, &wanted(9), &small).await;
    let error = failure(&attempt);
    assert!(error.starts_with("release record `sh.helm.release.v1.app.v4` is corrupt"), "{error}");
}

#[tokio::test]
async fn client_side_releases_stay_client_side() {
    let bench = Bench::new("csa").await;
    let target = bench.target("app");
    let client_side = Options { server_side_apply: ServerSideApply::Disabled, ..options() };
    let first = desired(chart("1.0.0", &[CONFIG, OLD]), &json!({"text": "one"}));
    released(install(&target, &history(&target).await, &first, &client_side).await);
    let patch = r#"{"data":{"mine":"yes"}}"#;
    bench
        .namespace
        .kubectl(&["patch", "configmap/app-config", "--type=merge", "-p", patch])
        .unwrap();
    let second = desired(chart("2.0.0", &[CONFIG, OLD]), &json!({"text": "two"}));
    let record = released(upgrade(&target, &history(&target).await, &second, &options()).await);
    assert_eq!(record.apply_method.as_deref(), Some("csa"));
    assert_eq!(bench.get("configmap/app-config", "{.data.text} {.data.mine}"), "two yes");
    let server_side = Options { server_side_apply: ServerSideApply::Enabled, ..options() };
    let third = desired(chart("3.0.0", &[CONFIG]), &json!({"text": "three"}));
    let record = released(upgrade(&target, &history(&target).await, &third, &server_side).await);
    assert_eq!(record.apply_method.as_deref(), Some("ssa"));
    let managers = "{range .metadata.managedFields[*]}{.manager}:{.operation} {end}";
    let managers = bench.get("configmap/app-config", managers);
    assert!(!managers.contains("helm-controller:Update"), "{managers}");
}

/// Objects whose lists have other keys than `name`, or none.
const WEB: (&str, &str) = (
    "web.yaml",
    r#"{{ $first := hasPrefix "1." .Chart.Version }}
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: {{ $first | ternary 80 8080 }}}
  {{- if $first }}
  - {name: admin, port: 81}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ .Release.Name }}}
rules:
- {apiGroups: [""], resources: [pods], verbs: {{ $first | ternary (list "get" "list") (list "get") | toJson }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  {{- if not $first }}
  strategy: {type: Recreate}
  {{- end }}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        ports: [{name: http, containerPort: {{ $first | ternary 80 8080 }}}]
        volumeMounts:
        - {name: data, mountPath: /data}
        {{- if $first }}
        - {name: data, mountPath: /old, subPath: old}
        {{- end }}
      volumes: [{name: data, emptyDir: {}}]
"#,
);

#[tokio::test]
async fn lists_of_client_side_releases_become_what_the_chart_says() {
    let bench = Bench::new("csa-lists").await;
    let target = bench.target("app");
    let client_side = Options { server_side_apply: ServerSideApply::Disabled, ..options() };
    let first = desired(chart("1.0.0", &[WEB]), &json!({}));
    released(install(&target, &history(&target).await, &first, &client_side).await);
    let second = desired(chart("2.0.0", &[WEB]), &json!({}));
    released(upgrade(&target, &history(&target).await, &second, &options()).await);
    assert_eq!(bench.get("service/app", "{.spec.ports[*].port}"), "8080");
    assert_eq!(
        bench.get("role/app", "{.rules}"),
        r#"[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]"#
    );
    let container = "{.spec.strategy.type} {.spec.template.spec.containers[0]['ports','volumeMounts'][*]['containerPort','mountPath']}";
    assert_eq!(bench.get("deployment/app", container), "Recreate 8080 /data");
    released(rollback(&target, &history(&target).await, 1, &options()).await);
    assert_eq!(bench.get("service/app", "{.spec.ports[*].port}"), "80 81");
}

#[tokio::test]
async fn why_a_test_failed_is_noted_for_who_comes_after() {
    let bench = Bench::new("test-fails").await;
    let target = bench.target("app");
    let bad = (
        "test.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-test\n  annotations:\n    \
         helm.sh/hook: test\nspec:\n  ports: [{port: 99999999}]\n",
    );
    let wanted = desired(chart("1.0.0", &[CONFIG, bad]), &json!({}));
    released(install(&target, &history(&target).await, &wanted, &options()).await);
    let attempt = test(&target, &history(&target).await, &test_options()).await;
    let error = failure(&attempt);
    assert!(error.contains("99999999"), "{error}");
    let stored = history(&target).await;
    let intent = stored.last().unwrap().intent.clone().unwrap();
    assert_eq!((intent.done, intent.failure), (true, Some(error)));
}

#[tokio::test]
async fn a_lock_that_nobody_holds_is_broken() {
    let bench = Bench::new("locked").await;
    let target = bench.target("app");
    let wanted = desired(chart("1.0.0", &[CONFIG]), &json!({}));
    bench.interruption.arm(3, testbed::Moment::Before);
    let (before, options) = (history(&target).await, options());
    tokio::select! {
        _ = install(&target, &before, &wanted, &options) => panic!("not cut"),
        () = bench.interruption.reached() => {}
    }
    bench.interruption.disarm();
    assert_eq!(statuses(&target).await, "1:pending-install");
    let attempt = unlock(&target, &history(&target).await).await;
    attempt.result.as_ref().unwrap();
    let description = &attempt.release().unwrap().info.description;
    assert_eq!(description, "Release unlocked from stale 'pending-install' state");
    released(upgrade(&target, &history(&target).await, &wanted, &options).await);
}

#[tokio::test]
async fn drift_is_found_and_put_right() {
    let bench = Bench::new("drift").await;
    let target = bench.target("app");
    let wanted = desired(chart("1.0.0", &[CONFIG, OLD]), &json!({"text": "one"}));
    let record = released(install(&target, &history(&target).await, &wanted, &options()).await);
    let rules = DriftRules::default();
    assert!(!find_drift(&target, &record, &rules).await.unwrap().has_drift());
    let patch = r#"{"data":{"text":"mine"}}"#;
    bench
        .namespace
        .kubectl(&["patch", "configmap/app-config", "--type=merge", "-p", patch])
        .unwrap();
    bench.namespace.kubectl(&["delete", "secret/app-old"]).unwrap();
    let report = find_drift(&target, &record, &rules).await.unwrap();
    let namespace = bench.namespace.name();
    assert_eq!(
        report.to_string(),
        format!(
            "Secret/{namespace}/app-old removed\n\
             ConfigMap/{namespace}/app-config changed (0 additions, 1 changes, 0 removals)"
        )
    );
    let limit = std::time::Duration::from_secs(10);
    let correction = correct_drift(&target, &report, limit).await;
    assert!(correction.failed.is_empty());
    assert_eq!(correction.corrected.len(), 2);
    assert!(!find_drift(&target, &record, &rules).await.unwrap().has_drift());
    assert_eq!(bench.get("configmap/app-config", "{.data.text}"), "one");
}
