//! Fields that shape what is built.

use super::holds;
use crate::{config_map, deployment};
use serde_json::{Value, json};
use system_tests::{Kind, Scene};

/// One Kustomization: its files, its fields, and what becomes of them.
struct Case {
    name: &'static str,
    files: Vec<(&'static str, String)>,
    spec: Value,
    then: Then,
}

enum Then {
    /// These objects are there and hold these fields.
    Applied(Vec<(Kind, &'static str, Value)>),
    /// Ready is False, with this reason and a message that holds this text.
    Refused(&'static str, &'static str),
}

/// A case whose one file is the ConfigMap `name` with `value` in it.
fn of_value(name: &'static str, value: &str, spec: Value, then: Then) -> Case {
    Case { name, files: vec![("a.yaml", config_map(name, value))], spec, then }
}

fn case(name: &'static str, spec: Value, then: Then) -> Case {
    of_value(name, "1", spec, then)
}

/// A case whose one file is the Deployment `name`.
fn of_deployment(name: &'static str, spec: Value, part: Value) -> Case {
    let files = vec![("a.yaml", deployment(name, true))];
    Case { name, files, spec, then: Then::Applied(vec![(Kind::Deployment, name, part)]) }
}

/// The ConfigMap is there and holds this.
fn config_map_with(name: &'static str, part: Value) -> Then {
    Then::Applied(vec![(Kind::ConfigMap, name, part)])
}

fn value(name: &'static str, value: &str) -> Then {
    config_map_with(name, json!({"data": {"key": value}}))
}

fn names_and_metadata() -> Vec<Case> {
    let metadata = json!({"labels": {"team": "a"}, "annotations": {"note": "b"}});
    vec![
        case(
            "names",
            json!({"namePrefix": "one-", "nameSuffix": "-two"}),
            config_map_with("one-names-two", json!({})),
        ),
        case(
            "homeless",
            json!({"targetNamespace": null}),
            Then::Refused("ReconciliationFailed", "namespace not specified"),
        ),
        case(
            "outside",
            json!({"path": "../../outside"}),
            Then::Refused("ArtifactFailed", "outside the tree"),
        ),
        of_deployment(
            "metadata",
            json!({"commonMetadata": metadata}),
            json!({
                "metadata": metadata,
                "spec": {"template": {"metadata": {"labels": {"app": "metadata", "team": null}}}},
            }),
        ),
        case(
            "origin",
            json!({"buildMetadata": ["originAnnotations"]}),
            config_map_with(
                "origin",
                json!({"metadata": {"annotations": {"config.kubernetes.io/origin": "path: a.yaml\n"}}}),
            ),
        ),
    ]
}

fn patches_and_images() -> Vec<Case> {
    let merge = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: patches}\ndata: {more: two}\n";
    let json = "- {op: replace, path: /data/key, value: three}\n";
    let image = |name: &'static str, image: Value, wanted: &str| {
        let containers = json!([{"name": "main", "image": wanted}]);
        let part = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        of_deployment(name, json!({"images": [image]}), part)
    };
    let digest = "sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3";
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: \
                     [{pairs: {from: component}}]\n";
    let with_component = |name: &'static str, spec: Value, then: Then| Case {
        name,
        files: vec![
            ("kustomization.yaml", "resources: [a.yaml]\n".to_owned()),
            ("a.yaml", config_map(name, "1")),
            ("extra/kustomization.yaml", component.to_owned()),
        ],
        spec,
        then,
    };
    let labelled = json!({"metadata": {"labels": {"from": "component"}}});
    vec![
        case(
            "patches",
            json!({"patches": [
                {"patch": merge},
                {"patch": json, "target": {"kind": "ConfigMap", "name": "patch.*"}},
            ]}),
            config_map_with("patches", json!({"data": {"key": "three", "more": "two"}})),
        ),
        image(
            "image-tag",
            json!({"name": "example.com/app", "newName": "example.org/other", "newTag": "2"}),
            "example.org/other:2",
        ),
        image(
            "image-digest",
            json!({"name": "example.com/app", "digest": digest}),
            &format!("example.com/app@{digest}"),
        ),
        with_component(
            "component",
            json!({"components": ["./extra"]}),
            config_map_with("component", labelled.clone()),
        ),
        with_component(
            "component-missing",
            json!({"components": ["./nowhere"]}),
            Then::Refused("BuildFailed", "nowhere"),
        ),
        with_component(
            "component-ignored",
            json!({"components": ["./extra", "./nowhere"], "ignoreMissingComponents": true}),
            config_map_with("component-ignored", labelled),
        ),
    ]
}

