//! Our custom resource definitions against the published ones, field by field.
//!
//! The newest version of a kind is as published, to the last keyword. An older version accepts
//! whatever it accepted as published. What differs beyond that stands in [`DIFFERENCES`].

#![expect(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use support::facts;

/// A difference on purpose: kind, versions, path, keyword, reason.
type Difference = (&'static str, &'static [&'static str], &'static str, &'static str, &'static str);

const RULES: &str = "x-kubernetes-validations";
const ONLY_NEW_FIELDS: &str = "the rules only bind fields that this version did not have";
const NO_NEW_LIMIT: &str = "what the version required before implies the rule";
const READ_ANYWAY: &str = "the stored version adds this default to whatever is read";
const NO_EFFECT: &str = "the field has no effect, so it is not filled in";
const LATER_DEPRECATED: &str = "deprecated by releases after the published one";

const DIFFERENCES: &[Difference] = &[
    ("Bucket", &["v1beta1", "v1beta2"], "", "deprecationWarning", LATER_DEPRECATED),
    ("Bucket", &["v1beta1", "v1beta2"], ".spec", RULES, ONLY_NEW_FIELDS),
    (
        "ExternalArtifact",
        &["v1"],
        ".status.artifact.checksum",
        "field",
        "artifacts have one shape for all sources",
    ),
    ("GitRepository", &["v1beta1", "v1beta2"], ".spec", RULES, ONLY_NEW_FIELDS),
    ("GitRepository", &["v1beta1", "v1beta2"], ".spec.gitImplementation", "default", NO_EFFECT),
    ("GitRepository", &["v1beta1", "v1beta2"], ".spec.verify.mode", "default", READ_ANYWAY),
    ("HelmChart", &["v1beta1", "v1beta2"], "", "deprecationWarning", LATER_DEPRECATED),
    ("HelmChart", &["v1beta1"], ".spec", RULES, ONLY_NEW_FIELDS),
    ("HelmRelease", &["v2beta1"], ".spec", RULES, NO_NEW_LIMIT),
    ("HelmRelease", &["v2beta1", "v2beta2"], ".spec.kubeConfig", RULES, NO_NEW_LIMIT),
    ("HelmRepository", &["v1beta1", "v1beta2"], "", "deprecationWarning", LATER_DEPRECATED),
    (
        "HelmRepository",
        &["v1beta1", "v1beta2"],
        ".spec.timeout",
        "default",
        "the controller has the same default",
    ),
    ("ImagePolicy", &["v1beta1", "v1beta2"], "", "deprecationWarning", LATER_DEPRECATED),
    ("ImagePolicy", &["v1beta1", "v1beta2"], ".spec", RULES, ONLY_NEW_FIELDS),
    ("ImageRepository", &["v1beta1", "v1beta2"], "", "deprecationWarning", LATER_DEPRECATED),
    ("ImageRepository", &["v1beta1"], ".spec.exclusionList", "default", READ_ANYWAY),
    (
        "ImageUpdateAutomation",
        &["v1beta1", "v1beta2"],
        "",
        "deprecationWarning",
        "v1beta2 is deprecated as well",
    ),
    ("Kustomization", &["v1beta2"], ".spec.kubeConfig", RULES, NO_NEW_LIMIT),
    ("OCIRepository", &["v1beta2"], "", "deprecationWarning", LATER_DEPRECATED),
    (
        "OCIRepository",
        &["v1", "v1beta2"],
        ".status.artifact.checksum",
        "field",
        "artifacts have one shape for all sources",
    ),
    ("Provider", &["v1beta1", "v1beta2"], ".spec", RULES, ONLY_NEW_FIELDS),
    ("Provider", &["v1beta1"], ".spec.proxy", "pattern", "another way to write the same pattern"),
    ("Receiver", &["v1beta1", "v1beta2"], ".spec", RULES, NO_NEW_LIMIT),
    ("Receiver", &["v1beta2"], ".spec.interval", "default", READ_ANYWAY),
];

#[test]
fn our_definitions_are_the_published_ones() {
    let (ours, published) = (facts::ours(), fixture());
    assert_eq!(ours.keys().collect::<Vec<_>>(), published.keys().collect::<Vec<_>>());
    let mut found = Findings::default();
    for (name, ours) in &ours {
        found.compare_kind(ours, &published[name]);
    }
    assert_eq!(
        found.unlisted,
        Vec::<String>::new(),
        "differences that no line of DIFFERENCES explains"
    );
    let listed = DIFFERENCES.iter().flat_map(|(kind, versions, path, keyword, _)| {
        versions.iter().map(move |version| format!("{kind} {version} {path} {keyword}"))
    });
    let stale: Vec<_> = listed.filter(|difference| !found.used.contains(difference)).collect();
    assert_eq!(stale, Vec::<String>::new(), "lines of DIFFERENCES that explain nothing");
}

#[test]
fn the_fixture_holds_the_published_facts() {
    let Some(crds) = support::reference("crds") else { return };
    let published = facts::published(&crds).unwrap();
    assert!(published == fixture(), "run `cargo run -p crd-types --example distill_facts`");
}

fn fixture() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("facts/published.json")).unwrap()
}

