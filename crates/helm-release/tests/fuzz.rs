//! Any bytes are a record or none, and a record is stored as it is.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use fuzz_input::{Bytes, Corpus, Values, check, soon};
use helm_release::{config_digest, decode, digest, encode, labels};
use serde_json::{Value, json};

/// What records may unpack to.
const MAX_BYTES: u64 = 16 << 20;

fn records() -> [Value; 2] {
    let chart = json!({
        "metadata": {"name": "web", "version": "1.2.3", "apiVersion": "v2", "appVersion": "1",
            "dependencies": [{"name": "sub", "version": "1.x", "repository": "", "condition": "sub.on"}]},
        "lock": {"generated": "2026-01-01T00:00:00Z", "digest": "x", "dependencies": []},
        "templates": [{"name": "templates/a.yaml", "data": "YTogMQo="}],
        "values": {"a": 1, "b": {"c": [1.5, null, "x"]}},
        "schema": "e30=",
        "files": [{"name": "README.md", "data": ""}],
    });
    let hook = json!({
        "name": "job", "kind": "Job", "path": "web/templates/job.yaml", "manifest": "kind: Job\n",
        "events": ["pre-install", "test"], "weight": -5, "delete_policies": ["hook-succeeded"],
        "output_log_policies": ["hook-failed"],
        "last_run": {"started_at": "2026-01-01T00:00:00Z", "completed_at": "", "phase": "Succeeded"},
    });
    [
        json!({
            "name": "web",
            "info": {"first_deployed": "2026-01-01T00:00:00Z", "last_deployed": "2026-01-01T00:00:00.5Z",
                "deleted": "", "description": "Install complete", "status": "deployed", "notes": "é\n"},
            "chart": chart,
            "config": {"a": 2, "b": null},
            "manifest": "---\n# Source: web/templates/a.yaml\na: 1\n",
            "hooks": [hook],
            "version": 3,
            "namespace": "default",
            "apply_method": "ssa",
        }),
        json!({"name": "x", "info": {"status": "pending-upgrade"}, "chart": null, "hooks": null,
            "config": null, "version": 1, "unknown": {"kept": [1, 2.5]}}),
    ]
}

fn packed(bytes: &[u8]) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    STANDARD.encode(gzip.finish().unwrap())
}

fn run(text: &[u8]) {
    soon(|| {
        let Ok(record) = decode(text, &mut { MAX_BYTES }) else { return };
        digest(&record, None);
        record.config.as_ref().map(config_digest);
        labels(&record);
        assert_eq!(
            decode(encode(&record).unwrap().as_bytes(), &mut { MAX_BYTES }).unwrap(),
            record
        );
    });
}

#[test]
fn any_bytes() {
    check(300).for_each(|bytes| {
        run(bytes);
        run(STANDARD.encode(bytes).as_bytes());
        run(packed(bytes).as_bytes());
    });
}

#[test]
fn secrets_that_are_nearly_right() {
    let corpus = Corpus::of(records().map(|record| packed(record.to_string().as_bytes())));
    check(300).with_generator(corpus.bytes()).for_each(|text| run(text));
}

#[test]
fn streams_that_are_nearly_right() {
    let gzip = |record: &Value| STANDARD.decode(packed(record.to_string().as_bytes())).unwrap();
    let corpus = Corpus::of(records().iter().map(gzip)).bytes();
    let run = |bytes: &Bytes| run(STANDARD.encode(&**bytes).as_bytes());
    check(300).with_generator(corpus).for_each(run);
}

#[test]
fn records_that_are_nearly_right() {
    let values = Values::of(records()).value();
    let run = |record: &Value| run(packed(record.to_string().as_bytes()).as_bytes());
    check(500).with_generator(values).for_each(run);
}
