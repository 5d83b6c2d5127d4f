//! What people and repositories get wrong: it is told, nobody else suffers, and putting it right is
//! enough.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::{ChartServer, eventually};

use crate::releases::{
    apply_plain, apply_release, apply_repository, chart, condition, config_map, job, publish,
    publish_as,
};

/// A release that cannot be installed.
struct Case {
    name: &'static str,
    bad: Value,
    reason: &'static str,
    message: String,
    /// What to put over the specification to heal it.
    good: Value,
}

fn case(name: &'static str, bad: Value, reason: &'static str, message: &str, good: Value) -> Case {
    Case { name, bad, reason, message: message.to_owned(), good }
}

fn objects(objects: &[Value]) -> Value {
    json!({"values": {"objects": objects}, "timeout": "3s"})
}

fn cases(namespace: &str) -> Vec<Case> {
    let version = |version: &str| json!({"chart": chart("demo", "demo", version)});
    let plain = json!({"values": {}, "timeout": "45s"});
    let hook = json!({"helm.sh/hook": "pre-install,pre-upgrade"});
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "bad"},
        "spec": {"ports": [{"port": 99_999_999}]},
    });
    let missing = "invalid chart reference: failed to get chart version for remote reference: ";
    vec![
        case(
            "missing-chart",
            json!({"chart": chart("demo", "nothing", "*")}),
            "SourceNotReady",
            &format!(
                "HelmChart '{namespace}/{namespace}-missing-chart' is not ready: {missing}no chart \
                 name found"
            ),
            version("1.0.0"),
        ),
        case(
            "no-version",
            version(">9"),
            "SourceNotReady",
            &format!("{missing}no 'demo' chart with version matching '>9' found"),
            version(">=1"),
        ),
        case(
            "schema",
            json!({"values": {"count": "many"}}),
            "InstallFailed",
            "Helm install failed for release NAMESPACE/schema with chart demo@1.0.0: values don't \
             meet the specifications of the schema(s) in the following chart(s):\ndemo:\n- at \
             '/count': got string, want integer",
            json!({"values": {"count": 3}}),
        ),
        case(
            "template",
            json!({"values": {"broken": true}}),
            "InstallFailed",
            "execution error at (demo/templates/fail.yaml:1:26): values.broken is set",
            plain.clone(),
        ),
        case(
            "hook-fails",
            objects(&[job("fails", &hook, Some(1))]),
            "InstallFailed",
            &format!(
                "failed pre-install: failed early due to stalled resources: [Job/{namespace}/fails \
                 status: 'Failed']"
            ),
            plain.clone(),
        ),
        case(
            "hook-hangs",
            objects(&[job("hangs", &hook, None)]),
            "InstallFailed",
            &format!(
                "failed pre-install: timeout waiting for: [Job/{namespace}/hangs status: \
                 'InProgress']"
            ),
            plain.clone(),
        ),
        case(
            "rejected",
            objects(&[service]),
            "InstallFailed",
            "Kind=Service: Service \"bad\" is invalid: [spec.ports[0].port: Invalid value: 99999999",
            plain.clone(),
        ),
        case(
            "forbidden",
            json!({"serviceAccountName": "nobody"}),
            "StateError",
            &format!(
                "Could not determine release state: query: failed to query with labels: secrets is \
                 forbidden: User \
                 \"system:serviceaccount:{namespace}:nobody\" cannot list resource \"secrets\""
            ),
            json!({"serviceAccountName": null}),
        ),
        case(
            "unreachable",
            json!({"kubeConfig": {"secretRef": {"name": "nowhere"}}}),
            "StateError",
            "Could not determine release state: query: failed to query with labels: cannot reach \
             the API server",
            json!({"kubeConfig": null}),
        ),
        case(
            "values-missing",
            json!({"valuesFrom": [{"kind": "ConfigMap", "name": "later"}]}),
            "ValuesError",
            "could not resolve ConfigMap chart values reference 'NAMESPACE/later' with key \
             'values.yaml': configmaps \"later\" not found",
            json!({"valuesFrom": []}),
        ),
    ]
}

/// A kubeconfig of a cluster that nobody serves.
fn nowhere() -> Value {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "none"}}],
    });
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nowhere"},
        "stringData": {"value": kubeconfig.to_string()},
    })
}

#[tokio::test]
async fn what_is_wrong_is_told_hurts_nobody_else_and_heals() {
    let scene = Scene::new("helm-wrong").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let _charts = publish(&scene, &["1.0.0"]);
    scene.namespace().kubectl(&["create", "serviceaccount", "nobody"]).unwrap();
    apply_plain(&scene, &nowhere());
    apply_release(&scene, "steady", &json!({}));
    scene.until_ready(Kind::HelmRelease, "steady", "/steady.v1 ").await.unwrap();
    let cases = cases(&namespace);
    for case in &cases {
        apply_release(&scene, case.name, &case.bad);
    }
    for case in &cases {
        let message = case.message.replace("NAMESPACE", &namespace);
        let ready = scene.until_failed(Kind::HelmRelease, case.name, &message).await.unwrap();
        assert_eq!(ready.reason, case.reason, "{}: {ready:?}", case.name);
    }
    let ready = scene.ready(Kind::HelmRelease, "steady").await.unwrap();
    assert!(ready.status == "True" && ready.message.contains("/steady.v1 "), "{ready:?}");
    for case in &cases {
        let mut spec = case.bad.clone();
        for (field, value) in case.good.as_object().unwrap() {
            spec[field] = value.clone();
        }
        apply_release(&scene, case.name, &spec);
    }
    for case in &cases {
        scene.until_ready(Kind::HelmRelease, case.name, " succeeded for ").await.unwrap();
    }
}

