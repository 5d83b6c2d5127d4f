//! Whatever a file says, nothing panics, nothing hangs, and no error holds a secret.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails the test")]

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sops_decrypt::{
    DataKeyError, Encrypted, Error, Format, Integrity, Keys, LoadError, MAX_BYTES, decrypt,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/sops").join(name)
}

fn keys() -> Keys {
    let mut keys = Keys::default();
    keys.import_age(&fs::read(fixture("keys/age.key")).unwrap()).unwrap();
    keys.import_pgp(&fs::read(fixture("keys/pgp-test.asc")).unwrap()).unwrap();
    keys
}

fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Decrypts; whatever goes wrong must not show what was encrypted.
fn attempt(data: &[u8], format: Format) -> Option<Vec<u8>> {
    match decrypt(data, format, format, &keys(), Integrity::Verified) {
        Ok(plain) => Some(plain.bytes().to_vec()),
        Err(error) => {
            let text = text(&error);
            assert!(!text.contains("s3cr3t"), "{text}");
            assert!(!format!("{error:?}").contains("s3cr3t"));
            None
        }
    }
}

const SAMPLES: [(&str, Format); 5] = [
    ("encrypted/secret-full.yaml.enc", Format::Yaml),
    ("encrypted/plain.json.enc", Format::Json),
    ("encrypted/app.env.enc", Format::Dotenv),
    ("encrypted/conf.ini.enc", Format::Ini),
    ("encrypted/pgp.yaml.enc", Format::Yaml),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
            assert!(attempt(&bytes, format).is_none());
        }
        let mut keys = Keys::default();
        _ = keys.import_age(&bytes);
        _ = keys.import_pgp(&bytes);
    }

    #[test]
    fn a_byte_that_changed(sample in 0..SAMPLES.len(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (name, format) = SAMPLES[sample];
        let mut data = fs::read(fixture(name)).unwrap();
        let at = at.index(data.len());
        data[at] = to;
        attempt(&data, format);
    }

    #[test]
    fn a_file_that_ends_early(sample in 0..SAMPLES.len(), at in any::<prop::sample::Index>()) {
        let (name, format) = SAMPLES[sample];
        let data = fs::read(fixture(name)).unwrap();
        attempt(&data[..at.index(data.len())], format);
    }

    #[test]
    fn a_mangled_pgp_message(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9+/=\n-]{1,40}") {
        let whole = fs::read_to_string(fixture("encrypted/pgp.yaml.enc")).unwrap();
        let start = whole.find("-----BEGIN PGP MESSAGE").unwrap();
        let end = whole.find("-----END PGP MESSAGE").unwrap();
        let at = start + at.index(end - start);
        let mangled = format!("{}{to}{}", &whole[..at], &whole[(at + to.len()).min(end)..]);
        attempt(mangled.as_bytes(), Format::Yaml);
    }
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let data = vec![b'a'; MAX_BYTES + 1];
    let error = Encrypted::read(&data, Format::Yaml).unwrap_err();
    assert!(matches!(error, Error::Load { source: LoadError::TooLarge { .. }, .. }), "{error:?}");
}

#[test]
fn a_bomb_of_aliases_is_not_expanded() {
    let level = |level: usize| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        format!("a{level}: &a{level} [{aliases}]\n")
    };
    let levels: Vec<_> = (1..9).map(level).collect();
    let mut bomb = format!("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{}", levels.concat());
    let sops = fs::read_to_string(fixture("encrypted/secret-full.yaml.enc")).unwrap();
    bomb.push_str(&sops[sops.find("sops:").unwrap()..]);
    let error = Encrypted::read(bomb.as_bytes(), Format::Yaml).unwrap_err();
    assert!(text(&error).contains("excessive aliasing"), "{}", text(&error));
}

#[test]
fn deep_nesting_is_refused() {
    for (data, format) in [
        (format!("a: {}", "[".repeat(100_000)), Format::Yaml),
        (format!("{{\"a\": {}", "{\"a\":".repeat(100_000)), Format::Json),
        (format!("sops_a{}=1\n", "__map_a".repeat(100_000)), Format::Dotenv),
        (format!("sops_a__list_{}=1\nsops_mac=x\n", usize::MAX), Format::Dotenv),
    ] {
        assert!(Encrypted::read(data.as_bytes(), format).is_err());
    }
}

#[test]
fn recipients_are_counted() {
    let recipient = "  - recipient: age1\n    enc: x\n";
    let metadata = "  lastmodified: 2026-01-01T00:00:00Z\n  mac: x\n";
    let file = format!("a: b\nsops:\n{metadata}  age:\n{}", recipient.repeat(10_000));
    let error = Encrypted::read(file.as_bytes(), Format::Yaml).unwrap_err();
    assert!(text(&error).contains("256 recipients"), "{}", text(&error));
}

#[test]
fn a_wrong_key_says_which_recipients_were_tried() {
    let mut stranger = Keys::default();
    stranger.import_age(&fs::read(fixture("keys/age2.key")).unwrap()).unwrap();
    let data = fs::read(fixture("encrypted/secret-full.yaml.enc")).unwrap();
    let error = decrypt(&data, Format::Yaml, Format::Yaml, &stranger, Integrity::Ignored);
    let error = error.unwrap_err();
    assert!(matches!(error, Error::DataKey(DataKeyError::Groups(_))), "{error:?}");
    assert_eq!(
        text(&error),
        "cannot get sops data key: Failed to get the data key required to decrypt the SOPS \
         file.\n\nGroup 0: FAILED\n  \
         age1xwssjs57jj8x8m9kzkpj2rrg644ckqx34hzhnukjlzkqc39dkqvs55ausa: FAILED\n    - | failed \
         to create reader for decrypting sops data key with\n      | age: identity did not match \
         any of the recipients: incorrect\n      | identity for recipient block\n\nRecovery \
         failed because no master key was able to decrypt the file. In\norder for SOPS to recover \
         the file, at least one key has to be successful,\nbut none were."
    );
}

#[test]
fn keys_that_are_none_are_refused_without_being_shown() {
    let mut keys = Keys::default();
    for text in ["AGE-SECRET-KEY-1S3CR3T", "s3cr3t", "AGE-SECRET-KEY-PQ-1X", "AGE-PLUGIN-X"] {
        let error = keys.import_age(text.as_bytes()).unwrap_err();
        assert!(!format!("{error:?} {error}").to_lowercase().contains("s3cr3t"));
    }
    let public = fs::read(fixture("keys/pgp-test.pub.asc")).unwrap();
    assert!(keys.import_pgp(&public).is_err());
    assert!(keys.import_pgp(b"s3cr3t").is_err());
    assert_eq!(format!("{keys:?}"), "Keys(..)");
}
