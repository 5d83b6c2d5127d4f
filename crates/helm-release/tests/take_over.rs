//! What Flux left behind is read, verified and digested as Flux does.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what tests share fails as tests do, and says when it does not run"
)]

use std::path::Path;

use crd_types::helm::Snapshot;
use helm_release::{
    DecodeError, Desired, Drift, Info, Record, State, TestPolicy, config_digest, decode, digest,
    encode, observe, snapshot, verify,
};
use serde_json::Value;

/// The state that real controllers left, beside the repository; none without it.
fn read(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/transcripts/takeover");
    let text = std::fs::read_to_string(path.join(name)).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not beside the repository");
    }
    text
}

fn records() -> Option<Vec<Record>> {
    let all: Vec<Value> = serde_json::from_str(&read("helm-storage-decoded.json")?).unwrap();
    Some(
        all.into_iter()
            .map(|one| serde_json::from_value(one["release"].clone()).unwrap())
            .collect(),
    )
}

fn history() -> Option<Vec<Snapshot>> {
    let list = yaml::parse(read("helmreleases.yaml")?.as_bytes()).unwrap();
    Some(serde_json::from_value(list["items"][0]["status"]["history"].clone()).unwrap())
}

#[test]
fn the_digests_are_those_of_flux() {
    let (Some(records), Some(history)) = (records(), history()) else { return };
    assert_eq!(records.len(), 2);
    for record in &records {
        let known = history.iter().find(|known| known.version == record.version).unwrap();
        assert_eq!(digest(record, None), known.digest, "v{}", record.version);
        assert_eq!(config_digest(record.config.as_ref().unwrap()), known.config_digest);
        verify(known, record).unwrap();
        let ours = snapshot(record, known.action.as_deref(), None);
        assert_eq!(serde_json::to_value(ours).unwrap(), serde_json::to_value(known).unwrap());
    }
}

#[test]
fn a_release_of_flux_is_in_sync() {
    let (Some(records), Some(history)) = (records(), history()) else { return };
    let desired = Desired {
        chart_name: "podinfo".to_owned(),
        chart_version: "6.9.2".to_owned(),
        config_digest: history[0].config_digest.clone(),
        ..Desired::default()
    };
    let tests = TestPolicy::default();
    let state = observe(records.last(), &history, &desired, tests, Drift::None);
    assert_eq!(state, Ok(State::InSync));
}

#[test]
fn records_survive_a_round_trip() {
    let (Some(all), Some(secrets)) = (read("helm-storage-decoded.json"), read("helm-storage.yaml"))
    else {
        return;
    };
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    let secrets = yaml::parse(secrets.as_bytes()).unwrap();
    for (n, wanted) in all.iter().enumerate() {
        let data = secrets["items"][n]["data"]["release"].as_str().unwrap();
        let record = decoded(&base64_decoded(data)).unwrap();
        let again = decoded(encode(&record).unwrap().as_bytes()).unwrap();
        assert_eq!(record, again);
        // What Go prints as null for none may be left out.
        assert_eq!(serde_json::to_value(&again).unwrap(), wanted["release"]);
    }
}

#[test]
fn unknown_fields_are_kept() {
    let text = r#"{"name":"a","info":{"status":"odd","x":1},"version":1,"y":{"z":[1.5]},
        "hooks":[{"name":"h","last_run":{"phase":"","q":2},"w":3}],"chart":null,"config":null}"#;
    let record: Record = serde_json::from_str(text).unwrap();
    let printed = serde_json::to_value(&record).unwrap();
    assert_eq!(printed["info"], serde_json::json!({"status": "odd", "x": 1}));
    assert_eq!(printed["y"], serde_json::json!({"z": [1.5]}));
    assert_eq!(printed["hooks"][0]["w"], 3);
    assert_eq!(printed["hooks"][0]["last_run"]["q"], 2);
}

#[test]
fn what_is_no_record_is_an_error() {
    let good = encode(&Record::default()).unwrap();
    for broken in ["", "!", "AAAA", &good[..good.len() / 2], "H4sIAAAAAAAAAA=="] {
        assert!(decoded(broken.as_bytes()).is_err(), "{broken}");
    }
    let mut bytes = good.into_bytes();
    for at in 0..bytes.len() {
        let was = std::mem::replace(&mut bytes[at], b'A');
        drop(decoded(&bytes)); // an error or another record, but no panic
        bytes[at] = was;
    }
}

#[test]
fn a_record_takes_no_more_than_is_left_for_it() {
    let info = Info { notes: "a".repeat(1 << 20), ..Info::default() };
    let text = encode(&Record { info, ..Record::default() }).unwrap();
    let mut left_bytes = 3 << 20;
    for _ in 0..2 {
        decode(text.as_bytes(), &mut left_bytes).unwrap();
    }
    let third = decode(text.as_bytes(), &mut left_bytes);
    assert!(matches!(third, Err(DecodeError::TooMuch)), "{third:?}");
    let info = Info { notes: "a".repeat(33 << 20), ..Info::default() };
    let refused = encode(&Record { info, ..Record::default() }).unwrap_err();
    assert_eq!(refused.to_string(), "the record unpacks to more than 32 MiB");
}

fn decoded(text: &[u8]) -> Result<Record, DecodeError> {
    let mut left_bytes = u64::MAX;
    decode(text, &mut left_bytes)
}

fn base64_decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
