//! What Go 1.26 reads and prints (made by the real library).

use go_duration::{Duration, parse};
use serde_json::Value;

#[test]
fn durations_are_those_of_go() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/cases.json")).unwrap();
    let mut different = Vec::new();
    for case in &table {
        let input = case["input"].as_str().unwrap();
        let text = |key: &str| case[key].as_str().map(str::to_owned);
        let second = Duration::from_nanos(1_000_000_000);
        let same = match parse(input) {
            Err(error) => text("error") == Some(error.to_string()),
            Ok(read) => {
                text("nanoseconds") == Some(read.as_nanos().to_string())
                    && text("string") == Some(read.to_string())
                    && text("metav1_json") == Some(format!("\"{read}\""))
                    && case["seconds"].as_f64() == Some(read.as_seconds())
                    && text("rounded_s") == Some(read.round(second).to_string())
                    && text("truncated_ms")
                        == Some(read.truncate(Duration::from_nanos(1_000_000)).to_string())
            }
        };
        if !same {
            different.push(format!("{case} {:?}", parse(input)));
        }
    }
    assert!(different.is_empty(), "{} of {}: {different:#?}", different.len(), table.len());
}
