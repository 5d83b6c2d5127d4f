//! Scalars are found to the byte.

use yaml::{Step, Style, spans};

/// What stands at each scalar, and its path.
fn found(text: &str) -> Vec<(String, String)> {
    let Ok(spans) = spans(text.as_bytes()) else { return Vec::new() };
    let step = |step: &Step| match step {
        Step::Document(index) => index.to_string(),
        Step::Key(key) => format!(".{key}"),
        Step::Item(index) => format!("[{index}]"),
    };
    let scalars = spans.scalars().iter();
    scalars
        .map(|scalar| {
            let path = spans.path(scalar).iter().map(step).collect();
            (path, text[scalar.bytes.clone()].to_owned())
        })
        .collect()
}

fn texts(text: &str) -> Vec<String> {
    found(text).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn scalars_end_where_they_end() {
    let text = "é: \"ghcr.io/x/y:1.0.0\" # {\"$imagepolicy\": \"a:b\"}\n\
                b: 'q:1'   # c\nc: plain text   # d\nd: [ x ,y]\ne:\n- f: 1.2\n";
    let wanted = [
        ("0.é", "\"ghcr.io/x/y:1.0.0\""),
        ("0.b", "'q:1'"),
        ("0.c", "plain text"),
        ("0.d[0]", "x"),
        ("0.d[1]", "y"),
        ("0.e[0].f", "1.2"),
    ];
    let wanted: Vec<_> = wanted.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    assert_eq!(found(text), wanted);
}

#[test]
fn line_ends_and_marks_of_all_kinds_are_counted() {
    assert_eq!(texts("\u{feff}a: x\nb: y\n"), ["x", "y"]);
    assert_eq!(texts("a: x\r\nb: y # c\r\n"), ["x", "y"]);
    assert_eq!(texts("a: 'x\u{2028}y'\nb: 'é😀' #\nc: z"), ["'x\u{2028}y'", "'é😀'", "z"]);
    assert_eq!(texts("a: \"x\\\n  y\"\nb: z\n"), ["\"x\\\n  y\"", "z"]);
    assert_eq!(texts("a: # c é\n  x\nb: |\n  é\n\nc: z\n"), ["x", "|\n  é\n\n", "z"]);
}

#[test]
fn anchors_and_tags_stand_before_the_scalar() {
    let text = "a: &x !!str 'é' # c\nb: !t # d\n  # e\n  y\nc: [&z , !!null ]\nd: &w\n";
    assert_eq!(texts(text), ["'é'", "y", "", "", ""]);
    let spans = spans(text.as_bytes()).unwrap();
    let places: Vec<_> = spans.scalars().iter().map(|span| (span.line, span.column)).collect();
    assert_eq!(places[..2], [(1, 13), (4, 3)]);
}

#[test]
fn all_documents_are_read() {
    let text = "---\na: 1\n---\n# é\nb: &x 2\n---\n*x\n...\n---\n";
    let error = spans(text.replace("*x", "- *x").as_bytes());
    assert!(error.is_ok(), "aliases are not followed");
    let paths: Vec<_> =
        found(text).into_iter().map(|(path, text)| format!("{path}={text}")).collect();
    assert_eq!(paths, ["0.a=1", "1.b=2", "3="]);
}

#[test]
fn lines_and_columns_are_those_of_editors() {
    let spans = spans("a:\n  é: x\n".as_bytes()).unwrap();
    let scalar = &spans.scalars()[0];
    assert_eq!((scalar.line, scalar.column, scalar.style), (2, 6, Style::Plain));
}

#[test]
fn nothing_stands_behind_the_end() {
    let text = "? a|";
    let spans = yaml::spans(text.as_bytes()).unwrap();
    assert!(spans.scalars().iter().all(|scalar| text.get(scalar.bytes.clone()).is_some()));
}
