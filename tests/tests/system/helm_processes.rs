//! What flags and signals make of a helm-controller. Each test has one for itself.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::{Kind, Scene, Shard};
use testbed::{ApiFault, ApiProxy, Usage, eventually};

use crate::releases::{
    apply, apply_plain, chart, condition, config_map, publish, publish_as, slow,
};

const SOON: Duration = Duration::from_mins(1);

/// A release of `demo` 1.0.0 that a controller of its own cares for, with `spec` over the usual
/// fields; `null` leaves one out.
fn apply_release(scene: &Scene, shard: &Shard, name: &str, spec: &Value) {
    let mut full =
        json!({"interval": "1h", "timeout": "5m", "chart": chart("demo", "demo", "1.0.0")});
    for (field, value) in spec.as_object().unwrap() {
        full[field] = value.clone();
    }
    full.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name}, "spec": full,
    });
    apply_plain(scene, &shard.object(release));
}

/// The statuses of all revisions: `1:superseded 2:deployed`.
async fn revisions(scene: &Scene, name: &str) -> String {
    let mut all = Vec::new();
    for secret in scene.list(Kind::Secret).await.unwrap() {
        let labels = &secret["metadata"]["labels"];
        if labels["name"] == name && labels["owner"] == "helm" {
            let text = |key: &str| labels[key].as_str().unwrap_or_default().to_owned();
            all.push(format!("{}:{}", text("version"), text("status")));
        }
    }
    all.sort();
    all.join(" ")
}

async fn until_revisions(scene: &Scene, name: &str, wanted: &str) {
    let end = eventually(SOON, || async {
        let found = revisions(scene, name).await;
        ensure!(found == wanted, "{name} has {found} instead of {wanted}");
        Ok(())
    });
    end.await.unwrap();
}

fn intent(record: &Value) -> String {
    let intent = &record["metadata"]["annotations"]["ferroflux.dev/intent"];
    intent.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_controller_that_is_asked_to_end_ends_within_a_wait_and_the_next_goes_on() {
    let scene = Scene::new("helm-ends").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let mut shard = Shard::start_helm(&scene, scene.world().cluster(), &[]).unwrap();
    let hook = config_map("{{ .Release.Name }}-hook", &json!({"helm.sh/hook": "pre-install"}));
    let held = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "{{ .Release.Name }}-held", "finalizers": ["example.com/hold"]},
    });
    let objects = |objects: &[&Value]| json!({"values": {"objects": objects}});
    apply_release(&scene, &shard, "app", &objects(&[&hook, &slow()]));
    apply_release(&scene, &shard, "goes", &objects(&[&held]));
    scene.until_ready(Kind::HelmRelease, "goes", "install succeeded").await.unwrap();
    scene.delete(Kind::HelmRelease, "goes").await.unwrap();
    until_revisions(&scene, "goes", "1:uninstalling").await;
    let leaving = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
    scene.until_object(SOON, Kind::ConfigMap, "goes-held", leaving).await.unwrap();
    until_revisions(&scene, "app", "1:pending-install").await;
    scene.until_object(SOON, Kind::Deployment, "app-slow", |_| true).await.unwrap();
    let hook = scene.get(Kind::ConfigMap, "app-hook").await.unwrap();

    // Both wait. It ends within the five seconds that the test bed gives it, and well.
    let took = shard.stop_and_restart(|| ()).unwrap();
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    for (name, action) in [("app", "install"), ("goes", "uninstall")] {
        let record = format!("sh.helm.release.v1.{name}.v1");
        let intent = intent(&scene.get(Kind::Secret, &record).await.unwrap());
        assert!(intent.contains(&format!("\"action\":\"{action}\"")), "{name}: {intent}");
    }
    let node = json!({"spec": {"template": {"spec": {"nodeName": "lab-node"}}}});
    scene.patch(Kind::Deployment, "app-slow", &node).await.unwrap();
    let free = json!({"metadata": {"finalizers": null}});
    scene.patch(Kind::ConfigMap, "goes-held", &free).await.unwrap();
    scene.until_ready(Kind::HelmRelease, "app", "/app.v1 ").await.unwrap();
    scene.until_gone(Kind::HelmRelease, "goes").await.unwrap();
    assert_eq!(revisions(&scene, "app").await, "1:deployed");
    assert_eq!(revisions(&scene, "goes").await, "");
    let hook_now = scene.get(Kind::ConfigMap, "app-hook").await.unwrap();
    assert_eq!(hook["metadata"]["uid"], hook_now["metadata"]["uid"], "the hook ran twice");
}

