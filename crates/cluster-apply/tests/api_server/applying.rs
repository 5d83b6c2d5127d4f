//! Apply: what is written, what is left alone, and what it costs.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cluster_apply::{Action, ApplyOptions, IgnoredFields, Owner, TenantClient, apply};
use manifest::Object;
use serde_json::{Value, json};
use testbed::eventually;

use super::{Bench, managers, text};
use Action::{Configured, Created, Skipped, Unchanged};

#[tokio::test]
async fn a_new_object_costs_two_requests_and_an_unchanged_one_costs_one() {
    let bench = Bench::new("cost").await;
    let mut objects: Vec<Value> =
        (0..8).map(|n| bench.config_map(&format!("c{n}"), &json!({"k": "v"}))).collect();
    objects.push(bench.deployment("web", 1));
    objects.push(json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": bench.namespace.name()},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}));
    assert_eq!(bench.actions(&objects).await, [Created; 10]);
    let requests = bench.requests();
    assert_eq!(requests["dry-run"], 10, "{requests:?}");
    assert_eq!(requests["apply"], 10, "{requests:?}");
    assert_eq!(requests.len(), 2, "{requests:?}");

    // The status of the Deployment moves its resource version meanwhile.
    bench.namespace.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
    assert_eq!(bench.actions(&objects).await, [Unchanged; 10]);
    assert_eq!(bench.actions(&objects).await, [Unchanged; 10]);
    let requests = bench.requests();
    assert_eq!(requests["dry-run"], 30, "{requests:?}");
    assert_eq!(requests["apply"], 10, "{requests:?}");
    assert!(requests.get("get").is_none_or(|gets| *gets <= 1), "{requests:?}");

    objects[3]["data"]["k"] = json!("new");
    let mut expected = [Unchanged; 10];
    expected[3] = Configured;
    assert_eq!(bench.actions(&objects).await, expected);
}

#[tokio::test]
async fn what_kubectl_did_is_undone_and_what_others_did_stays() {
    let bench = Bench::new("undone").await;
    let config = [bench.config_map("config", &json!({"key": "git"}))];
    bench.actions(&config).await;
    let edit = r#"{"data":{"key":"edited","mine":"1"}}"#;
    bench.namespace.kubectl(&["patch", "configmap/config", "--type=merge", "-p", edit]).unwrap();
    let theirs = r#"{"data":{"theirs":"1"}}"#;
    let as_other = ["patch", "cm/config", "--type=merge", "--field-manager=other", "-p", theirs];
    bench.namespace.kubectl(&as_other).unwrap();
    assert_eq!(bench.actions(&config).await, [Configured]);
    let live = bench.get("configmap/config");
    assert_eq!(live["data"], json!({"key": "git", "theirs": "1"}));
    assert_eq!(managers(&live), ["kustomize-controller Apply", "other Update"]);
    assert_eq!(bench.actions(&config).await, [Unchanged]);
}

#[tokio::test]
async fn what_kubectl_applied_is_taken_over() {
    let bench = Bench::new("takeover").await;
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {old: x}}";
    let cluster = bench.namespace.cluster();
    let args = ["-n", bench.namespace.name(), "apply", "-f", "-"];
    cluster.kubectl_with_input(&args, manifest).unwrap();
    let config = [bench.config_map("config", &json!({"new": "y"}))];
    assert_eq!(bench.actions(&config).await, [Configured]);
    let live = bench.get("configmap/config");
    assert_eq!(live["data"], json!({"new": "y"}));
    assert_eq!(live["metadata"].get("annotations"), None);
    assert_eq!(managers(&live), ["kustomize-controller Apply"]);
}

#[tokio::test]
async fn one_invalid_object_means_that_nothing_is_written() {
    let bench = Bench::new("invalid").await;
    let service = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": bench.namespace.name()},
        "spec": {"ports": [{"port": 99_999_999}]}});
    let objects = [bench.config_map("config", &json!({})), service];
    let failure = bench.apply(&objects).await.unwrap_err();
    assert_eq!(
        text(&failure),
        format!(
            "Service/{}/web dry-run failed (Invalid): Service \"web\" is invalid: \
             [spec.ports[0].port: Invalid value: 99999999: must be between 1 and 65535, inclusive, \
             spec.ports[0].targetPort: Invalid value: 99999999: must be between 1 and 65535, \
             inclusive]",
            bench.namespace.name()
        )
    );
    assert!(failure.done.entries.is_empty());
    assert!(!bench.exists("configmap/config"));
}

