//! Archives as charts are packed, and as an attacker packs them.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use helm_chart::archive;
use tar::{EntryType, Header};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

/// An entry of a tar: kind, name, link target, content.
type Entry<'a> = (EntryType, &'a str, &'a str, &'a [u8]);

fn pack(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, name, target, content) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        // The safe setters refuse the names that matter here.
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    gzip(&tar.into_inner().unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn file<'a>(name: &'a str, content: &'a str) -> Entry<'a> {
    (EntryType::Regular, name, "", content.as_bytes())
}

fn refusal(archive: &[u8]) -> String {
    let started = Instant::now();
    let error = archive::load(archive).unwrap_err().to_string();
    assert!(started.elapsed() < Duration::from_secs(2), "{error}");
    error
}

#[test]
fn a_packed_chart_is_loaded() {
    let inner = pack(&[file("db/Chart.yaml", "apiVersion: v1\nname: db\nversion: v0.1\n")]);
    let chart = archive::load(&pack(&[
        (EntryType::Directory, "web/", "", b""),
        file("web/Chart.yaml", CHART),
        file("web/values.yaml", "\u{feff}a: 1\n---\na: 2\nb: {c: 3}\n"),
        file("web/templates/a.yaml", "kind: A"),
        file("web/crds/a.yml", "kind: CustomResourceDefinition"),
        file("web/charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n"),
        file("web/charts/_old/Chart.yaml", "not: read"),
        (EntryType::Regular, "web/charts/db-0.1.tgz", "", &inner),
    ]))
    .unwrap();
    assert_eq!(chart.name(), "web");
    assert_eq!(
        serde_json::Value::from(chart.values.clone()).to_string(),
        r#"{"a":2.0,"b":{"c":3.0}}"#
    );
    let names: Vec<&str> = chart.dependencies.iter().map(helm_chart::Chart::name).collect();
    assert_eq!(names, ["db", "sub"]);
    assert_eq!(chart.dependencies[1].metadata.api_version, "v1");
    let mut crds = Vec::new();
    chart.visit_crds(&mut |crd| crds.push(format!("{}/{}", crd.chart_path, crd.file.name)));
    assert_eq!(crds, ["web/crds/a.yml"]);
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    for (name, want) in [
        ("web//etc/passwd", "chart illegally contains absolute paths"),
        ("web/../../etc/passwd", "chart illegally references parent directory"),
        ("web/..", "chart illegally references parent directory"),
        ("web/.", "chart illegally contains content outside the base directory: \"web/.\""),
        ("web", "chart illegally contains content outside the base directory: \"web\""),
        ("web/c:/x", "chart contains illegally named files"),
        ("web\\..\\..\\x", "chart illegally references parent directory"),
        ("Chart.yaml/x", "chart yaml not in base directory"),
    ] {
        assert_eq!(
            refusal(&pack(&[file(name, "x"), file("web/Chart.yaml", CHART)])),
            want,
            "{name}"
        );
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let link = "chart illegally contains \"web/Chart.lock\", which is no regular file";
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
        let entries =
            [(kind, "web/Chart.lock", "/root/.bashrc", &b""[..]), file("web/Chart.yaml", CHART)];
        assert_eq!(refusal(&pack(&entries)), link);
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0_u8; 6 * 1024 * 1024];
    assert!(
        refusal(&pack(&[(EntryType::Regular, "web/big", "", &zeros)]))
            .contains("larger than the maximum file size 5242880")
    );
    // Many files below the limit, which compress to nothing.
    let five = &zeros[..5_000_000];
    let many: Vec<Entry<'_>> = (0..20).map(|_| (EntryType::Regular, "web/a", "", five)).collect();
    assert_eq!(refusal(&pack(&many)), "chart archive unpacks to more than 200 times its size");
    // A chart in a chart in a chart.
    let mut nested = pack(&[file("web/Chart.yaml", CHART)]);
    for _ in 0..40 {
        nested = pack(&[
            file("web/Chart.yaml", CHART),
            (EntryType::Regular, "web/charts/web.tgz", "", &nested),
        ]);
    }
    assert!(refusal(&nested).ends_with("charts nest deeper than 32 levels"));
    // Names that do not compress, so that it is their number that counts.
    let names: Vec<String> = (0..20_001_u64)
        .map(|i| format!("web/{:x}", u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).pow(2)))
        .collect();
    let empty: Vec<Entry<'_>> = names.iter().map(|name| file(name, "")).collect();
    assert_eq!(refusal(&pack(&empty)), "chart archive has more than 20000 entries");
}

#[test]
fn broken_archives_are_refused() {
    assert_eq!(refusal(b""), "gzip: invalid header");
    assert_eq!(refusal(b"PK\x03\x04"), "gzip: invalid header");
    assert_eq!(refusal(&gzip(b"")), "no files in chart archive");
    assert_eq!(refusal(&gzip(&[7; 4096])), "cannot read the archive");
    let whole = pack(&[file("web/Chart.yaml", CHART)]);
    assert_eq!(refusal(&whole[..whole.len() / 2]), "cannot read the archive");
    assert_eq!(
        refusal(&pack(&[(EntryType::Directory, "web/", "", b"")])),
        "no files in chart archive"
    );
    assert_eq!(refusal(&pack(&[file("web/README.md", "x")])), "Chart.yaml file is missing");
}

#[test]
fn metadata_is_checked_as_helm_checks_it() {
    for (text, want) in [
        ("name: a", "validation: chart.metadata.version is required"),
        ("version: 1.0.0", "validation: chart.metadata.name is required"),
        ("{name: .., version: 1}", "validation: chart.metadata.name \"..\" is not allowed"),
        ("{name: a/b, version: 1}", "validation: chart.metadata.name \"a/b\" is invalid"),
        ("{name: a, version: x}", "validation: chart.metadata.version \"x\" is invalid"),
        (
            "{name: a, version: \"1.0.0\\e[31m\"}",
            "validation: chart.metadata.version \"1.0.0\\x1b[31m\" is invalid",
        ),
        (
            "{name: a, version: 1, type: x}",
            "validation: chart.metadata.type must be application or library",
        ),
        (
            "{name: a, version: 1, maintainers: [null]}",
            "validation: maintainers must not contain empty or null nodes",
        ),
        (
            "{name: a, version: 1, dependencies: [null]}",
            "validation: dependencies must not contain empty or null nodes",
        ),
        (
            "{name: a, version: 1, dependencies: [{name: b}, {name: c, alias: b}]}",
            "validation: more than one dependency with name or alias \"b\"",
        ),
        (
            "{name: a, version: 1, dependencies: [{name: b, alias: x/y}]}",
            "validation: dependency \"b\" has disallowed characters in the alias",
        ),
        (
            "{name: [a], version: 1}",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot \
             unmarshal array into Go struct field Metadata.name of type string",
        ),
        (
            "{name: a, version: 1, dependencies: [{name: {}}]}",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot \
             unmarshal object into Go struct field Dependency.dependencies.name of type string",
        ),
    ] {
        assert_eq!(refusal(&pack(&[file("a/Chart.yaml", text)])), want, "{text}");
    }
}