/// Whether an event tells that the waits of a release were called off because of `cause`.
async fn called_off(scene: &Scene, name: &str, cause: &str) {
    let message = format!("Health checks canceled due to new reconciliation triggered by {cause}");
    let end = eventually(SOON, || async {
        let events = scene.list(Kind::Event).await?;
        let found = events.iter().any(|event| {
            event["involvedObject"]["name"] == name
                && event["reason"] == "HealthCheckCanceled"
                && event["message"] == message.as_str()
        });
        ensure!(found, "there is no event `{message}`");
        Ok(())
    });
    end.await.unwrap();
}

#[tokio::test]
async fn a_change_calls_off_the_wait_for_what_it_makes_obsolete() {
    let scene = Scene::new("helm-calls").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let charts = publish(&scene, &["1.0.0"]);
    publish_as(&charts, "moves", "1.0.0", &[]);
    let gate = "--feature-gates=CancelHealthCheckOnNewRevision=true";
    let shard = Shard::start_helm(&scene, scene.world().cluster(), &[gate]).unwrap();
    let slow_values = json!({"objects": [slow()]});
    let login = |text: &str| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"},
            "stringData": {"values.yaml": text},
        });
        apply_plain(&scene, &secret);
    };
    login("text: first");
    let from = json!([{"kind": "Secret", "name": "login"}]);
    let undone = json!({"remediation": {"retries": 0, "remediateLastFailure": true}});
    let moves = json!({"chart": chart("demo", "moves", ">=1.0.0")});
    apply_release(&scene, &shard, "edited", &json!({}));
    apply_release(&scene, &shard, "moved", &moves);
    apply_release(&scene, &shard, "sourced", &json!({"valuesFrom": from}));
    apply_release(&scene, &shard, "asked", &json!({"upgrade": undone}));
    apply_release(&scene, &shard, "deleted", &json!({"values": slow_values}));
    for name in ["edited", "moved", "sourced", "asked"] {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
    }

    // All wait for what never gets ready.
    apply_release(&scene, &shard, "edited", &json!({"values": slow_values}));
    apply_release(&scene, &shard, "asked", &json!({"values": slow_values, "upgrade": undone}));
    let template = slow().to_string();
    publish_as(&charts, "moves", "1.1.0", &[("templates/slow.yaml", &template)]);
    scene.request_reconcile(Kind::HelmRepository, "demo", "1").await.unwrap();
    login(&slow_values.to_string());
    for name in ["edited", "moved", "sourced", "asked"] {
        until_revisions(&scene, name, "1:deployed 2:pending-upgrade").await;
        let waited_for = format!("{name}-slow");
        scene.until_object(SOON, Kind::Deployment, &waited_for, |_| true).await.unwrap();
    }
    until_revisions(&scene, "deleted", "1:pending-install").await;

    apply_release(&scene, &shard, "edited", &json!({}));
    publish_as(&charts, "moves", "1.2.0", &[]);
    scene.request_reconcile(Kind::HelmRepository, "demo", "2").await.unwrap();
    login("text: second");
    scene.request_reconcile(Kind::HelmRelease, "asked", "1").await.unwrap();
    scene.delete(Kind::HelmRelease, "deleted").await.unwrap();
    for (name, cause) in [
        ("edited", format!("HelmRelease/{namespace}/edited")),
        ("moved", format!("HelmChart/{namespace}/{namespace}-moved")),
        ("sourced", format!("Secret/{namespace}/login")),
    ] {
        scene.until_ready(Kind::HelmRelease, name, &format!("/{name}.v3 ")).await.unwrap();
        assert_eq!(revisions(&scene, name).await, "1:superseded 2:failed 3:deployed", "{name}");
        called_off(&scene, name, &cause).await;
    }
    // Nothing else is wanted: the failure is met as it would be without the request.
    until_revisions(&scene, "asked", "1:superseded 2:failed 3:deployed").await;
    called_off(&scene, "asked", &format!("HelmRelease/{namespace}/asked")).await;
    let (status, _, told) = condition(&scene, "asked", "Remediated").await;
    assert_eq!(status, "True", "{told}");
    scene.until_gone(Kind::HelmRelease, "deleted").await.unwrap();
    assert_eq!(revisions(&scene, "deleted").await, "");
}

