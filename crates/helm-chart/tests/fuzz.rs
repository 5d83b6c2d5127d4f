//! Any chart is loaded or refused, and so is any index; what comes of them is as it must be.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use fuzz_input::{Corpus, Values, check, soon};
use helm_chart::index::{Index, IndexEntry, Keep, rewrite};
use helm_chart::{Chart, ChartFile, Rules, archive, dependencies, schema, values};
use serde_json::{Map, Value, json};
use tar::Header;

const CHART: &str = "apiVersion: v2
name: web
version: 1.2.3
appVersion: \"1\"
kubeVersion: '>=1.20-0'
type: application
keywords: [a, b]
maintainers: [{name: x, email: x@example.com, url: https://example.com}]
annotations: {a: b}
dependencies:
- name: sub
  version: ~1.2
  repository: https://example.com/charts
  condition: sub.enabled,global.sub
  tags: [t]
  alias: other
  import-values: [data, {child: a.b, parent: c}]
";
const V1: &str = "name: web\nversion: 0.1.0\nengine: gotpl\ntillerVersion: '>2'\n";
const SUB: &str = "apiVersion: v2\nname: sub\nversion: 1.2.3\n";
const REQUIREMENTS: &str = "dependencies:\n- {name: sub, version: 1.x, alias: other}\n";
const VALUES: &str =
    "a: {b: 1, c: null}\nglobal: {x: y}\nsub: {enabled: true, a: [1]}\nother: {v: 1}\n";
const LOCK: &str = "dependencies:\n- {name: sub, repository: '', version: 1.2.3}\ndigest: x\ngenerated: \"2026-01-01T00:00:00Z\"\n";
const IGNORE: &str = "# c\n*.md\n!a\n/x/\n";

fn chart(files: &[(&str, &str)]) -> Option<Chart> {
    let file = |(name, text): &(&str, &str)| ChartFile {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec().into(),
    };
    soon(|| Chart::from_files(files.iter().map(file).collect())).ok()
}

#[test]
fn files_of_a_chart_that_are_nearly_right() {
    let of = |texts: &[&str]| Corpus::of(texts.iter().copied()).text();
    let texts = (of(&[CHART, V1]), of(&[REQUIREMENTS]), of(&[VALUES]), of(&[LOCK]), of(&[IGNORE]));
    check(200).with_generator(texts).for_each(
        |(metadata, requirements, defaults, lock, ignore)| {
            let loaded = chart(&[
                ("Chart.yaml", metadata),
                ("requirements.yaml", requirements),
                ("requirements.lock", lock),
                ("Chart.lock", lock),
                ("values.yaml", defaults),
                (".helmignore", ignore),
                ("charts/sub/Chart.yaml", SUB),
                ("charts/sub/values.yaml", defaults),
                ("crds/a.yaml", defaults),
                ("README.md", ""),
            ]);
            if let Some(chart) = loaded {
                all_rules(&chart, &Map::new());
            }
        },
    );
}

fn all_rules(chart: &Chart, user: &Map<String, Value>) {
    for rules in [Rules::Helm3, Rules::Helm4] {
        let mut chart = chart.clone();
        if soon(|| dependencies::process(&mut chart, user, rules)).is_err() {
            continue;
        }
        let Ok(seen) = soon(|| values::coalesce(&chart, user, rules)) else { continue };
        soon(|| schema::validate(&chart, &seen)).ok();
        // What the user says of the chart itself, in one word, holds.
        let of_others: Vec<&str> =
            chart.dependencies.iter().map(Chart::name).chain(["global"]).collect();
        for (key, value) in user {
            let is_scalar = !value.is_null() && !value.is_object();
            if is_scalar && !of_others.contains(&key.as_str()) {
                assert_eq!(seen.get(key), Some(value), "{key}");
            }
        }
    }
}

#[test]
fn values_over_values() {
    let samples = || {
        Values::of([
            json!({"a": {"b": 1, "c": null}, "global": {"x": {"y": 1}}, "sub": {"enabled": true, "a": [1]}}),
            json!({"other": {"global": {"x": 2}, "v": {"w": null}}, "tags": {"t": false}, "exports": {"data": {"k": 1}}}),
            json!({"sub": null, "global": null, "other": {"enabled": "no", "a": {"b": {"c": 1}}}}),
        ])
        .value()
    };
    check(300).with_generator((samples(), samples(), samples())).for_each(
        |(user, parent, child)| {
            let Value::Object(user) = user else { return };
            let (parent, child) = (parent.to_string(), child.to_string());
            for metadata in [CHART, "apiVersion: v2\nname: web\nversion: 1.2.3\n"] {
                let loaded = chart(&[
                    ("Chart.yaml", metadata),
                    ("values.yaml", &parent),
                    ("charts/sub/Chart.yaml", SUB),
                    ("charts/sub/values.yaml", &child),
                ]);
                if let Some(chart) = loaded {
                    all_rules(&chart, user);
                }
            }
        },
    );
}

#[test]
fn schemas_that_are_nearly_right() {
    let schemas = Values::of([
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["a"],
            "properties": {"a": {"$ref": "#/definitions/x"}, "b": {"type": ["string", "null"], "pattern": "^[a-z]+$"}},
            "definitions": {"x": {"type": "object", "additionalProperties": false, "patternProperties": {"^b": {"minimum": 1}}}},
            "if": {"properties": {"c": {"const": 1}}}, "then": {"required": ["d"]}, "else": true}),
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"n": {"$anchor": "n", "items": {"$ref": "#n"}}},
            "allOf": [{"$ref": "#/$defs/n"}], "anyOf": [{"type": "array"}, {"not": {"type": "string"}}],
            "oneOf": [{"maxProperties": 3}], "prefixItems": [{"enum": [1, "x"]}], "unevaluatedProperties": false,
            "dependentRequired": {"a": ["b"]}, "propertyNames": {"maxLength": 5}, "contains": {"multipleOf": 0.1}, "minContains": 1}),
        json!({"$schema": "https://json-schema.org/draft/2019-09/schema", "$id": "https://example.com/s", "$recursiveAnchor": true,
            "properties": {"a": {"$recursiveRef": "#"}, "s": {"format": "date-time", "uniqueItems": true}}}),
    ]);
    let user = Values::of([
        json!({"a": {"b": 1, "c": {"a": {}}}, "b": "x", "s": [1, 1.0, "x"], "c": 1, "d": null}),
    ]);
    let generator = (schemas.value(), user.value());
    check(300).with_generator(generator).for_each(|(schema, user)| {
        let Value::Object(user) = user else { return };
        let text = schema.to_string();
        if let Some(chart) = chart(&[("Chart.yaml", SUB), ("values.schema.json", &text)])
            && let Err(mismatch) = soon(|| schema::validate(&chart, user))
        {
            assert!(!mismatch.to_string().is_empty());
        }
    });
}

