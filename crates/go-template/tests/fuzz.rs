//! Nothing that is parsed or executed may panic.

use go_template::{Budget, Functions, Session, Templates, Value};
use proptest::prelude::*;

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
        ("b", Value::from("text")),
        ("l", Value::list(vec![Value::Nil, Value::from(1.5), Value::from("é")])),
        ("m", Value::map([("k", Value::Bool(true))])),
    ])
}

fn run(text: &str) {
    let mut templates = Templates::new("set", Functions::new());
    if templates.parse("t", text).is_ok() {
        let result = templates.execute("t", data(), &mut Session::new(BUDGET));
        if let Err(error) = result {
            assert!(!error.to_string().is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        run(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn anything_within_an_action(text in r#"[ a-z.$|()"`'0-9:=,\\{}\n%+_é-]{0,60}"#) {
        run(&format!("a{{{{{text}}}}}b"));
    }

    #[test]
    fn words_of_the_language(words in proptest::collection::vec(proptest::sample::select(vec![
        "{{ ", " }}", "{{- ", " -}}", "if ", "else ", "end", "range ", "with ", "define ", "block ",
        "template ", "\"t\" ", "\"n\" ", ". ", ".a ", ".m.k ", "$ ", "$x ", ":= ", "= ", "| ", "(",
        ")", "printf ", "\"%v %5.2f %[1]q\" ", "index ", ".l ", "slice ", "eq ", "and ", "or ",
        "nil ", "1 ", "-2 ", "1.5 ", "'x' ", "true ", "break", "continue", "text ", ", ", "len ",
        "html ", "js ", "call ", "lt ",
    ]), 0..40)) {
        run(&words.concat());
    }

    #[test]
    fn any_format(format in "[%a-zA-Z0-9+# .*\\[\\]-]{0,30}", number in any::<i64>(), float in any::<f64>(), text in ".{0,10}") {
        let args = [Value::int(number), Value::from(float), Value::from(text.as_str()), Value::Nil];
        go_template::format::sprintf(format.as_bytes(), &args, 1 << 16);
    }
}