#[tokio::test]
async fn so_many_actions_are_carried_out_at_once_as_it_is_said() {
    const RELEASES: usize = 8;
    let scene = Scene::new("helm-bounds").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let dir = tempfile::tempdir().unwrap();
    let proxy = ApiProxy::start(scene.world().cluster(), dir.path()).await.unwrap();
    let shard = Shard::start_helm(&scene, proxy.cluster(), &["--concurrent=1"]).unwrap();
    // One that waits holds nobody up.
    apply_release(&scene, &shard, "waits", &json!({"values": {"objects": [slow()]}}));
    scene.until_object(SOON, Kind::Deployment, "waits-slow", |_| true).await.unwrap();
    let begun = proxy.interruption().sent().len();
    // They wait for nothing, so that their writes stand together.
    let restless = json!({"install": {"disableWait": true}});
    for n in 0..RELEASES {
        apply_release(&scene, &shard, &format!("app-{n}"), &restless);
    }
    for n in 0..RELEASES {
        let name = format!("app-{n}");
        scene.until_ready(Kind::HelmRelease, &name, "install succeeded").await.unwrap();
    }
    let sent = proxy.interruption().sent().split_off(begun);
    let of_actions = |line: &&String| line.contains("/secrets") || line.contains("/configmaps/");
    let of_actions: Vec<&String> = sent.iter().filter(of_actions).collect();
    let mut order = String::new();
    for action in of_actions.chunks(3) {
        let [create, apply, update] = action else { panic!("{action:?}") };
        let (_, name) = apply.rsplit_once('/').unwrap();
        let name = name.trim_end_matches("-config");
        assert!(create.starts_with("POST ") && create.ends_with("/secrets"), "{sent:#?}");
        assert!(update.starts_with("PUT ") && update.contains(name), "{sent:#?}");
        order.push_str(name);
    }
    assert_eq!(of_actions.len(), 3 * RELEASES, "{order}");
}

#[tokio::test]
async fn a_chart_may_come_as_an_external_artifact_where_that_is_allowed() {
    let scene = Scene::new("helm-external").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let _charts = publish(&scene, &["1.0.0"]);
    let spec = json!({"chart": "demo", "version": "1.0.0", "interval": "1h", "sourceRef": {"kind": "HelmRepository", "name": "demo"}});
    apply(&scene, "source.toolkit.fluxcd.io/v1", "HelmChart", "demo", &spec);
    scene.until_ready(Kind::HelmChart, "demo", "pulled").await.unwrap();
    let artifact = scene.get(Kind::HelmChart, "demo").await.unwrap()["status"]["artifact"].clone();
    let source = json!({"apiVersion": "example.com/v1", "kind": "Maker", "name": "demo"});
    let spec = json!({"sourceRef": source});
    apply(&scene, "source.toolkit.fluxcd.io/v1", "ExternalArtifact", "made", &spec);
    let of_made = json!({"chart": null, "chartRef": {"kind": "ExternalArtifact", "name": "made"}});
    let gate = "--feature-gates=ExternalArtifact=true";
    let allowed = Shard::start_helm(&scene, scene.world().cluster(), &[gate]).unwrap();
    apply_release(&scene, &allowed, "app", &of_made);
    let part =
        format!("ExternalArtifact '{namespace}/made' is not ready: does not have an artifact");
    scene.until_failed(Kind::HelmRelease, "app", &part).await.unwrap();
    let change = json!({"status": {"artifact": artifact}}).to_string();
    let patch = ["patch", "externalartifact", "made", "--subresource=status", "--type=merge", "-p"];
    scene.namespace().kubectl(&[&patch[..], &[&change]].concat()).unwrap();
    scene.until_ready(Kind::HelmRelease, "app", "/app.v1 with chart demo@1.0.0").await.unwrap();

    let shard = Shard::start_helm(&scene, scene.world().cluster(), &[]).unwrap();
    apply_release(&scene, &shard, "denied", &of_made);
    let part = format!(
        "can't access 'ExternalArtifact/{namespace}/made', ExternalArtifact feature gate is disabled"
    );
    let ready = scene.until_failed(Kind::HelmRelease, "denied", &part).await.unwrap();
    assert_eq!(ready.reason, "AccessDenied");
}