fn substitution() -> Vec<Case> {
    let opt_out = |name: &str, place: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  {place}: \
             {{kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {{key: \"${{word}}\"}}\n"
        )
    };
    let from = |kind: &str, name: &str, optional: bool| json!({"kind": kind, "name": name, "optional": optional});
    let literal = |name| (Kind::ConfigMap, name, json!({"data": {"key": "${word}"}}));
    vec![
        of_value(
            "substitute",
            "${one} ${two} ${three} ${four:=default}",
            json!({"postBuild": {
                "substitute": {"three": "inline"},
                "substituteFrom": [
                    from("ConfigMap", "variables", false),
                    from("Secret", "variables", false),
                    from("ConfigMap", "absent", true),
                ],
            }}),
            value("substitute", "map secret inline default"),
        ),
        of_value(
            "substitute-strict",
            "${absent}",
            json!({"postBuild": {"substitute": {"other": "x"}}}),
            Then::Refused("BuildFailed", "variable not set (strict mode): \"absent\""),
        ),
        case(
            "substitute-absent",
            json!({"postBuild": {"substituteFrom": [from("ConfigMap", "absent", false)]}}),
            Then::Refused("BuildFailed", "substitute from 'ConfigMap/absent' error"),
        ),
        of_value(
            "substitute-none",
            "${x:=d}",
            json!({"postBuild": {"substituteFrom": [from("Secret", "absent", true)]}}),
            value("substitute-none", "${x:=d}"),
        ),
        of_value(
            "substitute-always",
            "${x:=d}",
            json!({"postBuild": {"substituteStrategy": "Always"}}),
            value("substitute-always", "d"),
        ),
        Case {
            name: "substitute-not",
            files: vec![
                ("a.yaml", opt_out("by-annotation", "annotations")),
                ("b.yaml", opt_out("by-label", "labels")),
                ("c.yaml", config_map("by-nothing", "${word}")),
            ],
            spec: json!({"postBuild": {"substitute": {"word": "said"}}}),
            then: Then::Applied(vec![
                literal("by-annotation"),
                literal("by-label"),
                (Kind::ConfigMap, "by-nothing", json!({"data": {"key": "said"}})),
            ]),
        },
    ]
}

#[tokio::test]
async fn fields_of_the_build_do_what_they_say() {
    let scene = Scene::new("building").await.unwrap();
    let mut cases = names_and_metadata();
    cases.extend(patches_and_images());
    cases.extend(substitution());
    let files: Vec<(String, &str)> = cases
        .iter()
        .flat_map(|case| {
            case.files.iter().map(|(path, text)| (format!("{}/{path}", case.name), text.as_str()))
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), Some(*text))).collect();
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene
        .apply_all(&[
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "variables"},
                "data": {"one": "map", "two": "map", "three": "map"},
            }),
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "variables"},
                "stringData": {"two": "secret", "three": "secret"},
            }),
        ])
        .unwrap();
    let object = |case: &Case| {
        let mut spec = case.spec.clone();
        if spec["path"].is_null() {
            spec["path"] = json!(format!("./{}", case.name));
        }
        scene.kustomization(case.name, &spec)
    };
    scene.apply_all(&cases.iter().map(object).collect::<Vec<_>>()).unwrap();
    for case in &cases {
        judge(&scene, case).await;
    }
}

async fn judge(scene: &Scene, case: &Case) {
    let name = case.name;
    match &case.then {
        Then::Applied(objects) => {
            scene.until_ready(Kind::Kustomization, name, "Applied").await.unwrap();
            for (kind, object, part) in objects {
                let found = scene.get(*kind, object).await.unwrap();
                assert!(holds(&found, part), "{name}: {found} should hold {part}");
            }
        }
        Then::Refused(reason, text) => {
            let ready = scene.until_failed(Kind::Kustomization, name, text).await.unwrap();
            assert_eq!(ready.reason, *reason, "{name}: {ready:?}");
        }
    }
}

#[tokio::test]
async fn older_versions_keep_their_fields() {
    let scene = Scene::new("older").await.unwrap();
    let (one, two) = (config_map("one", "1"), config_map("two", "1"));
    scene.commit(&[("one/a.yaml", Some(&one)), ("two/a.yaml", Some(&two))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let object = |name: &str, version: &str| {
        let merge = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"merged": "yes"},
        });
        let spec = json!({
            "path": format!("./{name}"),
            "validation": "client",
            "patchesStrategicMerge": [merge],
            "patchesJson6902": [{
                "target": {"version": "v1", "kind": "ConfigMap", "name": name},
                "patch": [{"op": "add", "path": "/data/added", "value": "yes"}],
            }],
        });
        let mut object = scene.kustomization(name, &spec);
        object["apiVersion"] = json!(format!("kustomize.toolkit.fluxcd.io/{version}"));
        object
    };
    scene.apply_all(&[object("one", "v1beta1"), object("two", "v1beta2")]).unwrap();
    for name in ["one", "two"] {
        scene.until_ready(Kind::Kustomization, name, "Applied").await.unwrap();
        let found = scene.get(Kind::ConfigMap, name).await.unwrap();
        let data = json!({"key": "1", "merged": "yes", "added": "yes"});
        assert_eq!(found["data"], data, "{name}");
    }
}
