//! Objects as they come from an API server: complete, old, and broken.

#![expect(clippy::unwrap_used, reason = "a test")]

use crd_types::helm::HelmRelease;
use crd_types::image::{ImagePolicy, ImageRepository, ImageUpdateAutomation};
use crd_types::kustomize::Kustomization;
use crd_types::notification::{Alert, Provider, Receiver};
use crd_types::source::{
    Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OCIRepository,
};
use kube::core::{DeserializeGuard, ObjectList};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[test]
fn every_field_of_every_kind_survives_the_types() {
    survives::<Alert>("notification.toolkit.fluxcd.io_alerts");
    survives::<Bucket>("source.toolkit.fluxcd.io_buckets");
    survives::<ExternalArtifact>("source.toolkit.fluxcd.io_externalartifacts");
    survives::<GitRepository>("source.toolkit.fluxcd.io_gitrepositories");
    survives::<HelmChart>("source.toolkit.fluxcd.io_helmcharts");
    survives::<HelmRelease>("helm.toolkit.fluxcd.io_helmreleases");
    survives::<HelmRepository>("source.toolkit.fluxcd.io_helmrepositories");
    survives::<ImagePolicy>("image.toolkit.fluxcd.io_imagepolicies");
    survives::<ImageRepository>("image.toolkit.fluxcd.io_imagerepositories");
    survives::<ImageUpdateAutomation>("image.toolkit.fluxcd.io_imageupdateautomations");
    survives::<Kustomization>("kustomize.toolkit.fluxcd.io_kustomizations");
    survives::<OCIRepository>("source.toolkit.fluxcd.io_ocirepositories");
    survives::<Provider>("notification.toolkit.fluxcd.io_providers");
    survives::<Receiver>("notification.toolkit.fluxcd.io_receivers");
}

/// Reads an object with every field set, and prints it again.
fn survives<Kind: DeserializeOwned + Serialize>(name: &str) {
    let (_, crd) = crd_types::codegen::crds()
        .into_iter()
        .find(|(file, _)| file.trim_end_matches(".yaml") == name)
        .unwrap();
    let spec = &crd["spec"];
    let newest = &spec["versions"][0];
    let mut object = sample(&newest["schema"]["openAPIV3Schema"]);
    object["apiVersion"] =
        json!(format!("{}/{}", spec["group"].as_str().unwrap(), newest["name"].as_str().unwrap()));
    object["kind"] = spec["names"]["kind"].clone();
    object["metadata"] = json!({ "name": "all" });
    let typed: Kind = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(typed).unwrap(), object);
}

fn sample(schema: &Value) -> Value {
    match schema["type"].as_str() {
        None => json!({ "anything": [1, null] }),
        Some("object") => {
            let mut object = serde_json::Map::new();
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                object.insert(name.clone(), sample(field));
            }
            if let Some(values) = schema.get("additionalProperties") {
                object.insert("key".to_owned(), sample(values));
            }
            Value::Object(object)
        }
        Some("array") => json!([sample(&schema["items"])]),
        Some("boolean") => json!(true),
        Some("integer") => json!(7),
        Some(_) if schema["format"] == "date-time" => json!("2026-01-02T03:04:05Z"),
        Some(_) => schema["enum"].get(0).cloned().unwrap_or_else(|| json!("1h0m0s")),
    }
}

#[test]
fn a_status_of_the_first_versions_is_readable() {
    let object: GitRepository = serde_json::from_value(json!({
        "metadata": { "name": "old" },
        "spec": { "interval": "1m", "url": "ssh://git@example.org/x", "verify": { "mode": "head" } },
        "status": {
            "artifact": { "path": "a/b.tar.gz", "url": "http://s/a/b.tar.gz", "checksum": "12ab" },
            "url": "http://s/latest.tar.gz",
        },
    }))
    .unwrap();
    let artifact = object.status.unwrap().artifact.unwrap();
    assert_eq!((artifact.digest.as_str(), artifact.checksum.as_deref()), ("", Some("12ab")));
}

#[test]
fn an_odd_duration_or_enumeration_is_for_the_controller_to_judge() {
    let object: GitRepository = serde_json::from_value(json!({
        "metadata": { "name": "odd" },
        "spec": { "interval": "soon", "url": "ftp://x", "provider": "svn", "timeout": "60" },
    }))
    .unwrap();
    assert_eq!(object.spec.interval.as_str(), "soon");
    assert!(object.spec.interval.to_duration().is_err());
}

/// What a watch has to read lists with: the API server itself admits an object without spec.
#[test]
fn a_broken_object_does_not_break_its_list() {
    let list: ObjectList<DeserializeGuard<Kustomization>> = serde_json::from_value(json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "KustomizationList",
        "metadata": {},
        "items": [
            { "metadata": { "name": "no-spec" } },
            { "metadata": { "name": "wrong-type" }, "spec": { "interval": 5 } },
            {
                "metadata": { "name": "sound" },
                "spec": { "interval": "5m", "prune": true, "sourceRef": { "kind": "Bucket", "name": "b" } },
            },
        ],
    }))
    .unwrap();
    let sound: Vec<bool> = list.items.iter().map(|item| item.0.is_ok()).collect();
    assert_eq!(sound, [false, false, true]);
}

#[test]
fn the_printed_files_read_back_as_the_definitions() {
    let crds = crd_types::codegen::crds();
    for ((name, crd), (file, text)) in crds.into_iter().zip(crd_types::codegen::files()) {
        assert_eq!(name, file);
        assert_eq!(yaml::parse(text.as_bytes()).unwrap(), crd, "{file}");
    }
}