#[tokio::test]
async fn the_default_service_account_is_used_where_none_is_named() {
    let scene = Scene::new("helm-tenant").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let charts = publish(&scene, &["1.0.0"]);
    let account = "--default-service-account=tenant";
    let shard = Shard::start_helm(&scene, scene.world().cluster(), &[account]).unwrap();
    apply_release(&scene, &shard, "app", &json!({}));
    apply_release(&scene, &shard, "other", &json!({"serviceAccountName": "other"}));
    for (name, account) in [("app", "tenant"), ("other", "other")] {
        let part = format!(
            "secrets is forbidden: User \"system:serviceaccount:{namespace}:{account}\" cannot list"
        );
        scene.until_failed(Kind::HelmRelease, name, &part).await.unwrap();
    }
    // One more right, and it goes on.
    let rules = json!([
        {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["*"]},
    ]);
    let object = |kind: &str, more: Value| {
        let mut object = more;
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": "tenant"});
        apply_plain(&scene, &object);
    };
    object("ServiceAccount", json!({"apiVersion": "v1"}));
    let group = "rbac.authorization.k8s.io";
    object("Role", json!({"apiVersion": format!("{group}/v1"), "rules": rules}));
    let role = json!({"apiGroup": group, "kind": "Role", "name": "tenant"});
    let subjects = json!([{"kind": "ServiceAccount", "name": "tenant", "namespace": namespace}]);
    object(
        "RoleBinding",
        json!({"apiVersion": format!("{group}/v1"), "roleRef": role, "subjects": subjects}),
    );
    scene.request_reconcile(Kind::HelmRelease, "app", "1").await.unwrap();
    scene.until_ready(Kind::HelmRelease, "app", "install succeeded").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "other-config").await.unwrap());

    // Nothing is done with other rights: not hooks, objects, definitions, namespaces and look-ups.
    let values = |object: &Value| json!({"values": {"objects": [object]}});
    let service = |annotations: Value| {
        let metadata = json!({"name": "{{ .Release.Name }}", "annotations": annotations});
        let spec = json!({"ports": [{"port": 80}]});
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    };
    let looking = "{{ (lookup \"v1\" \"Node\" \"\" \"\") | toYaml }}";
    let defining = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: \
                    {name: x.example.com}\n";
    publish_as(&charts, "looks", "1.0.0", &[("templates/look.yaml", looking)]);
    publish_as(&charts, "defines", "1.0.0", &[("crds/x.yaml", defining)]);
    scene.request_reconcile(Kind::HelmRepository, "demo", "1").await.unwrap();
    let hook = service(json!({"helm.sh/hook": "pre-install"}));
    let elsewhere = json!({
        "targetNamespace": format!("{namespace}-x"),
        "storageNamespace": namespace,
        "install": {"createNamespace": true},
    });
    for (name, spec, resource) in [
        ("hooks", values(&hook), "services"),
        ("objects", values(&service(json!({}))), "services"),
        ("looks", json!({"chart": chart("demo", "looks", "1.0.0")}), "nodes"),
        (
            "defines",
            json!({"chart": chart("demo", "defines", "1.0.0")}),
            "customresourcedefinitions",
        ),
        ("elsewhere", elsewhere, "namespaces"),
    ] {
        apply_release(&scene, &shard, name, &spec);
        let who = format!("User \"system:serviceaccount:{namespace}:tenant\" cannot");
        let ready = scene.until_failed(Kind::HelmRelease, name, &who).await.unwrap();
        assert!(ready.message.contains(&format!("resource \"{resource}\"")), "{name}: {ready:?}");
    }

    // It also removes the release, and nobody else does.
    scene.delete(Kind::HelmRelease, "app").await.unwrap();
    scene.until_gone(Kind::HelmRelease, "app").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "app-config").await.unwrap());
}