#[tokio::test]
async fn what_a_repository_breaks_is_told_and_heals() {
    let scene = Scene::new("helm-torn").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let charts = ChartServer::http().unwrap();
    publish_as(&charts, "demo", "1.0.0", &[]);
    charts.put("/index.yaml", "no: [index");
    apply_repository(&scene, "torn", charts.url());
    apply_release(&scene, "index", &json!({"chart": chart("torn", "demo", "1.0.0")}));
    let of_source = format!("HelmChart '{namespace}/{namespace}-index' is not ready: ");
    let ready = scene.until_failed(Kind::HelmRelease, "index", &of_source).await.unwrap();
    assert_eq!(ready.reason, "SourceNotReady", "{ready:?}");
    let part = "failed to load Helm repository from index YAML";
    scene.until_failed(Kind::HelmRepository, "torn", part).await.unwrap();

    // A digest that is not the archive's.
    let index = |digest: &str| {
        format!(
            "apiVersion: v1\nentries:\n  demo:\n  - apiVersion: v2\n    name: demo\n    version: \
             1.0.0\n{digest}    urls: [demo-1.0.0.tgz]\n"
        )
    };
    let other = "ab".repeat(32);
    charts.put("/index.yaml", index(&format!("    digest: {other}\n")));
    scene.request_reconcile(Kind::HelmRepository, "torn", "1").await.unwrap();
    let ready = scene.until_failed(Kind::HelmRelease, "index", "digest").await.unwrap();
    assert_eq!(ready.reason, "SourceNotReady", "{ready:?}");
    assert!(!scene.exists(Kind::ConfigMap, "index-config").await.unwrap());

    charts.put("/index.yaml", index(""));
    scene.request_reconcile(Kind::HelmRepository, "torn", "2").await.unwrap();
    scene.until_ready(Kind::HelmRelease, "index", "install succeeded").await.unwrap();
}

#[tokio::test]
async fn a_corrupt_record_is_named_and_healed_by_its_removal() {
    let scene = Scene::new("helm-record").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    for name in ["torn", "steady"] {
        apply_release(&scene, name, &json!({}));
    }
    for name in ["torn", "steady"] {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
    }
    let record = "sh.helm.release.v1.torn.v1";
    let intact = scene.get(Kind::Secret, record).await.unwrap()["data"].clone();
    let torn = json!({"data": {"release": "bm90aGluZw=="}});
    scene.patch(Kind::Secret, record, &torn).await.unwrap();
    apply_release(&scene, "torn", &json!({"values": {"text": "new"}}));
    let ready = scene.until_failed(Kind::HelmRelease, "torn", record).await.unwrap();
    assert_eq!(ready.reason, "StateError", "{ready:?}");
    apply_release(&scene, "steady", &json!({"values": {"text": "new"}}));
    scene.until_ready(Kind::HelmRelease, "steady", "/steady.v2 ").await.unwrap();
    scene.patch(Kind::Secret, record, &json!({"data": intact})).await.unwrap();
    scene.request_reconcile(Kind::HelmRelease, "torn", "1").await.unwrap();
    scene.until_ready(Kind::HelmRelease, "torn", "/torn.v2 ").await.unwrap();
}

#[tokio::test]
async fn a_failed_test_counts_unless_it_is_ignored_or_left_out() {
    let scene = Scene::new("helm-tests").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let hook = json!({"helm.sh/hook": "test"});
    // Names of objects are those of their releases, so that these do not meet.
    let fails = job("{{ .Release.Name }}-fails", &hook, Some(1));
    let passes = config_map("{{ .Release.Name }}-passes", &hook);
    let values = json!({"objects": [fails, passes]});
    let with = |test: Value| json!({"values": values, "test": test});
    apply_release(&scene, "counts", &with(json!({"enable": true, "timeout": "20s"})));
    apply_release(&scene, "ignores", &with(json!({"enable": true, "ignoreFailures": true})));
    let left_out = json!([{"name": "filters-fails", "exclude": true}]);
    apply_release(&scene, "filters", &with(json!({"enable": true, "filters": left_out})));
    apply_release(&scene, "untested", &json!({"values": values}));
    let ready = scene.until_failed(Kind::HelmRelease, "counts", "Helm test failed").await.unwrap();
    assert_eq!(ready.reason, "TestFailed");
    scene.until_ready(Kind::HelmRelease, "ignores", "install succeeded").await.unwrap();
    // Ready does not wait for tests whose failures are ignored.
    eventually(Duration::from_secs(40), || async {
        let (status, reason, _) = condition(&scene, "ignores", "TestSuccess").await;
        anyhow::ensure!(status == "False" && reason == "TestFailed", "{status} {reason}");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(scene.ready(Kind::HelmRelease, "ignores").await.unwrap().status, "True");
    let said = "1 test hook completed successfully";
    scene.until_ready(Kind::HelmRelease, "filters", said).await.unwrap();
    scene.until_ready(Kind::HelmRelease, "untested", "install succeeded").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "untested-passes").await.unwrap());
}
