//! What single fields of a HelmRelease do: many small releases, each of which would end otherwise
//! without its field.

use serde_json::{Value, json};
use system_tests::{Kind, Scene};

use crate::releases::{
    apply_plain, apply_release, chart, config_map, gated, job, publish, publish_as, slow,
};

/// A release, brought to one specification after the other.
struct Case {
    name: &'static str,
    steps: Vec<Step>,
    facts: Vec<Fact>,
}

/// A specification and what Ready says of it in the end.
struct Step {
    spec: Value,
    status: &'static str,
    message: &'static str,
}

/// What must be true after the last step. Names of objects follow that of the release.
enum Fact {
    Absent(&'static str, &'static str),
    Holds(&'static str, &'static str, &'static str, Value),
}

fn works(spec: Value) -> Step {
    Step { spec, status: "True", message: " succeeded for release " }
}

fn fails(spec: Value, message: &'static str) -> Step {
    Step { spec, status: "False", message }
}

fn case<const N: usize, const M: usize>(
    name: &'static str,
    steps: [Step; N],
    facts: [Fact; M],
) -> Case {
    Case { name, steps: steps.into(), facts: facts.into() }
}

fn objects(objects: &[&Value]) -> Value {
    json!({"objects": objects})
}

/// Fields of the second object, over those of the first.
fn with(mut spec: Value, more: &Value) -> Value {
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    spec
}

fn hook(moment: &str) -> Value {
    config_map("{{ .Release.Name }}-hook", &json!({"helm.sh/hook": moment}))
}

fn installs() -> Vec<Case> {
    let endless = job("{{ .Release.Name }}-endless", &json!({}), None);
    let odd = with(config_map("{{ .Release.Name }}-odd", &json!({})), &json!({"odd": true}));
    let client = json!({"serverSideApply": false});
    let never = json!({"apiVersion": "v1", "kind": "ConfigMap", "current": "data.text == 'never'"});
    let impatient = json!({"install": {"timeout": "2s"}, "timeout": "10m"});
    vec![
        case(
            "hooks-off",
            [works(
                json!({"install": {"disableHooks": true}, "values": objects(&[&hook("pre-install")])}),
            )],
            [Fact::Absent("configmap", "hook")],
        ),
        case(
            "hooks-on",
            [works(json!({"values": objects(&[&hook("pre-install")])}))],
            [Fact::Holds("configmap", "hook", "/kind", json!("ConfigMap"))],
        ),
        case(
            "wait-off",
            [works(json!({"install": {"disableWait": true}, "values": objects(&[&slow()])}))],
            [],
        ),
        case(
            "jobs-off",
            [works(
                json!({"install": {"disableWaitForJobs": true}, "values": objects(&[&endless])}),
            )],
            [],
        ),
        case("strict", [fails(json!({"values": objects(&[&odd])}), "odd")], []),
        case(
            "schema-off",
            [works(
                json!({"install": {"disableSchemaValidation": true}, "values": {"count": "x"}}),
            )],
            [],
        ),
        case(
            "stranger",
            [fails(
                json!({"install": {"disableTakeOwnership": true}}),
                "cannot be imported into the current release: invalid ownership metadata",
            )],
            [],
        ),
        case("adopts", [works(json!({}))], []),
        case(
            "client",
            [works(json!({"install": client}))],
            [Fact::Holds(
                "configmap",
                "config",
                "/metadata/managedFields/0/operation",
                json!("Update"),
            )],
        ),
        case(
            "to-server",
            [
                works(json!({"install": client})),
                works(json!({"upgrade": {"serverSideApply": "enabled"}, "values": {"text": "b"}})),
            ],
            [Fact::Holds(
                "configmap",
                "config",
                "/metadata/managedFields/0/operation",
                json!("Apply"),
            )],
        ),
        case(
            "impatient",
            [fails(
                with(impatient.clone(), &json!({"values": objects(&[&slow()])})),
                "timeout waiting for: [Deployment/",
            )],
            [],
        ),
        case(
            "expressions",
            [fails(
                with(impatient, &json!({"healthCheckExprs": [never]})),
                "timeout waiting for: [ConfigMap/",
            )],
            [],
        ),
    ]
}

/// What a release is made of.
fn contents() -> Vec<Case> {
    let patch = json!({
        "target": {"kind": "ConfigMap"},
        "patch": "- {op: add, path: /data/patched, value: \"yes\"}",
    });
    vec![
        case(
            "from-file",
            [works(json!({"valuesFrom": [
                {"kind": "ConfigMap", "name": "vals", "valuesKey": "file"},
                {"kind": "Secret", "name": "missing", "optional": true},
            ]}))],
            [Fact::Holds("configmap", "config", "/data/text", json!("from file"))],
        ),
        case(
            "from-path",
            [works(json!({"valuesFrom": [
                {"kind": "ConfigMap", "name": "vals", "valuesKey": "list", "targetPath": "text"},
            ]}))],
            [Fact::Holds("configmap", "config", "/data/text", json!("[a b]"))],
        ),
        case(
            "from-literal",
            [works(json!({"valuesFrom": [
                {"kind": "ConfigMap", "name": "vals", "valuesKey": "list", "targetPath": "text", "literal": true},
            ]}))],
            [Fact::Holds("configmap", "config", "/data/text", json!("{a,b}"))],
        ),
        case(
            "rendered",
            [works(json!({
                "postRenderers": [{"kustomize": {"patches": [patch]}}],
                "commonMetadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
            }))],
            [
                Fact::Holds("configmap", "config", "/data/patched", json!("yes")),
                Fact::Holds("configmap", "config", "/metadata/labels/team", json!("a")),
                Fact::Holds("configmap", "config", "/metadata/annotations/note", json!("b")),
            ],
        ),
    ]
}

fn upgrades() -> Vec<Case> {
    let extra = config_map("{{ .Release.Name }}-extra", &json!({}));
    let text = |text: &str| json!({"values": {"text": text}});
    let renamed = json!({"chart": chart("demo", "other", "1.0.0")});
    vec![
        case(
            "preserves",
            [
                works(json!({"values": {"text": "first"}})),
                works(json!({"upgrade": {"preserveValues": true}, "values": {"more": 1}})),
            ],
            [Fact::Holds("configmap", "config", "/data/text", json!("first"))],
        ),
        case(
            "up-hooks",
            [
                works(json!({})),
                works(
                    json!({"upgrade": {"disableHooks": true}, "values": objects(&[&hook("pre-upgrade")])}),
                ),
            ],
            [Fact::Absent("configmap", "hook")],
        ),
        case(
            "up-wait",
            [
                works(json!({})),
                works(json!({"upgrade": {"disableWait": true}, "values": objects(&[&slow()])})),
            ],
            [],
        ),
        case(
            "untidy",
            [works(json!({})), fails(json!({"values": objects(&[&extra, &gated()])}), "NO_NAME")],
            [Fact::Holds("configmap", "extra", "/kind", json!("ConfigMap"))],
        ),
        case(
            "tidy",
            [
                works(json!({})),
                fails(
                    json!({"upgrade": {"cleanupOnFail": true}, "values": objects(&[&extra, &gated()])}),
                    "NO_NAME",
                ),
            ],
            [Fact::Absent("configmap", "extra")],
        ),
        case(
            "renamed",
            [
                works(json!({})),
                works(with(
                    renamed.clone(),
                    &json!({"upgrade": {"chartNameChangeStrategy": "InPlaceUpdate"}}),
                )),
            ],
            [Fact::Holds("configmap", "config", "/data/revision", json!("2"))],
        ),
        case(
            "moved",
            [works(json!({})), works(renamed)],
            [Fact::Holds("configmap", "config", "/data/revision", json!("1"))],
        ),
        case(
            "short",
            [
                works(with(text("one"), &json!({"maxHistory": 2}))),
                works(text("two")),
                works(with(text("three"), &json!({"maxHistory": 2}))),
            ],
            [Fact::Holds("configmap", "config", "/data/revision", json!("3"))],
        ),
    ]
}

/// What is done about upgrades that fail.
fn remedies() -> Vec<Case> {
    let last = json!({"remediateLastFailure": true});
    let bad = objects(&[&gated()]);
    let rollback = objects(&[&hook("pre-rollback")]);
    vec![
        case(
            "back",
            [
                works(json!({"values": rollback})),
                fails(
                    json!({"upgrade": {"remediation": last}, "values": bad}),
                    "Helm rollback to previous release ",
                ),
            ],
            [Fact::Holds("configmap", "hook", "/kind", json!("ConfigMap"))],
        ),
        case(
            "back-hooks",
            [
                works(json!({"values": rollback})),
                fails(
                    json!({
                        "upgrade": {"remediation": last},
                        "rollback": {"disableHooks": true},
                        "values": bad,
                    }),
                    "Helm rollback to previous release ",
                ),
            ],
            [Fact::Absent("configmap", "hook")],
        ),
        case(
            "away",
            [
                works(json!({})),
                fails(
                    json!({"upgrade": {"remediation": with(last, &json!({"strategy": "uninstall"}))}, "values": bad}),
                    // What was uninstalled is installed again.
                    "Helm install failed for release ",
                ),
            ],
            [],
        ),
    ]
}

/// Brings all releases to their ends, step by step, and looks at what is there then.
async fn play(scene: &Scene, cases: &[Case]) {
    let longest = cases.iter().map(|case| case.steps.len()).max().unwrap();
    for at in 0..longest {
        let now = || cases.iter().filter_map(|case| Some((case.name, case.steps.get(at)?)));
        for (name, step) in now() {
            apply_release(scene, name, &step.spec);
        }
        for (name, step) in now() {
            let kind = Kind::HelmRelease;
            let ready = if step.status == "True" {
                scene.until_ready(kind, name, step.message).await
            } else {
                scene.until_failed(kind, name, step.message).await
            };
            ready.unwrap();
        }
    }
    for case in cases {
        for fact in &case.facts {
            check(scene, case.name, fact);
        }
    }
}

fn check(scene: &Scene, name: &str, fact: &Fact) {
    let get = |kind: &str, part: &str| {
        let name = format!("{name}-{part}");
        scene.namespace().kubectl(&["get", kind, &name, "--show-managed-fields", "--output=json"])
    };
    match fact {
        Fact::Absent(kind, part) => {
            let error = get(kind, part).unwrap_err().to_string();
            assert!(error.contains("not found"), "{name}: {error}");
        }
        Fact::Holds(kind, part, path, wanted) => {
            let found: Value = serde_json::from_str(&get(kind, part).unwrap()).unwrap();
            assert_eq!(found.pointer(path), Some(wanted), "{name}: {path} of {found}");
        }
    }
}

#[tokio::test]
async fn each_field_of_an_install_counts() {
    let scene = Scene::new("helm-installs").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let values = json!({"file": "text: from file", "list": "{a,b}"});
    apply_plain(&scene, &with(config_map("vals", &json!({})), &json!({"data": values})));
    for owner in ["stranger-config", "adopts-config"] {
        apply_plain(&scene, &config_map(owner, &json!({})));
    }
    let mut cases = installs();
    cases.extend(contents());
    play(&scene, &cases).await;
    assert!(!scene.exists(Kind::Secret, "sh.helm.release.v1.stranger.v1").await.unwrap());
}

#[tokio::test]
async fn each_field_of_an_upgrade_and_a_rollback_counts() {
    let scene = Scene::new("helm-upgrades").await.unwrap();
    let charts = publish(&scene, &["1.0.0"]);
    publish_as(&charts, "other", "1.0.0", &[]);
    scene.request_reconcile(Kind::HelmRepository, "demo", "1").await.unwrap();
    let mut cases = upgrades();
    cases.extend(remedies());
    play(&scene, &cases).await;
    assert!(!scene.exists(Kind::Secret, "sh.helm.release.v1.short.v1").await.unwrap());
    assert!(scene.exists(Kind::Secret, "sh.helm.release.v1.short.v2").await.unwrap());
}
