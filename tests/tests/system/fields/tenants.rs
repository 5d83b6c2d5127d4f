//! Whose rights count, on which cluster, and what may be referred to.

use crate::config_map;
use serde_json::{Value, json};
use system_tests::{Kind, Scene, Shard};

const KS: Kind = Kind::Kustomization;

/// A service account that may do everything with ConfigMaps of its namespace.
fn account(name: &str) -> Vec<Value> {
    let rbac = "rbac.authorization.k8s.io";
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": name},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}],
        }),
        binding(name),
    ]
}

fn binding(name: &str) -> Value {
    let rbac = "rbac.authorization.k8s.io";
    json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name}],
    })
}

/// A scene whose repository has a ConfigMap in `maps` and a Secret in `secrets`.
async fn scene(title: &str) -> Scene {
    let scene = Scene::new(title).await.unwrap();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: value}\n";
    scene
        .commit(&[("maps/a.yaml", Some(&config_map("a", "1"))), ("secrets/s.yaml", Some(secret))])
        .unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene
}

#[tokio::test]
async fn a_service_account_does_what_it_may() {
    let scene = scene("account").await;
    scene.apply_all(&account("tenant")).unwrap();
    let object = |name: &str, path: &str, account: &str| {
        scene.kustomization(name, &json!({"path": path, "serviceAccountName": account}))
    };
    scene
        .apply_all(&[
            object("maps", "./maps", "tenant"),
            object("secrets", "./secrets", "tenant"),
            object("nobody", "./maps", "nobody"),
        ])
        .unwrap();
    scene.until_ready(KS, "maps", "Applied").await.unwrap();
    let namespace = scene.namespace().name();
    for (name, user) in [("secrets", "tenant"), ("nobody", "nobody")] {
        let failed = scene.until_failed(KS, name, "forbidden").await.unwrap();
        let user = format!("system:serviceaccount:{namespace}:{user}");
        assert!(failed.message.contains(&user), "{failed:?}");
    }

    // The end of an object needs the same rights, and an account that is gone holds nobody up.
    scene.delete(KS, "maps").await.unwrap();
    scene.until_gone(KS, "maps").await.unwrap();
    scene.until_gone(Kind::ConfigMap, "a").await.unwrap();
    scene.apply_all(&[object("again", "./maps", "tenant")]).unwrap();
    scene.until_ready(KS, "again", "Applied").await.unwrap();
    scene.namespace().kubectl(&["delete", "rolebinding", "tenant"]).unwrap();
    scene.delete(KS, "again").await.unwrap();
    let told = |events: Vec<Value>| json!(events).to_string().contains("pruning for deleted");
    testbed::eventually(super::PATIENCE, || async {
        anyhow::ensure!(told(scene.list(Kind::Event).await?), "no event tells of the failure");
        Ok(())
    })
    .await
    .unwrap();
    assert!(scene.exists(KS, "again").await.unwrap(), "it went without its objects");
    scene.apply_all(&[binding("tenant")]).unwrap();
    scene.until_gone(KS, "again").await.unwrap();
    scene.until_gone(Kind::ConfigMap, "a").await.unwrap();
}

#[tokio::test]
async fn a_kubeconfig_leads_elsewhere() {
    let scene = scene("kubeconfig").await;
    scene.apply_all(&account("remote")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (cluster, namespace) = (scene.namespace().cluster(), scene.namespace().name());
    let remote = cluster.as_service_account(namespace, "remote", dir.path()).unwrap();
    let kubeconfig = std::fs::read_to_string(remote.kubeconfig()).unwrap();
    let secret = |name: &str, key: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {key: kubeconfig},
        })
    };
    let object = |name: &str, path: &str, reference: Value| {
        scene.kustomization(name, &json!({"path": path, "kubeConfig": {"secretRef": reference}}))
    };
    scene
        .apply_all(&[
            secret("one", "value"),
            secret("two", "value.yaml"),
            secret("three", "own"),
            object("by-value", "./maps", json!({"name": "one"})),
            object("by-yaml", "./maps", json!({"name": "two"})),
            object("by-key", "./maps", json!({"name": "three", "key": "own"})),
            object("no-key", "./maps", json!({"name": "three"})),
            object("no-secret", "./maps", json!({"name": "four"})),
            object("no-right", "./secrets", json!({"name": "one"})),
        ])
        .unwrap();
    for name in ["by-value", "by-yaml", "by-key"] {
        scene.until_ready(KS, name, "Applied").await.unwrap();
    }
    let no_key = format!(
        "KubeConfig secret '{namespace}/three' does not contain a 'value' key with a kubeconfig"
    );
    let no_secret = format!("unable to read KubeConfig secret '{namespace}/four' error");
    let user = format!("system:serviceaccount:{namespace}:remote");
    for (name, text) in [("no-key", no_key), ("no-secret", no_secret), ("no-right", user)] {
        let failed = scene.until_failed(KS, name, &text).await.unwrap();
        assert_eq!(failed.reason, "ReconciliationFailed", "{name}: {failed:?}");
    }
}

#[tokio::test]
async fn references_may_leave_the_namespace_unless_a_flag_forbids_it() {
    let owner = scene("source-owner").await;
    let guest = Scene::new("source-guest").await.unwrap();
    let cluster = guest.namespace().cluster().clone();
    let flags = ["--no-cross-namespace-refs", "--default-service-account=tenant"];
    let locked = Shard::start(&guest, &cluster, &flags).unwrap();
    let namespace = owner.namespace().name();
    let reference =
        |namespace: &str| json!({"kind": "GitRepository", "name": "app", "namespace": namespace});
    let object = |name: &str, namespace: &str| {
        guest.kustomization(name, &json!({"path": "./maps", "sourceRef": reference(namespace)}))
    };
    // A namespace that does not exist is refused in the same words: nothing can be found out by it.
    guest
        .apply_all(&[
            object("open", namespace),
            locked.object(object("locked", namespace)),
            locked.object(object("guess", "no-such-namespace")),
        ])
        .unwrap();
    guest.until_ready(KS, "open", "Applied").await.unwrap();
    for (name, namespace) in [("locked", namespace), ("guess", "no-such-namespace")] {
        let text = format!(
            "can't access 'GitRepository/{namespace}/app', cross-namespace references have been \
             blocked"
        );
        let failed = guest.until_failed(KS, name, &text).await.unwrap();
        assert_eq!((failed.reason.as_str(), failed.message), ("AccessDenied", text));
    }

    // Nor has an object without an account the rights of the controller.
    let url = owner.url();
    guest.apply_source("app", &json!({"url": url})).unwrap();
    let own = json!({"path": "./maps"});
    guest.apply_all(&[locked.object(guest.kustomization("default", &own))]).unwrap();
    let user = format!("system:serviceaccount:{}:tenant", guest.namespace().name());
    guest.until_failed(KS, "default", &user).await.unwrap();
    guest.apply_all(&account("tenant")).unwrap();
    guest.request_reconcile(KS, "default", "1").await.unwrap();
    guest.until_ready(KS, "default", "Applied").await.unwrap();
}
