//! Archives that mean harm, and how each ends.

use tar::EntryType;

use super::pack::{CHART, Pack, gzip};

pub(crate) type Case = (&'static str, fn() -> Vec<u8>, &'static str);

/// What it is called, how it is made, and the innermost error.
pub(crate) const CASES: &[Case] = &[
    ("empty", Vec::new, "NotGzip"),
    ("zip", || b"PK\x03\x04 is no gzip".to_vec(), "NotGzip"),
    ("gzip of nothing", || gzip(b""), "Empty"),
    ("gzip of noise", || gzip(&[7; 4096]), "Broken"),
    ("gzip in gzip", || gzip(&Pack::chart().done()), "Broken"),
    ("truncated", || Pack::chart().done()[..60].to_vec(), "Broken"),
    (
        "truncated file",
        || Pack::chart().sized(EntryType::Regular, b"web/a", "", b"x", 1 << 20).done(),
        "Broken",
    ),
    (
        "only folders",
        || Pack::empty().entry(EntryType::Directory, b"web/", "", b"").done(),
        "Empty",
    ),
    ("parent", || with("../../etc/passwd", "x"), "ParentFolder"),
    ("lone dots", || with("..", "x"), "ParentFolder"),
    ("parent within", || with("templates/../../x", "x"), "ParentFolder"),
    ("parent of Windows", || Pack::chart().file("web\\..\\..\\x", "x").done(), "ParentFolder"),
    ("absolute", || with("/etc/passwd", "x"), "AbsolutePath"),
    ("drive", || with("C:/Windows", "x"), "DriveLetter"),
    ("folder itself", || with(".", "x"), "OutsideFolder"),
    ("no folder", || Pack::empty().file("Chart.yaml", CHART).done(), "NoFolder"),
    (
        "PAX parent",
        || Pack::chart().pax(&[("path", "web/../../x")]).file("web/a", "x").done(),
        "ParentFolder",
    ),
    (
        "NUL in a name",
        || Pack::chart().pax(&[("path", "web/a\0b")]).file("web/a", "x").done(),
        "NulInName",
    ),
    (
        "name no UTF-8",
        || Pack::chart().entry(EntryType::Regular, b"web/\xff\xfe", "", b"x").done(),
        "NameNotText",
    ),
    (
        "very long name",
        || {
            Pack::chart()
                .pax(&[("path", &format!("web/{}", "x/".repeat(500_000)))])
                .file("a", "")
                .done()
        },
        "NameTooLong",
    ),
    ("symlink", || linked(EntryType::Symlink), "NotRegular"),
    ("hard link", || linked(EntryType::Link), "NotRegular"),
    ("character device", || linked(EntryType::Char), "NotRegular"),
    ("block device", || linked(EntryType::Block), "NotRegular"),
    ("pipe", || linked(EntryType::Fifo), "NotRegular"),
    ("file too large", || Pack::chart().zeros("web/a", 6 << 20).done(), "FileTooLarge"),
    (
        "size of a tebibyte",
        || Pack::chart().sized(EntryType::Regular, b"web/a", "", b"x", 8 << 30).done(),
        "ChartTooLarge",
    ),
    (
        "PAX size of a tebibyte",
        || Pack::chart().pax(&[("size", "1099511627776")]).file("web/a", "x").done(),
        "ChartTooLarge",
    ),
    (
        "long name of zeros",
        || {
            let zeros = vec![b'a'; 16 << 20];
            Pack::chart()
                .entry(EntryType::GNULongName, b"long", "", &zeros)
                .file("web/a", "x")
                .done()
        },
        "NameTooLong",
    ),
    (
        "bomb of many files",
        || (0..40).fold(Pack::chart(), |pack, i| pack.zeros(&format!("web/{i}"), 5 << 20)).done(),
        "ChartTooLarge",
    ),
    (
        "bomb of the best compression",
        || {
            let pack = Pack::dense();
            (0..8).fold(pack, |pack, i| pack.zeros(&format!("web/{i}"), 5 << 20)).done()
        },
        "Ratio",
    ),
    ("a million entries", || many_entries(1_000_000), "TooManyEntries"),
    ("charts within charts", || nested_archives(40), "TooDeep"),
    ("folders of charts", || nested_folders(40), "TooDeep"),
    ("a thousand folders of charts", || nested_folders(1_000), "NameTooLong"),
    ("broken sub-chart", || with("charts/a.tgz", "x"), "NotGzip"),
    ("sub-chart is a folder", || with("charts/a.tgz/x", "x"), "SubchartFolder"),
    ("no Chart.yaml", || Pack::empty().file("web/README.md", "x").done(), "NoMetadata"),
    ("Chart.yaml is a list", || metadata("[]"), "File"),
    ("Chart.yaml is binary", || metadata("\0\x01\x02"), "File"),
    ("Chart.yaml with a BOM and no content", || metadata("\u{feff}"), "Invalid"),
    (
        "Chart.yaml twice, the second wrong",
        || Pack::chart().file("web/Chart.yaml", "name: [a]").done(),
        "File",
    ),
    ("name of dots", || metadata("{name: .., version: 1.0.0}"), "Invalid"),
    ("name with a slash", || metadata("{name: a/b, version: 1.0.0}"), "Invalid"),
    ("escape in the version", || metadata("{name: a, version: \"1.0.0\\e[31m\"}"), "Invalid"),
    ("null dependency", || metadata("{name: a, version: 1.0.0, dependencies: [null]}"), "Invalid"),
    (
        "dependency twice",
        || metadata("{name: a, version: 1.0.0, dependencies: [{name: b}, {name: b}]}"),
        "Invalid",
    ),
    ("aliases in Chart.yaml", || metadata(&aliases()), "File"),
    ("aliases in values", || with("values.yaml", aliases()), "Values"),
    ("value within itself", || with("values.yaml", "a: &a [*a]"), "Values"),
    (
        "merge keys",
        || {
            let mut text = "a0: &a0 {x: 1}\n".to_owned();
            for i in 1..100_000 {
                text.push_str(&format!("a{i}: &a{i} {{<<: *a{}}}\n", i - 1));
            }
            with("values.yaml", text)
        },
        "Values",
    ),
    ("deep values", || with("values.yaml", "[".repeat(100_000)), "Values"),
    (
        "a million values",
        || with("values.yaml", format!("a: [{}1]", "1,".repeat(2_000_000))),
        "Values",
    ),
    ("values are a list", || with("values.yaml", "[1]"), "Values"),
    ("words behind a separator", || with("values.yaml", "a: 1\n--- x\nb: 2"), "Values"),
    ("lock is a list", || with("Chart.lock", "[1]"), "File"),
    ("schema of a file", || schema_of(r#"{"$ref": "file:///dev/zero"}"#), "Mismatch"),
    ("schema of the network", || schema_of(r#"{"$ref": "http://127.0.0.1:9/x"}"#), "Mismatch"),
    ("schema within itself", || schema_of(r##"{"$ref": "#"}"##), "Mismatch"),
    (
        "deep schema",
        || schema_of(&format!("{}{}", r#"{"not":"#.repeat(100_000), "}".repeat(100_000))),
        "Mismatch",
    ),
    (
        "schema with all of all",
        || {
            let all = r##"{"$ref": "#/$defs/N"}"##;
            let defs: Vec<String> = (0..64)
                .map(|i| {
                    let next = all.replace('N', &(i + 1).to_string());
                    format!(r#""{i}": {{"allOf": [{next}, {next}]}}"#)
                })
                .collect();
            schema_of(&format!(
                r#"{{"$defs": {{{}, "64": false}}, "allOf": [{}]}}"#,
                defs.join(","),
                all.replace('N', "0")
            ))
        },
        "Mismatch",
    ),
    (
        "schema with a large regex",
        || schema_of(r#"{"patternProperties": {"(\\pL{900}){900}": false}}"#),
        "Mismatch",
    ),
    (
        "schema with a regex for each of many",
        || schema_for_each(100_000, "xyz", r#"{"pattern": "\\pL{10}"}"#),
        "Mismatch",
    ),
    (
        "schema with a regex of many states",
        || {
            let text: String = (0..2_000_000_u64)
                .map(|i| if i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0 { 'a' } else { 'b' })
                .collect();
            schema_for_each(1, &text, r#"{"pattern": "[ab]*a[ab]{900}c"}"#)
        },
        "Mismatch",
    ),
    (
        "schema of many large regexes",
        || {
            let patterns: Vec<String> =
                (0..100_000).map(|i| format!(r#""\\pL{{900}}{i}": true"#)).collect();
            schema_of(&format!(r#"{{"patternProperties": {{{}}}}}"#, patterns.join(",")))
        },
        "Mismatch",
    ),
    (
        "sub-charts with regexes that are too large",
        || {
            (0..1_000)
                .fold(Pack::chart(), |pack, i| {
                    let folder = format!("web/charts/c{i}");
                    pack.file(
                        &format!("{folder}/Chart.yaml"),
                        format!("apiVersion: v2\nname: c{i}\nversion: 1.0.0\n"),
                    )
                    .file(
                        &format!("{folder}/values.schema.json"),
                        r#"{"pattern": "(\\pL{900}){900}"}"#,
                    )
                })
                .done()
        },
        "Mismatch",
    ),
    (
        "schema that requires many names of many",
        || schema_for_each(50_000, "{}", &format!(r#"{{"required": {}}}"#, many_texts(50_000))),
        "Mismatch",
    ),
    (
        "schema that allows many texts to many",
        || schema_for_each(50_000, "x", &format!(r#"{{"enum": {}}}"#, many_texts(50_000))),
        "Mismatch",
    ),
    (
        "schema that requires a long name often",
        || {
            let name = "k".repeat(1 << 20);
            let it = format!(r#"{{"required": ["{name}"]}}"#);
            schema_for(&format!("? {name}\n: 1"), &often(20_000, &it))
        },
        "Mismatch",
    ),
    (
        "schema that compares what is large",
        || {
            let list = format!("[{}1]", "1,".repeat(100_000));
            let it = format!(r#"{{"properties": {{"a": {{"const": {list}}}}}}}"#);
            schema_for(&format!("a: {list}"), &often(20_000, &it))
        },
        "Mismatch",
    ),
    (
        "schema for what lies below a long key",
        || {
            let schema = r#"{"additionalProperties": {"items": false}}"#;
            let items = vec!["1"; 50_000].join(",");
            schema_for(&format!("? {}\n: [{items}]", "k".repeat(1 << 20)), schema)
        },
        "Mismatch",
    ),
    (
        "schema for what lies deep",
        || {
            let values =
                format!("a: {}{}{}", "[".repeat(250), "1,".repeat(20_000), "]".repeat(250));
            schema_for(
                &values,
                r##"{"type": ["object", "array"], "additionalProperties": {"$ref": "#"}, "items": {"$ref": "#"}}"##,
            )
        },
        "Mismatch",
    ),
    (
        "schema that asks what was not looked at",
        || {
            let keys: Vec<String> = (0..20_000).map(|i| format!("k{i}: 1")).collect();
            let it = r#"{"additionalProperties": true}"#;
            let schema = (0..60).fold(it.to_owned(), |inner, _| {
                format!(r#"{{"additionalProperties": true, "allOf": [{inner}], "unevaluatedProperties": false}}"#)
            });
            schema_for(&keys.join("\n"), &schema)
        },
        "Mismatch",
    ),
    (
        "schema of many identifiers below a long one",
        || {
            let ids: Vec<String> = (0..50_000).map(|i| format!(r#"{{"$id": "{i}"}}"#)).collect();
            let base = format!("http://x/{}/", "a".repeat(1 << 20));
            schema_of(&format!(r#"{{"$id": "{base}", "allOf": [{}]}}"#, ids.join(",")))
        },
        "Mismatch",
    ),
    (
        "schema of a million values",
        || schema_of(&format!(r#"{{"default": [{}1]}}"#, "1,".repeat(2_000_000))),
        "Mismatch",
    ),
];

fn linked(kind: EntryType) -> Vec<u8> {
    Pack::chart().entry(kind, b"web/Chart.lock", "/root/.bashrc", b"").done()
}

pub(crate) fn metadata(text: &str) -> Vec<u8> {
    Pack::empty().file("web/Chart.yaml", text).done()
}

pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    Pack::chart().file(&format!("web/{name}"), content).done()
}

fn schema_of(text: &str) -> Vec<u8> {
    schema_for("a: 1", text)
}

fn schema_for(values: &str, text: &str) -> Vec<u8> {
    Pack::chart().file("web/values.yaml", values).file("web/values.schema.json", text).done()
}

/// `a` is a list of so many of these, and each must meet the schema.
fn schema_for_each(count: usize, value: &str, schema: &str) -> Vec<u8> {
    let values = format!("a: [{}]", vec![value; count].join(", "));
    schema_for(&values, &format!(r#"{{"properties": {{"a": {{"items": {schema}}}}}}}"#))
}

/// A list in JSON of so many different texts.
fn many_texts(count: usize) -> String {
    let texts: Vec<String> = (0..count).map(|i| format!("\"text-{i}\"")).collect();
    format!("[{}]", texts.join(","))
}

/// A schema that applies another one, which is named `it`, so often.
fn often(count: usize, it: &str) -> String {
    let all = vec![r##"{"$ref": "#/$defs/it"}"##; count].join(",");
    format!(r#"{{"$defs": {{"it": {it}}}, "allOf": [{all}]}}"#)
}

/// Names that do not compress, so that it is their number that counts.
fn many_entries(count: u64) -> Vec<u8> {
    let mut pack = Pack::chart();
    for i in 0..count {
        pack = pack.file(&format!("web/{:x}", i.wrapping_mul(0x9e37_79b9_7f4a_7c15)), "");
    }
    pack.done()
}

fn nested_archives(depth: usize) -> Vec<u8> {
    (0..depth).fold(Pack::chart().done(), |inner, _| with("charts/web.tgz", inner))
}

fn nested_folders(depth: usize) -> Vec<u8> {
    let mut pack = Pack::empty();
    let mut folder = "web".to_owned();
    for _ in 0..depth {
        pack = pack.pax(&[("path", &format!("{folder}/Chart.yaml"))]).file("x", CHART);
        folder.push_str("/charts/web");
    }
    pack.done()
}

/// Each alias doubles, or makes a ring.
fn aliases() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        text.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 8].join(", ")));
    }
    text
}