#[derive(Default)]
struct Findings {
    unlisted: Vec<String>,
    used: BTreeSet<String>,
}

impl Findings {
    fn compare_kind(&mut self, ours: &Value, published: &Value) {
        let kind = published["names"]["kind"].as_str().unwrap();
        for key in ["annotations", "conversion", "group", "names", "scope"] {
            if ours[key] != published[key] {
                self.differs(kind, "", "", key, &ours[key], &published[key]);
            }
        }
        let versions = object(&published["versions"]);
        assert_eq!(
            object(&ours["versions"]).keys().collect::<Vec<_>>(),
            versions.keys().collect::<Vec<_>>(),
            "versions of {kind}"
        );
        let newest = versions.iter().max_by_key(|(_, facts)| release(facts)).unwrap().0;
        for (name, published) in versions {
            let ours = &ours["versions"][name];
            assert_eq!(ours["storage"], *name == *newest, "{kind} {name} stored");
            for key in ["columns", "served", "subresources", "deprecationWarning"] {
                if ours[key] != published[key] {
                    self.differs(kind, name, "", key, &ours[key], &published[key]);
                }
            }
            let version = Version { kind, name, is_newest: name == newest, all: versions };
            self.compare_fields(&version, object(&ours["fields"]), object(&published["fields"]));
        }
    }

    fn compare_fields(
        &mut self,
        version: &Version<'_>,
        ours: &Map<String, Value>,
        published: &Map<String, Value>,
    ) {
        for (path, published) in published {
            let Some(ours) = ours.get(path) else {
                self.differs(version.kind, version.name, path, "field", &Value::Null, published);
                continue;
            };
            let keywords: BTreeSet<_> =
                object(ours).keys().chain(object(published).keys()).collect();
            for keyword in keywords {
                let (ours, published) = (&ours[keyword], &published[keyword]);
                if ours != published && (version.is_newest || !accepts(keyword, ours, published)) {
                    self.differs(version.kind, version.name, path, keyword, ours, published);
                }
            }
        }
        for (path, field) in ours.iter().filter(|(path, _)| !published.contains_key(*path)) {
            // The field belongs to another version. It may not be demanded, and is of the same type.
            let parent = path
                .trim_end_matches(['[', ']', '{', '}'])
                .rsplit_once('.')
                .map_or("", |split| split.0);
            let is_demanded = field["required"] == true && published.contains_key(parent);
            let is_known = version.all.values().any(|other| {
                other["fields"][path]["type"] == field["type"] && !other["fields"][path].is_null()
            });
            if is_demanded || !is_known {
                self.differs(version.kind, version.name, path, "field", field, &Value::Null);
            }
        }
    }

    fn differs(
        &mut self,
        kind: &str,
        version: &str,
        path: &str,
        keyword: &str,
        ours: &Value,
        published: &Value,
    ) {
        let is_listed = DIFFERENCES.iter().any(|difference| {
            (difference.0, difference.2, difference.3) == (kind, path, keyword)
                && difference.1.contains(&version)
        });
        if is_listed {
            self.used.insert(format!("{kind} {version} {path} {keyword}"));
        } else {
            self.unlisted.push(format!(
                "{kind} {version} {path} {keyword}: ours {ours}, published {published}"
            ));
        }
    }
}

struct Version<'a> {
    kind: &'a str,
    name: &'a str,
    is_newest: bool,
    all: &'a Map<String, Value>,
}

/// Whether whatever the published keyword lets pass is let pass by ours.
fn accepts(keyword: &str, ours: &Value, published: &Value) -> bool {
    match keyword {
        "enum" => ours.is_null() || is_superset(ours, published),
        "required" | "pattern" | RULES => ours.is_null(),
        "maxLength" | "maxItems" => {
            ours.is_null() || (!published.is_null() && ours.as_i64() >= published.as_i64())
        }
        "minLength" | "minItems" => {
            ours.is_null() || (!published.is_null() && ours.as_i64() <= published.as_i64())
        }
        // A default, a type, a format or the way of merging.
        _ => false,
    }
}

fn is_superset(ours: &Value, published: &Value) -> bool {
    match (ours.as_array(), published.as_array()) {
        (Some(ours), Some(published)) => published.iter().all(|value| ours.contains(value)),
        _ => false,
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn release(facts: &Value) -> Vec<u32> {
    facts["release"].as_str().unwrap().split('.').map(|part| part.parse().unwrap()).collect()
}
