//! The rules against what the real matcher said.

use std::collections::BTreeSet;

use serde_json::Value;
use source_ignore::{Base, Rules};

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

#[test]
fn single_paths_match_as_in_go_git() {
    let cases: Value = serde_json::from_str(include_str!("tables/gogit.json")).unwrap();
    let mut failed = Vec::new();
    let cases = cases.as_array().unwrap();
    for case in cases {
        let mut builder = Rules::builder();
        builder.base(Base::Nothing);
        builder.file(&[], case["patterns"].as_str().unwrap_or_default()).unwrap();
        for (directory, text) in case["nested"].as_object().into_iter().flatten() {
            builder.file(&segments(directory), text.as_str().unwrap()).unwrap();
        }
        let path: Vec<&str> = case["path"].as_str().unwrap().split('/').collect();
        let found = builder.build().excludes(&path, case["is_dir"].as_bool().unwrap());
        // The table was made below Flux's line reader, which takes a carriage return off.
        let carriage_return = case["patterns"].as_str().is_some_and(|text| text.contains('\r'));
        if !carriage_return && found != case["gogit"].as_bool().unwrap() {
            failed.push(case.to_string());
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

#[test]
fn whole_trees_match_as_in_flux() {
    let matrix: Value = serde_json::from_str(include_str!("tables/matrix.json")).unwrap();
    let paths: Vec<&str> =
        matrix["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    for case in matrix["cases"].as_array().unwrap() {
        for (base, field) in
            [(Base::Nothing, "flux_ignored"), (Base::Always, "flux_default_ignored")]
        {
            let mut builder = Rules::builder();
            builder.base(base).overrides(case["patterns"].as_str().unwrap()).unwrap();
            let rules = builder.build();
            let found: BTreeSet<&str> = paths
                .iter()
                .copied()
                .filter(|path| rules.excludes(&segments(path), path.ends_with('/')))
                .collect();
            let expected: BTreeSet<&str> =
                case[field].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
            assert_eq!(found, expected, "{} {field} {}", case["id"], case["patterns"]);
        }
    }
}

#[test]
fn own_patterns_switch_the_defaults_off_but_not_version_control() {
    let rules = |spec_ignore: &str| {
        let mut builder = Rules::builder();
        builder.overrides(spec_ignore).unwrap();
        builder.build()
    };
    for empty in ["", "\n", "# only a comment"] {
        assert!(rules(empty).excludes(&["a.png"], false), "{empty:?}");
        assert!(rules(empty).excludes(&[".gitignore"], false));
    }
    assert!(!rules("other").excludes(&["a.png"], false));
    assert!(rules("other").excludes(&["x", ".git", "config"], false));
    assert!(!rules("!.gitignore").excludes(&[".gitignore"], false));
}

#[test]
fn the_deeper_file_wins_and_the_spec_wins_over_all() {
    let mut builder = Rules::builder();
    builder.file(&[], "*.txt").unwrap();
    builder.file(&["d"], "!a.txt\n!c.txt").unwrap();
    builder.file(&["d", "e"], "a.txt").unwrap();
    builder.overrides("c.txt").unwrap();
    let rules = builder.build();
    assert!(rules.excludes(&["a.txt"], false));
    assert!(!rules.excludes(&["d", "a.txt"], false));
    assert!(rules.excludes(&["d", "b.txt"], false));
    assert!(rules.excludes(&["d", "e", "a.txt"], false));
    assert!(rules.excludes(&["d", "c.txt"], false));
}

#[test]
fn patterns_are_counted() {
    let mut builder = Rules::builder();
    assert!(builder.overrides(&"a\n".repeat(20_000)).is_ok());
    assert!(builder.file(&["x"], "one more").is_err());
}