fn load(archive: &[u8]) {
    let entries = soon(|| archive::entries(archive));
    for file in entries.into_iter().flatten() {
        let is_confined =
            !file.name.starts_with('/') && file.name.split('/').all(|step| step != "..");
        assert!(is_confined, "{:?}", file.name);
    }
    if let Ok(chart) = soon(|| archive::load(archive)) {
        all_rules(&chart, &Map::new());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A tar of entries whose headers may say anything.
fn tar(entries: &Value) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries.as_array().into_iter().flatten() {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().as_bytes();
        let mut header = Header::new_gnu();
        let kind = text("kind").first().copied().unwrap_or(b'0');
        header.as_mut_bytes()[156] = kind;
        header.set_mode(0o644);
        let content = text("content");
        header.set_size(entry["size"].as_u64().unwrap_or(content.len() as u64));
        let old = header.as_old_mut();
        old.name.iter_mut().zip(text("name")).for_each(|(to, from)| *to = *from);
        old.linkname.iter_mut().zip(text("link")).for_each(|(to, from)| *to = *from);
        header.set_cksum();
        tar.extend(header.as_bytes());
        tar.extend(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend([0; 1024]);
    tar
}

fn entries() -> Value {
    json!([
        {"name": "web/Chart.yaml", "kind": "0", "content": CHART},
        {"name": "web/values.yaml", "kind": "0", "content": VALUES},
        {"name": "web/templates/", "kind": "5"},
        {"name": "web/templates/a.yaml", "kind": "0", "content": "a: {{ .Values.a }}\n"},
        {"name": "././@LongLink", "kind": "L", "content": "web/charts/sub/a/very/long/name\0"},
        {"name": "web/charts/sub/Chart.yaml", "kind": "0", "content": SUB},
        {"name": "pax", "kind": "x", "content": "26 path=web/charts/b/../c\n"},
        {"name": "web/charts/sub/values.yaml", "kind": "0", "content": "v: 1\n"},
        {"name": "pax", "kind": "g", "content": "20 size=99999999999\n"},
        {"name": "web/link", "kind": "2", "link": "../../etc/passwd"},
        {"name": "/etc/passwd", "kind": "1", "link": "web/Chart.yaml"},
        {"name": "web/../../x", "kind": "0", "content": "x", "size": 5},
        {"name": "web\\windows", "kind": "7", "content": "\u{feff}x"},
    ])
}

#[test]
fn any_bytes_as_an_archive() {
    check(200).for_each(|bytes| {
        load(bytes);
        load(&gzip(bytes));
    });
}

#[test]
fn archives_that_are_nearly_right() {
    // Whole ones get further than those with every trick.
    let plain: Vec<Value> = entries().as_array().unwrap().iter().take(6).cloned().collect();
    let values = Values::of([entries(), plain.into()]).value();
    check(300).with_generator(values).for_each(|entries| load(&gzip(&tar(entries))));
}

#[test]
fn streams_that_are_nearly_right() {
    let tar = tar(&entries());
    let bytes = Corpus::of([tar.clone()]).bytes();
    check(100).with_generator(bytes).for_each(|tar| load(&gzip(tar)));
}

#[test]
fn compressed_bytes_that_are_nearly_right() {
    let bytes = Corpus::of([gzip(&tar(&entries()))]).bytes();
    check(100).with_generator(bytes).for_each(|archive| load(archive));
}

const INDEX: &str = "apiVersion: v1
entries:
  web:
    - name: web
      version: 1.10.0
      urls: [https://x/web-1.10.0.tgz]
      digest: abc
      created: 2020-01-01T00:00:00Z
      dependencies: [{name: a, version: 1.x}]
      annotations: {a: \"1\"}
    - null
    - {name: web, version: 2.0.0-rc.1, deprecated: yes, keywords: [1, two]}
  empty: []
  b:
  - version: 0.1.0+b
    name: b
    urls:
    - b-0.1.0.tgz
    maintainers: &m
    - name: x
    sources: *m
generated: \"2020-01-01T00:00:00Z\"
";

/// What is written as it was read; a time that is missing becomes Go's zero.
fn known(entry: &IndexEntry) -> (&str, &[Box<str>], &str) {
    (&entry.version, &entry.urls, &entry.digest)
}

fn index(text: &[u8]) {
    soon(|| {
        let read = Index::read(text, Keep::All);
        if let Ok(index) = &read {
            for chart in index.charts() {
                index.find(chart, "").ok();
                index.find(chart, ">=1-0").ok();
            }
            index.weight_bytes();
        }
        drop(Index::read(text, Keep::Chart("web")));
        drop(Index::read_json(text, Keep::All));
        let mut written = Vec::new();
        if rewrite(text, &mut written).is_ok() {
            let again = Index::read_json(written.as_slice(), Keep::All).unwrap();
            let read = read.unwrap();
            assert!(again.charts().eq(read.charts()));
            for chart in read.charts() {
                assert!(
                    again
                        .versions(chart)
                        .iter()
                        .map(known)
                        .eq(read.versions(chart).iter().map(known))
                );
            }
        }
    });
}

#[test]
fn any_bytes_as_an_index() {
    check(300).for_each(index);
}

#[test]
fn indices_that_are_nearly_right() {
    let corpus = Corpus::of([INDEX.to_owned(), yaml_as_json()]).bytes();
    check(500).with_generator(corpus).for_each(|text| index(text));
}

fn yaml_as_json() -> String {
    values::read(INDEX.as_bytes()).map(|index| Value::from(index).to_string()).unwrap()
}
