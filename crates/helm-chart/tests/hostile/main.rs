//! Archives that mean harm: each must be refused soon, within little memory, for the right reason.
//!
//! Each is made and read in a process of its own, so that its memory can be told. The memory for
//! making an archive is not counted.

#![expect(
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "a fixture is made once, and a broken one must stop the test"
)]

mod cases;
mod pack;

use std::ffi::OsStr;

use fuzz_input::{frugally, passes_alone};
use helm_chart::archive::{self, ArchiveError};
use helm_chart::{LoadError, schema, values};
use tar::EntryType;

use self::cases::{CASES, metadata, with};
use self::pack::{CHART, Pack, gzip};

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

/// One archive, in a process of its own.
#[test]
#[ignore = "started by the other test"]
fn alone() {
    let path = std::env::var_os("HOSTILE_ARCHIVE").unwrap();
    let archive = std::fs::read(path).unwrap();
    let wanted = std::env::var("HOSTILE_ENDING").unwrap();
    let (ended, _) = frugally(|| answer(&archive));
    assert_eq!(ended, wanted);
}

#[test]
fn hostile_archives_are_refused() {
    assert!(CASES.len() >= 20);
    let folder = std::env::temp_dir().join(format!("hostile-archives-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("chart.tgz");
    let mut failed = Vec::new();
    for (name, make, wanted) in CASES {
        std::fs::write(&path, make()).unwrap();
        let variables =
            [("HOSTILE_ARCHIVE", path.as_os_str()), ("HOSTILE_ENDING", OsStr::new(wanted))];
        if !passes_alone(name, variables) {
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
