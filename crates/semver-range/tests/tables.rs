//! The golden tables, written by `Masterminds/semver` v3.5.0.

#![expect(clippy::unwrap_used, reason = "a table that cannot be read fails the test")]

use semver_range::{Constraint, Version};
use serde_json::Value;

fn table(name: &str) -> Value {
    let path = format!("{}/tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|l| l.iter().map(|v| v.as_str().unwrap()).collect()).unwrap_or_default()
}

#[test]
fn a_range_matches_what_it_matches_in_go() {
    for case in table("constraints.json").as_array().unwrap() {
        let text = case["constraint"].as_str().unwrap();
        let range = match Constraint::parse(text) {
            Ok(range) => range,
            Err(error) => {
                assert_eq!(Some(error.to_string().as_str()), case["error"].as_str(), "{text:?}");
                continue;
            }
        };
        assert_eq!(case["error"], Value::Null, "{text:?}");
        assert_eq!(range.to_string(), case["normalized"], "{text:?}");
        for (i, version) in texts(&case["versions"]).into_iter().enumerate() {
            let Ok(parsed) = Version::parse(version) else {
                assert_eq!(case["matches"][i], "invalid version", "{text:?} {version}");
                continue;
            };
            assert_eq!(range.check(&parsed), case["matches"][i], "{text:?} {version}");
            let reasons = range.validate(&parsed).err().unwrap_or_default();
            let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            assert_eq!(reasons.join("; "), case["reasons"][i], "{text:?} {version}");
        }
    }
}

#[test]
fn a_version_reads_as_in_go() {
    for case in table("versions.json").as_array().unwrap() {
        let input = case["input"].as_str().unwrap();
        same(input, &Version::parse(input), case);
        same(input, &Version::parse_strict(input), &case["strict"]);
    }
}

fn same(input: &str, got: &Result<Version, semver_range::VersionError>, want: &Value) {
    match got {
        Err(error) => assert_eq!(error.to_string(), want["error"], "{input:?}"),
        Ok(version) => {
            assert_eq!(want["ok"], true, "{input:?}");
            assert_eq!(version.to_string(), want["normalized"], "{input:?}");
            assert_eq!(version.original(), want["original"], "{input:?}");
            assert_eq!(version.major(), want["major"], "{input:?}");
            assert_eq!(version.minor(), want["minor"], "{input:?}");
            assert_eq!(version.patch(), want["patch"], "{input:?}");
            assert_eq!(version.prerelease(), want["prerelease"], "{input:?}");
            assert_eq!(version.metadata(), want["metadata"], "{input:?}");
        }
    }
}

#[test]
fn versions_sort_as_in_go() {
    for case in table("sort.json").as_array().unwrap() {
        let mut invalid = Vec::new();
        let mut versions = Vec::new();
        for input in texts(&case["input"]) {
            match Version::parse(input) {
                Ok(version) => versions.push(version),
                Err(_) => invalid.push(input),
            }
        }
        versions.sort();
        let sorted: Vec<&str> = versions.iter().map(Version::original).collect();
        assert_eq!(sorted, texts(&case["sorted"]));
        assert_eq!(invalid, texts(&case["invalid"]));
    }
}

#[test]
fn the_matrix_is_the_one_of_go() {
    let matrix = table("masterminds-matrix.json");
    let versions: Vec<Version> =
        texts(&matrix["versions"]).into_iter().map(|v| Version::parse(v).unwrap()).collect();
    for case in matrix["constraints"].as_array().unwrap() {
        let text = case["constraint"].as_str().unwrap();
        let range = match Constraint::parse(text) {
            Ok(range) => range,
            Err(error) => {
                assert_eq!(error.to_string(), case["error"], "{text:?}");
                continue;
            }
        };
        assert_eq!(range.to_string(), case["string"], "{text:?}");
        let matched = |range: &Constraint| -> Vec<&str> {
            versions.iter().filter(|v| range.check(v)).map(Version::original).collect()
        };
        assert_eq!(matched(&range), texts(&case["matched"]), "{text:?}");
        // `max` takes the last of equals, the matrix the first.
        let highest = versions.iter().rev().filter(|v| range.check(v)).max().map(Version::original);
        assert_eq!(highest, case["highest"].as_str(), "{text:?}");
        let wide = range.including_prereleases();
        assert_eq!(matched(&wide), texts(&case["matched_include_prerelease"]), "{text:?}");
    }
    for case in matrix["parse"].as_array().unwrap() {
        let input = case["in"].as_str().unwrap();
        match Version::parse(input) {
            Err(error) => assert_eq!(error.to_string(), case["error"], "{input:?}"),
            Ok(version) => {
                assert_eq!(version.to_string(), case["string"], "{input:?}");
                assert_eq!(version.original(), case["original"], "{input:?}");
            }
        }
        let strict = Version::parse_strict(input).err().map(|e| e.to_string());
        assert_eq!(strict.as_deref(), case["strict_error"].as_str(), "{input:?}");
    }
    let mut sorted = versions;
    sorted.sort();
    let stable = texts(&matrix["stable_sorted"]);
    let sorted: Vec<&str> = sorted.iter().map(Version::original).collect();
    let stable: Vec<&str> = stable.into_iter().filter(|v| sorted.contains(v)).collect();
    assert_eq!(sorted, stable);
}

#[test]
fn raising_a_version_keeps_its_v() {
    let raise = |text: &str| {
        let v = Version::parse(text).unwrap();
        [v.inc_major(), v.inc_minor(), v.inc_patch()].map(|v| v.unwrap().original().to_owned())
    };
    assert_eq!(raise("v1.2.3-rc.1+b"), ["v2.0.0", "v1.3.0", "v1.2.3"]);
    assert_eq!(raise("1.2"), ["2.0.0", "1.3.0", "1.2.1"]);
    assert!(Version::parse("18446744073709551615.0.0").unwrap().inc_major().is_none());
}

#[test]
fn a_hostile_range_is_refused_quickly() {
    let long = "1 ".repeat(300);
    assert!(Constraint::parse(&long).is_err());
    let groups = "1||".repeat(40) + "1";
    assert!(Constraint::parse(&groups).is_err());
    assert!(Version::parse(&"1".repeat(300)).is_err());
    assert!(Constraint::parse(&"1 - ".repeat(128)).is_err());
}