#[tokio::test]
async fn with_best_effort_the_others_are_written_and_all_failures_told() {
    let mut bench = Bench::new("effort").await;
    bench.options.best_effort = true;
    let name = bench.namespace.name().to_owned();
    let mut objects: Vec<_> =
        (0..98).map(|n| bench.config_map(&format!("m{n:02}"), &json!({}))).collect();
    for service in ["bad-1", "bad-2"] {
        objects.push(json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": service, "namespace": name}, "spec": {"ports": [{"port": 0}]}}));
    }
    objects.push(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "lost", "namespace": "nowhere"}}));
    let failure = bench.apply(&objects).await.unwrap_err();
    assert_eq!(failure.done.entries.len(), 98);
    let message = failure.message();
    let told: Vec<_> = message.lines().filter_map(|line| line.split(' ').next()).collect();
    let services = ["bad-1", "bad-2"].map(|service| format!("Service/{name}/{service}"));
    assert_eq!(told, ["ConfigMap/nowhere/lost", &services[0], &services[1]], "{message}");
    assert!(bench.exists("configmap/m97"));
    assert_eq!(bench.actions(&objects[..98]).await, [Unchanged; 98]);
}

/// A webhook that takes requests and never answers.
#[tokio::test]
async fn requests_that_hang_end_with_the_limit() {
    let mut bench = Bench::new("limit").await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let name = bench.namespace.name().to_owned();
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{
            "name": "hangs.example.com", "clientConfig": {"url": url}, "sideEffects": "None",
            "admissionReviewVersions": ["v1"], "timeoutSeconds": 20,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"],
                       "resources": ["configmaps"]}],
        }],
    });
    bench.namespace.cluster().apply(&webhook.to_string()).unwrap();
    bench.options.limit = Some(Duration::from_millis(700));
    let objects = [bench.config_map("a", &json!({}))];
    // The API server takes a moment to learn of the webhook.
    let failure = eventually(Duration::from_secs(30), || async {
        let began = Instant::now();
        let failure = bench.apply(&objects).await.err().context("nothing hangs yet")?;
        anyhow::Ok((failure, began.elapsed()))
    })
    .await;
    bench
        .namespace
        .cluster()
        .kubectl(&["delete", "validatingwebhookconfiguration", &name])
        .unwrap();
    let (failure, took) = failure.unwrap();
    assert_eq!(text(&failure), "apply timed out after 700ms");
    assert!(took < Duration::from_secs(10), "it took {took:?}");
}

#[tokio::test]
async fn what_cannot_be_addressed_is_told_as_flux_tells_it() {
    let bench = Bench::new("address").await;
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}});
    let failure = bench.apply(std::slice::from_ref(&config)).await.unwrap_err();
    assert_eq!(
        text(&failure),
        "ConfigMap/config namespace not specified: the server could not find the requested resource"
    );
    let mut lost = config.clone();
    lost["metadata"]["namespace"] = json!("nowhere");
    assert_eq!(
        text(&bench.apply(&[lost]).await.unwrap_err()),
        "ConfigMap/nowhere/config not found: namespaces \"nowhere\" not found"
    );
    let mut unknown = config.clone();
    unknown["apiVersion"] = json!("example.com/v1");
    unknown["kind"] = json!("Nothing");
    assert_eq!(
        text(&bench.apply(&[unknown]).await.unwrap_err()),
        "Nothing/config dry-run failed: no matches for kind \"Nothing\" in version \"example.com/v1\""
    );
    let mut hostile = config;
    hostile["metadata"]["namespace"] = json!("../../kube-system");
    let failure = text(&bench.apply(&[hostile]).await.unwrap_err());
    assert!(failure.contains("invalid resource name"), "{failure}");
}

/// `spec.ignore` for the replicas of Deployments.
#[derive(Debug)]
struct Replicas;

impl IgnoredFields for Replicas {
    fn of(&self, object: &Object) -> Vec<String> {
        if object.kind() == "Deployment" { vec!["/spec/replicas".to_owned()] } else { Vec::new() }
    }
}

