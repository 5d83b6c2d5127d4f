//! Archives that mean harm: each must be refused soon, within little memory, for the right reason.
//!
//! Each is made and read in a process of its own, so that its memory can be told: this program
//! starts itself again. The memory for making an archive is not counted.

#![expect(
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "a broken fixture must stop the test, and what a case costs be seen"
)]

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use helm_chart::archive::{self, ArchiveError};
use helm_chart::{LoadError, schema, values};
use tar::{EntryType, Header};

/// Processor time and growth of memory that an answer may take; unoptimized code is slower.
const MOST_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
const MOST_MEMORY_KIB: u64 = 64 << 10;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

/// A tar under construction, gzipped on the way so that a bomb takes no memory.
struct Pack(GzEncoder<Vec<u8>>);

impl Pack {
    fn empty() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// With a `Chart.yaml` that is all right.
    fn chart() -> Self {
        Self::empty().file("web/Chart.yaml", CHART)
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Regular, name.as_bytes(), "", content.as_ref())
    }

    /// The safe setters refuse the names that matter here.
    fn entry(self, kind: EntryType, name: &[u8], target: &str, content: &[u8]) -> Self {
        self.sized(kind, name, target, content, content.len() as u64)
    }

    fn sized(
        mut self,
        kind: EntryType,
        name: &[u8],
        target: &str,
        content: &[u8],
        size: u64,
    ) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(size);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.0.write_all(header.as_bytes()).unwrap();
        self.0.write_all(content).unwrap();
        self.0.write_all(&vec![0; content.len().wrapping_neg() % 512]).unwrap();
        self
    }

    /// An extended header of `key=value` records, as PAX has them.
    fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length =
                (rest + 1..rest + 20).find(|all| rest + all.to_string().len() == *all).unwrap();
            text += &format!("{length} {key}={value}\n");
        }
        self.entry(EntryType::XHeader, b"pax", "", text.as_bytes())
    }

    fn zeros(mut self, name: &str, size: u64) -> Self {
        self = self.sized(EntryType::Regular, name.as_bytes(), "", b"", size);
        let block = vec![0; 1 << 16];
        for _ in 0..size / (1 << 16) {
            self.0.write_all(&block).unwrap();
        }
        self
    }

    fn done(mut self) -> Vec<u8> {
        self.0.write_all(&[0; 1024]).unwrap();
        self.0.finish().unwrap()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn linked(kind: EntryType) -> Vec<u8> {
    Pack::chart().entry(kind, b"web/Chart.lock", "/root/.bashrc", b"").done()
}

fn metadata(text: &str) -> Vec<u8> {
    Pack::empty().file("web/Chart.yaml", text).done()
}

fn with(name: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
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

type Case = (&'static str, fn() -> Vec<u8>, &'static str);

/// What it is called, how it is made, and the innermost error.
const CASES: &[Case] = &[
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
            let pack = Pack(GzEncoder::new(Vec::new(), Compression::best()));
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

/// The name of the variant of the innermost error.
fn ending(error: &LoadError) -> String {
    let text = match error {
        LoadError::Subchart { reason, .. } => return ending(reason),
        LoadError::Archive(error) => format!("{error:?}"),
        error => format!("{error:?}"),
    };
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

fn answer(archive: &[u8]) -> (String, String) {
    match archive::load(archive) {
        Err(error) => (ending(&error), error.to_string()),
        Ok(chart) => {
            let values =
                values::coalesce(&chart, &serde_json::Map::new(), helm_chart::Rules::Helm4);
            match schema::validate(&chart, &values.unwrap()) {
                Err(mismatch) => ("Mismatch".to_owned(), mismatch.to_string()),
                Ok(()) => ("Loaded".to_owned(), String::new()),
            }
        }
    }
}

/// A line of `/proc/self/status`, in KiB.
fn memory_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse().unwrap()
}

/// Processor time of this process: the machine may have other things to do.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let ticks = after_name.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// One archive, in a process of its own.
#[test]
#[ignore = "started by the other test"]
fn alone() {
    let path = std::env::var_os("HOSTILE_ARCHIVE").unwrap();
    let archive = std::fs::read(path).unwrap();
    let wanted = std::env::var("HOSTILE_ENDING").unwrap();
    let (memory, time) = (memory_kib("VmRSS"), processor_time());
    let (ended, message) = answer(&archive);
    let grown = memory_kib("VmHWM") - memory;
    let took = processor_time().saturating_sub(time);
    let shown: String = message.chars().take(120).collect();
    println!("{ended}, {took:?}, {grown} KiB: {shown:?}");
    assert_eq!(ended, wanted);
    assert!(took <= MOST_TIME, "took {took:?}");
    assert!(grown <= MOST_MEMORY_KIB, "took {grown} KiB");
}

#[test]
fn hostile_archives_are_refused() {
    assert!(CASES.len() >= 20);
    let folder = std::env::temp_dir().join(format!("hostile-archives-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut failed = Vec::new();
    for (name, make, wanted) in CASES {
        let path = folder.join("chart.tgz");
        std::fs::write(&path, make()).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "alone", "--ignored", "--nocapture", "--test-threads=1"])
            .envs([("HOSTILE_ARCHIVE", path.as_os_str()), ("HOSTILE_ENDING", wanted.as_ref())])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let line = printed.lines().find(|line| line.contains(" KiB: ")).unwrap_or_default();
        println!("{name}: {}", line.trim_start_matches("test alone ... "));
        if !output.status.success() {
            println!("{name}: {}", String::from_utf8_lossy(&output.stderr));
            failed.push(name);
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Not harmful, only odd: these are charts, as they are for Helm.
#[test]
fn odd_archives_are_loaded() {
    for archive in [
        metadata(&format!("\u{feff}{CHART}")),
        with("values.yaml", "\u{feff}a: 1"),
        with("templates/ü/ñ.yaml", "a: 1"),
        with("a\x1b[31m", "x"),
        metadata("{name: \"a\\e[31m\", version: 1.0.0}"),
        Pack::chart().pax(&[("size", "-1")]).file("web/a", "x").done(),
        Pack::chart().file("web/a", "1").file("web/a", "2").done(),
        Pack::chart().pax(&[("mtime", "9999999999999999")]).file("web/a", "x").done(),
        Pack::chart().entry(EntryType::XGlobalHeader, b"pax_global_header", "", b"").done(),
        [Pack::chart().done(), gzip(b"")].concat(),
    ] {
        let error = archive::load(&archive).err();
        assert!(error.is_none(), "{error:?}");
    }
    let error = archive::load(b"").err();
    assert!(matches!(error, Some(LoadError::Archive(ArchiveError::NotGzip))));
}
