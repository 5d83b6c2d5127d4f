//! What `github.com/fluxcd/pkg/envsubst` makes of texts (made by the real library).

use std::collections::BTreeMap;

use serde::Deserialize;
use variable_substitution::{Options, substitute};

type Variables = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Case {
    input: String,
    vars: Variables,
    strict: bool,
    expected: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Matrix {
    vars: Variables,
    cases: Vec<MatrixCase>,
}

#[derive(Deserialize)]
struct MatrixCase {
    input: String,
    output: String,
    error: Option<String>,
    strict_output: String,
    strict_error: Option<String>,
}

fn evaluate(input: &str, variables: &Variables, strict: bool) -> Result<String, String> {
    let lookup = |name: &str| variables.get(name).map(String::as_str);
    substitute(input, &lookup, &Options { strict }).map_err(|error| error.to_string())
}

fn report(total: usize, different: &[String]) {
    assert!(
        different.is_empty(),
        "{} of {total} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn version_1_8_gives_the_same() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("tables/cases.json")).unwrap();
    let mut different = Vec::new();
    for Case { input, vars, strict, expected, error } in &cases {
        let wanted = error.clone().map_or_else(|| Ok(expected.clone().unwrap()), Err);
        let found = evaluate(input, vars, *strict);
        if found != wanted {
            different.push(format!("{input:?} strict {strict}: want {wanted:?}, got {found:?}"));
        }
    }
    report(cases.len(), &different);
}

#[test]
fn version_1_7_gives_the_same_where_it_does_not_panic() {
    let Matrix { vars, cases } =
        serde_json::from_str(include_str!("tables/fluxcd-matrix.json")).unwrap();
    let mut different = Vec::new();
    for case in &cases {
        let relaxed = case.error.clone().map_or_else(|| Ok(case.output.clone()), Err);
        let strict = case.strict_error.clone().map_or_else(|| Ok(case.strict_output.clone()), Err);
        for (strict, wanted) in [(false, relaxed), (true, strict)] {
            let found = evaluate(&case.input, &vars, strict);
            let panicked = wanted.as_ref().is_err_and(|error| error.starts_with("panic: "));
            if found != wanted && !panicked {
                let input = &case.input;
                different
                    .push(format!("{input:?} strict {strict}: want {wanted:?}, got {found:?}"));
            }
        }
    }
    report(cases.len() * 2, &different);
}