#[tokio::test]
async fn ignored_fields_are_left_to_others() {
    let mut bench = Bench::new("ignore").await;
    bench.options.ignore = Some(std::sync::Arc::new(Replicas));
    let mut workload = bench.deployment("web", 1);
    assert_eq!(bench.actions(std::slice::from_ref(&workload)).await, [Created]);
    let scale = r#"{"spec":{"replicas":3}}"#;
    let args = ["patch", "deployment/web", "-p", scale, "--field-manager=someone"];
    bench.namespace.kubectl(&args).unwrap();
    assert_eq!(bench.actions(std::slice::from_ref(&workload)).await, [Unchanged]);
    let managers = managers(&bench.get("deployment/web"));
    assert!(managers.contains(&"someone Update".to_owned()), "{managers:?}");
    workload["spec"]["template"]["spec"]["containers"][0]["image"] = json!("j");
    assert_eq!(bench.actions(&[workload]).await, [Configured]);
    let live = bench.get("deployment/web");
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "j");
}

#[tokio::test]
async fn fields_that_kubernetes_does_not_know_are_dropped() {
    let bench = Bench::new("unknown").await;
    let mut config = bench.config_map("config", &json!({}));
    config["dat"] = json!({"tpyo": 1});
    let mut workload = bench.deployment("web", 0);
    workload["spec"]["tpyo"] = json!(1);
    workload["spec"]["template"]["spec"]["containers"][0]["tpyo"] = json!({"a": 1});
    workload["spec"]["template"]["spec"]["containers"][0]["resources"] = Value::Null;
    let objects = [config, workload];
    assert_eq!(bench.actions(&objects).await, [Created; 2]);
    assert_eq!(bench.actions(&objects).await, [Unchanged; 2]);
}

#[tokio::test]
async fn a_secret_is_never_quoted() {
    let bench = Bench::new("quoted").await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s", "namespace": bench.namespace.name()},
        "stringData": {"password": ["hunter2"]}});
    let failure = bench.apply(&[secret]).await.unwrap_err();
    assert_eq!(
        text(&failure),
        format!(
            "Secret/{0}/s dry-run failed: failed to create typed patch object ({0}/s; /v1, \
             Kind=Secret): .stringData.password: expected string",
            bench.namespace.name()
        )
    );
    assert!(!format!("{failure:?}").contains("hunter2"));
}

#[tokio::test]
async fn definitions_and_namespaces_come_before_what_needs_them() {
    let bench = Bench::new("stages").await;
    let name = bench.namespace.name();
    let group = format!("{name}.example.com");
    let made = format!("{name}-made");
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object",
                    "x-kubernetes-preserve-unknown-fields": true}}}]}});
    let thing = json!({"apiVersion": format!("{group}/v1"), "kind": "Thing",
        "metadata": {"name": "one", "namespace": name}});
    let inside = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "inside", "namespace": made}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made}});
    let done = bench.apply(&[thing, inside, namespace, definition]).await;
    assert_eq!(
        done.unwrap_or_else(|f| panic!("{}", text(&f))).log(),
        format!(
            "CustomResourceDefinition/things.{group} created\nNamespace/{made} created\n\
             ConfigMap/{made}/inside created\nThing/{name}/one created"
        )
    );
}

#[tokio::test]
async fn objects_say_how_they_are_treated() {
    let bench = Bench::new("controls").await;
    let with = |name: &str, control: &str, value: &str, data: &str| {
        let mut object = bench.config_map(name, &json!({"key": data}));
        let key = format!("kustomize.toolkit.fluxcd.io/{control}");
        object["metadata"]["annotations"] = json!({ key: value });
        object
    };
    let objects = |data: &str| {
        [
            with("ignored", "ssa", "Ignore", data),
            with("merge", "ssa", "Merge", data),
            with("off", "reconcile", "disabled", data),
            with("once", "ssa", "IfNotPresent", data),
        ]
    };
    assert_eq!(bench.actions(&objects("git")).await, [Skipped, Created, Skipped, Created]);
    assert!(!bench.exists("configmap/ignored") && !bench.exists("configmap/off"));
    let edit = r#"{"data":{"key":"edited","mine":"1"}}"#;
    for name in ["configmap/merge", "configmap/once"] {
        bench.namespace.kubectl(&["patch", name, "--type=merge", "-p", edit]).unwrap();
    }
    assert_eq!(bench.actions(&objects("git")).await, [Skipped, Configured, Skipped, Skipped]);
    assert_eq!(bench.get("configmap/merge")["data"], json!({"key": "git", "mine": "1"}));
    assert_eq!(bench.get("configmap/once")["data"], json!({"key": "edited", "mine": "1"}));

    // The live object can say it, too.
    let plain = [bench.config_map("plain", &json!({"key": "git"}))];
    assert_eq!(bench.actions(&plain).await, [Created]);
    let off = "kustomize.toolkit.fluxcd.io/reconcile=disabled";
    bench.namespace.kubectl(&["annotate", "configmap/plain", off]).unwrap();
    bench.namespace.kubectl(&["patch", "configmap/plain", "--type=merge", "-p", edit]).unwrap();
    assert_eq!(bench.actions(&plain).await, [Skipped]);
    assert_eq!(bench.get("configmap/plain")["data"]["key"], "edited");
}