/// What an API server that restarts looks like from here: it is too busy, its watches end, and what
/// they would begin with is forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disturbed_api_server_costs_no_revision_and_no_second_hook() {
    const RELEASES: usize = 6;
    let scene = Scene::new("helm-disturbed").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let dir = tempfile::tempdir().unwrap();
    let proxy = ApiProxy::start(scene.world().cluster(), dir.path()).await.unwrap();
    let shard = Shard::start_helm(&scene, proxy.cluster(), &[]).unwrap();
    let hook = config_map("{{ .Release.Name }}-hook", &json!({"helm.sh/hook": "pre-upgrade"}));
    let names: Vec<String> = (0..RELEASES).map(|n| format!("app-{n}")).collect();
    let spec = |text: &str| json!({"values": {"objects": [hook], "text": text}});
    for name in &names {
        apply_release(&scene, &shard, name, &spec("one"));
    }
    for name in &names {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
    }
    let begun = proxy.interruption().sent().len();
    let faults =
        [ApiFault::TooBusy, ApiFault::GoneByStatus, ApiFault::TooBusy, ApiFault::GoneByEvent];
    for (name, fault) in names.iter().zip(faults.into_iter().cycle()) {
        apply_release(&scene, &shard, name, &spec("two"));
        let writes = proxy.interruption().sent().len();
        proxy.set_fault(Some(fault));
        proxy.break_watches();
        proxy.take_requests();
        let asked = eventually(SOON, || async {
            ensure!(!proxy.take_requests().is_empty(), "nobody asks");
            Ok(())
        });
        asked.await.unwrap();
        proxy.set_fault(None);
        // The next fault comes in the middle of something.
        let goes_on = eventually(SOON, || async {
            ensure!(proxy.interruption().sent().len() > writes, "nothing is written");
            Ok(())
        });
        goes_on.await.unwrap();
    }
    for name in &names {
        scene.until_ready(Kind::HelmRelease, name, &format!("/{name}.v2 ")).await.unwrap();
        assert_eq!(revisions(&scene, name).await, "1:superseded 2:deployed");
    }
    let sent = proxy.interruption().sent().split_off(begun);
    for name in &names {
        let path = format!("/configmaps/{name}-hook");
        let hooks = sent.iter().filter(|line| line.starts_with("PATCH ") && line.ends_with(&path));
        assert_eq!(hooks.count(), 1, "{name}: {sent:#?}");
    }
}

#[tokio::test]
async fn large_charts_are_released_in_little_memory() {
    const RELEASES: usize = 24;
    let scene = Scene::new("helm-memory").await.unwrap();
    let charts = publish(&scene, &["1.0.0"]);
    let mut state = 1_u64;
    let mut noise = || {
        let random = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'0' + u8::try_from(state >> 58).unwrap())
        });
        random.take(700 << 10).collect::<String>()
    };
    for n in 0..RELEASES {
        publish_as(&charts, &format!("fat-{n}"), "1.0.0", &[("files/noise", &noise())]);
    }
    scene.request_reconcile(Kind::HelmRepository, "demo", "1").await.unwrap();
    let shard = Shard::start_helm(&scene, scene.world().cluster(), &[]).unwrap();
    apply_release(&scene, &shard, "small", &json!({}));
    scene.until_ready(Kind::HelmRelease, "small", "install succeeded").await.unwrap();
    // Most of it is the program itself, which is not optimised here.
    let mib = |bytes: u64| bytes >> 20;
    let before = mib(Usage::of(shard.pid()).unwrap().rss_bytes);
    for n in 0..RELEASES {
        let name = format!("fat-{n}");
        apply_release(&scene, &shard, &name, &json!({"chart": chart("demo", &name, "1.0.0")}));
    }
    for n in 0..RELEASES {
        let name = format!("fat-{n}");
        scene.until_ready(Kind::HelmRelease, &name, "install succeeded").await.unwrap();
    }
    let peak = mib(Usage::of(shard.pid()).unwrap().peak_rss_bytes);
    // All charts and records have 35 MiB together; each is encoded several times.
    assert!(peak - before < 80, "it took {before} MiB, then {peak} MiB");
}
