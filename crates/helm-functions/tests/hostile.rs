//! Templates that mean harm: each must end soon, in an error that says why.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a broken fixture must stop the test, and the errors be seen"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use go_template::{Budget, Error, Session, Templates, Value};
use helm_functions::{Dialect, Helm, Limits, SystemEntropy, functions};

/// As little as any real chart's hundredth part needs, so that the tests are quick without
/// optimization.
const BUDGET: Budget = Budget {
    steps: 300_000,
    output_bytes: 4 << 20,
    value_bytes: 4 << 20,
    made_bytes: 64 << 20,
    nesting: 4_000,
    source_bytes: 1 << 20,
};

fn execute(name: &str, text: &str) -> Result<Vec<u8>, Error> {
    let mut templates = Templates::new("gotpl", functions(Dialect::Helm4));
    templates.parse(name, text)?;
    let helm = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy)
        .with_limits(Limits { costly_calls: 8 });
    let mut session = Session::with_state(BUDGET, helm);
    templates.execute(name, Value::Nil, &mut session)
}

/// A thread with a small stack, as those of a server are.
fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn check(name: &str, text: &str) {
    let start = Instant::now();
    let message = on_small_stack(|| execute(name, text).map_err(|error| error.to_string()));
    let took = start.elapsed();
    let message = message.expect_err(name);
    let shown: String = message.chars().take(200).collect();
    assert!(took < Duration::from_secs(20), "{name} took {took:?}: {shown}");
    println!("{name}: {took:?}: {shown}");
}

#[test]
fn hostile_templates_end_in_errors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 25);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        check(&path.file_stem().unwrap().to_string_lossy(), &text);
    }
}

#[test]
fn deep_sources_end_in_errors() {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    check("parentheses", &format!("{{{{ {} }}}}", nested("(", "1", ")", 100_000)));
    check("open parentheses", &format!("{{{{ {} }}}}", "(".repeat(100_000)));
    check("blocks", &nested("{{ if 1 }}", "x", "{{ end }}", 50_000));
    check("open blocks", &"{{ range . }}".repeat(50_000));
    check("else chain", &format!("{{{{ if 0 }}}}{}", "{{ else if 0 }}".repeat(50_000)));
    check("variables", &format!("{}{{{{ nope }}}}", "{{ $x := 1 }}".repeat(20_000)));
}

#[test]
fn nesting_within_the_limits_needs_no_large_stack() {
    let depth = 9_000;
    let text = format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(on_small_stack(|| execute("parentheses", &text)).unwrap(), b"1");
    let text = format!("{}x{}", "{{ if 1 }}".repeat(depth), "{{ end }}".repeat(depth));
    assert_eq!(on_small_stack(|| execute("blocks", &text)).unwrap(), b"x");
}