#[tokio::test]
async fn an_immutable_object_is_made_anew_only_if_that_helps() {
    let mut bench = Bench::new("force").await;
    let frozen = |value: &str| {
        let mut object = bench.config_map("frozen", &json!({"key": value}));
        object["immutable"] = json!(true);
        object
    };
    let (first, second) = (frozen("1"), frozen("2"));
    let mut invalid = bench.deployment("web", 1);
    let mut selected = invalid.clone();
    assert_eq!(bench.actions(&[first.clone(), invalid.clone()]).await, [Created, Created]);
    let uid = |bench: &Bench, what: &str| bench.get(what)["metadata"]["uid"].clone();
    let before = (uid(&bench, "configmap/frozen"), uid(&bench, "deployment/web"));

    let refused = text(&bench.apply(std::slice::from_ref(&second)).await.unwrap_err());
    assert!(refused.contains("dry-run failed (Invalid)"), "{refused}");
    assert!(refused.contains("field is immutable"), "{refused}");

    bench.options.force = true;
    assert_eq!(bench.actions(std::slice::from_ref(&second)).await, [Created]);
    assert_ne!(uid(&bench, "configmap/frozen"), before.0);
    assert_eq!(bench.get("configmap/frozen")["data"]["key"], "2");

    // A plain mistake is refused by the same word, and must not delete anything.
    invalid["spec"]["template"]["spec"]["containers"][0]["name"] = json!("No Such Name");
    let refused = text(&bench.apply(&[invalid]).await.unwrap_err());
    assert!(refused.contains("dry-run failed (Invalid)"), "{refused}");
    assert_eq!(uid(&bench, "deployment/web"), before.1);

    let labels = json!({"app": "other"});
    selected["spec"]["selector"]["matchLabels"] = labels.clone();
    selected["spec"]["template"]["metadata"]["labels"] = labels;
    assert_eq!(bench.actions(&[selected]).await, [Created]);
    assert_ne!(uid(&bench, "deployment/web"), before.1);
}

#[tokio::test]
async fn a_tenant_does_only_what_its_service_account_may() {
    let bench = Bench::new("tenant").await;
    let name = bench.namespace.name();
    bench.namespace.kubectl(&["create", "serviceaccount", "applier"]).unwrap();
    let cluster = std::sync::Arc::clone(&bench.cluster);
    for (namespace, account) in [("", "applier"), (name, ""), (name, "a:b"), ("../x", "a")] {
        let cluster = std::sync::Arc::clone(&cluster);
        assert!(TenantClient::as_service_account(cluster, namespace, account).is_err());
    }
    let tenant = TenantClient::as_service_account(cluster, name, "applier").unwrap();
    let owner = Owner { namespace: name.to_owned(), name: "app".to_owned() };
    let options = ApplyOptions::for_owner(owner);
    let config = || vec![Object::new(bench.config_map("config", &json!({}))).unwrap()];
    let failure = apply(&tenant, config(), &options).await.unwrap_err();
    assert_eq!(
        text(&failure),
        format!(
            "ConfigMap/{name}/config dry-run failed (Forbidden): configmaps \"config\" is \
             forbidden: User \"system:serviceaccount:{name}:applier\" cannot patch resource \
             \"configmaps\" in API group \"\" in the namespace \"{name}\""
        )
    );
    let account = format!("--serviceaccount={name}:applier");
    bench
        .namespace
        .kubectl(&["create", "rolebinding", "applier", "--clusterrole=edit", &account])
        .unwrap();
    let done = eventually(Duration::from_secs(20), || async {
        apply(&tenant, config(), &options).await.map_err(|f| anyhow::anyhow!("{}", text(&f)))
    });
    assert_eq!(done.await.unwrap().log(), format!("ConfigMap/{name}/config created"));
}
