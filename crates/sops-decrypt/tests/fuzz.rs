//! Whatever a file says, it is decrypted or refused, and no error holds a secret.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails the test")]

use std::error::Error as _;
use std::path::Path;
use std::sync::LazyLock;

use fuzz_input::{Corpus, Values, cases, check, soon};
use sops_decrypt::{Encrypted, Format, Integrity, Keys, decrypt};

const TABLES: &str = "sops-decrypt/tests/tables/sops";

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/sops/keys");
    let mut keys = Keys::default();
    keys.import_age(&std::fs::read(folder.join("age.key")).unwrap()).unwrap();
    keys.import_pgp(&std::fs::read(folder.join("pgp-test.asc")).unwrap()).unwrap();
    keys
});

fn run(data: &[u8], format: Format) {
    let Err(error) = soon(|| decrypt(data, format, format, &*KEYS, Integrity::Verified)) else {
        return;
    };
    let mut text = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    assert!(!text.contains("s3cr3t"), "{text}");
}

fn encrypted(format: Format) -> Corpus {
    let end = match format {
        Format::Yaml => ".yaml.enc",
        Format::Json => ".json.enc",
        Format::Dotenv => ".env.enc",
        Format::Ini => ".ini.enc",
        Format::Binary => ".bin.enc.json",
    };
    Corpus::of_folder(&format!("{TABLES}/encrypted"), |name| name.ends_with(end))
}

#[test]
fn any_bytes() {
    check(100).for_each(|bytes| {
        for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
            run(bytes, format);
        }
        soon(|| {
            let mut keys = Keys::default();
            keys.import_age(bytes).ok();
            keys.import_pgp(bytes).ok();
        });
    });
}

#[test]
fn yaml_that_is_nearly_right() {
    let corpus = encrypted(Format::Yaml).bytes();
    check(30).with_generator(corpus).for_each(|data| run(data, Format::Yaml));
}

#[test]
fn json_that_is_nearly_right() {
    let corpus = encrypted(Format::Json).bytes();
    check(50).with_generator(corpus).for_each(|data| run(data, Format::Json));
}

#[test]
fn json_values_that_are_nearly_right() {
    let values = ["encrypted/plain.json.enc", "encrypted/pgp-and-age.json.enc"];
    let values = Values::of(values.map(|name| cases(&format!("{TABLES}/{name}")))).value();
    check(50).with_generator(values).for_each(|value| {
        let text = value.to_string();
        run(text.as_bytes(), Format::Json);
        run(text.as_bytes(), Format::Yaml);
        if let Some(object) = value.as_object() {
            soon(|| drop(Encrypted::of_object(object)));
        }
    });
}

#[test]
fn dotenv_that_is_nearly_right() {
    let corpus = encrypted(Format::Dotenv).bytes();
    check(50).with_generator(corpus).for_each(|data| run(data, Format::Dotenv));
}

#[test]
fn ini_that_is_nearly_right() {
    let corpus = encrypted(Format::Ini).bytes();
    check(50).with_generator(corpus).for_each(|data| run(data, Format::Ini));
}

#[test]
fn binary_that_is_nearly_right() {
    let corpus = encrypted(Format::Binary).bytes();
    check(50).with_generator(corpus).for_each(|data| run(data, Format::Binary));
}
