//! Whatever templates ask of the functions, nothing panics, and all ends.

use fuzz_input::{Corpus, check, soon};
use go_template::{Budget, MissingKey, Session, Templates, Value};
use helm_functions::{Dialect, Helm, Limits, SystemEntropy, functions};

const BUDGET: Budget = Budget {
    steps: 10_000,
    output_bytes: 64 << 10,
    value_bytes: 64 << 10,
    made_bytes: 1 << 20,
    held_bytes: 1 << 20,
    nesting: 50,
    source_bytes: 64 << 10,
    parsed_bytes: 1 << 20,
};

fn data() -> Value {
    Value::map([
        ("a", Value::int(5)),
        ("b", Value::from("text é")),
        ("l", Value::list(vec![Value::Nil, Value::from(1.5), Value::from("é")])),
        ("m", Value::map([("k", Value::Bool(true))])),
    ])
}

fn run(text: &str) {
    soon(|| {
        let mut templates = Templates::new("gotpl", functions(Dialect::Helm4));
        if templates.parse("t", text).is_err() {
            return;
        }
        let helm = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy)
            .with_limits(Limits { costly_calls: 1 });
        let mut session = Session::with_state(BUDGET, helm);
        session.missing_key = MissingKey::Zero;
        match templates.execute("t", data(), &mut session) {
            Ok(output) => assert!(output.len() <= BUDGET.output_bytes),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
}

#[test]
fn templates_that_are_nearly_right() {
    let corpus = Corpus::of_table("parity/tests/tables/templates/sprig.json", "template")
        .and(Corpus::of_table("parity/tests/tables/templates/engine-handwritten.json", "template"));
    check(400).with_generator(corpus.text()).for_each(|text| run(text));
}
