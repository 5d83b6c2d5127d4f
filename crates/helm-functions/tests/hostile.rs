//! Templates that mean harm: each must end soon, within little memory, in an error that says why.
//!
//! The first line of a template says how it ends. Each runs in a process of its own, so that its
//! memory can be told: this program starts itself again. What counts is a release build with the
//! budgets of production; an unoptimized one gets a tenth of the steps, and more time.

#![expect(clippy::unwrap_used, reason = "a broken fixture must stop the test")]

use std::path::{Path, PathBuf};

use fuzz_input::{frugally, passes_alone};
use go_template::{Budget, Error, ExecCause, Origin, ParseErrorKind, Session, Templates, Value};
use helm_functions::{Dialect, FunctionError, Helm, SystemEntropy, functions};

fn execute(name: &str, text: &str) -> Result<Vec<u8>, Error> {
    let mut budget = Budget::default();
    if cfg!(debug_assertions) {
        budget.steps /= 10;
    }
    let mut templates = Templates::new("gotpl", functions(Dialect::Helm4));
    templates.parse(name, text)?;
    let helm = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy).rehearsing();
    templates.execute(name, Value::Nil, &mut Session::with_state(budget, helm))
}

/// The innermost cause: which budget, which rule.
fn ending(error: &Error) -> String {
    match error {
        Error::Exhausted(what) => variant(what),
        Error::NoTemplate { .. } => "NoTemplate".to_owned(),
        Error::Parse(error) => match &error.kind {
            ParseErrorKind::Lexical { message, .. } => message.clone(),
            kind => variant(kind),
        },
        Error::Exec(error) => match (error.exhausted(), &error.cause) {
            (Some(what), _) => variant(&what),
            (None, ExecCause::Call { origin: Origin::Function(error), .. }) => {
                match error.downcast_ref() {
                    Some(FunctionError::Exhausted { what, .. }) => (*what).to_owned(),
                    Some(error) => variant(error),
                    None => error.to_string(),
                }
            }
            (None, ExecCause::Call { message, .. }) => {
                message.rsplit(": ").next().unwrap_or_default().to_owned()
            }
            (None, cause) => variant(cause),
        },
    }
}

/// The name of an enum's variant.
fn variant(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

/// A thread with a small stack, as those of a server are.
fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

/// One template, in a process of its own.
#[test]
#[ignore = "started by the other tests"]
fn alone() {
    let path = PathBuf::from(std::env::var_os("HOSTILE_TEMPLATE").unwrap());
    let name = path.file_stem().unwrap().to_string_lossy();
    let text = std::fs::read_to_string(&path).unwrap();
    let (ended, message) = frugally(|| {
        on_small_stack(|| {
            let result = execute(&name, &text);
            let error = result.err().unwrap_or_else(|| panic!("{name} did not fail"));
            (ending(&error), error.to_string())
        })
    });
    let wanted = text.strip_prefix("{{- /* ends: ").and_then(|rest| rest.split_once(" */"));
    if !(cfg!(debug_assertions) && ended == "Steps") {
        assert_eq!(Some(ended.as_str()), wanted.map(|(wanted, _)| wanted), "{name}: {message}");
    }
}

#[test]
fn hostile_templates_end_in_errors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 25);
    let passes = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy();
        passes_alone(&name, [("HOSTILE_TEMPLATE", path)])
    };
    let failed: Vec<_> = paths.iter().filter(|path| !passes(path)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn deep_sources_end_in_errors() {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    for (text, wanted) in [
        (format!("{{{{ {} }}}}", nested("(", "1", ")", 100_000)), "ExpressionDepth"),
        (format!("{{{{ {} }}}}", "(".repeat(100_000)), "ExpressionDepth"),
        (nested("{{ if 1 }}", "x", "{{ end }}", 50_000), "BlockDepth"),
        ("{{ range . }}".repeat(50_000), "BlockDepth"),
        (format!("{{{{ if 0 }}}}{}", "{{ else if 0 }}".repeat(50_000)), "BlockDepth"),
        (format!("{}{{{{ nope }}}}", "{{ $x := 1 }}".repeat(20_000)), "UndefinedFunction"),
    ] {
        let error = on_small_stack(|| execute("deep", &text)).err();
        assert_eq!(error.as_ref().map(ending).as_deref(), Some(wanted));
    }
}

#[test]
fn nesting_within_the_limits_needs_no_large_stack() {
    let depth = 9_000;
    let text = format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(on_small_stack(|| execute("parentheses", &text)).unwrap(), b"1");
    let text = format!("{}x{}", "{{ if 1 }}".repeat(depth), "{{ end }}".repeat(depth));
    assert_eq!(on_small_stack(|| execute("blocks", &text)).unwrap(), b"x");
}
