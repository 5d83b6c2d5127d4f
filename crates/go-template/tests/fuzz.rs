//! Nothing that is parsed or executed may panic.

use fuzz_input::{Corpus, check, produce, soon, words};
use go_template::{Budget, Functions, Session, Templates, Value};

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
    soon(|| {
        let mut templates = Templates::new("set", Functions::new());
        if let Err(error) = templates.parse("t", text) {
            assert!(!error.to_string().is_empty());
            return;
        }
        match templates.execute("t", data(), &mut Session::new(BUDGET)) {
            Ok(output) => assert!(output.len() <= BUDGET.output_bytes),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
}

#[test]
fn any_bytes() {
    check(500).for_each(|bytes| run(&String::from_utf8_lossy(bytes)));
}

#[test]
fn templates_that_are_nearly_right() {
    let corpus = Corpus::of_table("parity/tests/tables/templates/gotemplate.json", "template")
        .and(Corpus::of_table("parity/tests/tables/templates/engine-handwritten.json", "template"));
    check(1000).with_generator(corpus.text()).for_each(|text| run(text));
}

#[test]
fn words_of_the_language() {
    let words = words(
        &[
            "{{ ",
            " }}",
            "{{- ",
            " -}}",
            "if ",
            "else ",
            "end",
            "range ",
            "with ",
            "define ",
            "block ",
            "template ",
            "\"t\" ",
            "\"n\" ",
            ". ",
            ".a ",
            ".m.k ",
            "$ ",
            "$x ",
            ":= ",
            "= ",
            "| ",
            "(",
            ")",
            "printf ",
            "\"%v %5.2f %[1]q\" ",
            "index ",
            ".l ",
            "slice ",
            "eq ",
            "and ",
            "or ",
            "nil ",
            "1 ",
            "-2 ",
            "1.5 ",
            "'x' ",
            "true ",
            "break",
            "continue",
            "text ",
            ", ",
            "len ",
            "html ",
            "js ",
            "call ",
            "lt ",
        ],
        40,
    );
    check(1000).with_generator(words).for_each(|text| run(text));
}

#[test]
fn words_within_an_action() {
    let words = words(
        &[
            " ", "a", ".", "$", "|", "(", ")", "\"", "`", "'", "0", "9", ":", "=", ",", "\\", "{",
            "}", "\n", "%", "+", "_", "é", "-", "/*", "*/", "nil", "0x", "1e", "len",
        ],
        30,
    );
    check(1000).with_generator(words).for_each(|text| run(&format!("a{{{{{text}}}}}b")));
}

#[test]
fn any_format() {
    let format = words(
        &[
            "%", "v", "d", "s", "q", "x", "X", "f", "g", "e", "t", "T", "c", "U", "p", "b", "o",
            "+", "#", " ", ".", "-", "*", "[", "]", "0", "1", "2", "9", "é",
        ],
        15,
    );
    let values = (produce::<i64>(), produce::<f64>(), Corpus::of(["text é"]).text());
    check(1000).with_generator((format, values)).for_each(|(format, (number, float, text))| {
        let args =
            [Value::int(*number), Value::from(*float), Value::from(text.as_str()), Value::Nil];
        soon(|| go_template::format::sprintf(format.as_bytes(), &args, 1 << 16));
    });
}
