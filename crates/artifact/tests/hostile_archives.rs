//! Archives that a stranger made.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::Write as _;

use artifact::open::{self, Error, FREE_BYTES, Limits};
use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

fn zipped(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// An archive of one entry, whose name is written as it is.
fn one(name: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    if kind.is_symlink() || kind.is_hard_link() {
        header.as_mut_bytes()[157..168].copy_from_slice(b"/etc/passwd");
    }
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    let written = builder.append(&header, content).and_then(|()| builder.into_inner());
    zipped(&written.unwrap())
}

fn open(archive: &[u8]) -> Result<file_tree::FileTree, Error> {
    open::tree(archive, &Limits::default())
}

#[test]
fn a_link_is_refused_in_flux_words() {
    let error = open(&one("a", EntryType::Symlink, b"")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tar file entry a is a symlink, which is not allowed in this context"
    );
    for kind in [EntryType::Link, EntryType::Fifo, EntryType::Char, EntryType::Block] {
        let refused = open(&one("a", kind, b""));
        assert!(matches!(refused, Err(Error::Unsupported { .. })), "{kind:?}");
    }
}

#[test]
fn a_name_that_could_leave_the_tree_is_refused() {
    for name in ["..", "../a", "a/..", "a/../b", "/etc/passwd", "a\\..\\b", "/", "./../a"] {
        let refused = open(&one(name, EntryType::Regular, b"x"));
        assert!(matches!(refused, Err(Error::Name { .. } | Error::Tree(_))), "{name}: {refused:?}");
    }
    for name in ["./a", "a//b", "..a", "a..b/c"] {
        assert!(open(&one(name, EntryType::Regular, b"x")).is_ok(), "{name}");
    }
}

#[test]
fn deep_and_long_names_are_refused() {
    let deep = Limits { depth: 3, ..Limits::default() };
    assert!(open::tree(&one("a/b/c", EntryType::Regular, b""), &deep).is_ok());
    let refused = open::tree(&one("a/b/c/d", EntryType::Regular, b""), &deep);
    assert!(matches!(refused, Err(Error::Name { .. })));
    let long = Limits { path_bytes: 5, ..Limits::default() };
    let refused = open::tree(&one("abcdef", EntryType::Regular, b""), &long);
    assert!(matches!(refused, Err(Error::Name { .. })));
}

#[test]
fn a_bomb_is_not_inflated() {
    let zeros = vec![0; usize::try_from(FREE_BYTES).unwrap() + 1024];
    let refused = open(&zipped(&zeros));
    assert!(matches!(refused, Err(Error::Inflates { limit: 200 })), "{refused:?}");
    let small = Limits { bytes: 4096, ..Limits::default() };
    let refused = open::tree(&one("a", EntryType::Regular, &[1; 5000]), &small);
    assert!(matches!(refused, Err(Error::TooLarge { limit_bytes: 4096 })));
}

#[test]
fn too_many_entries_are_refused() {
    let mut builder = Builder::new(Vec::new());
    for at in 0..11 {
        let mut header = Header::new_ustar();
        header.set_size(0);
        builder.append_data(&mut header, format!("f{at}"), &[][..]).unwrap();
    }
    let archive = zipped(&builder.into_inner().unwrap());
    let limits = Limits { entries: 10, ..Limits::default() };
    assert!(matches!(open::tree(&archive, &limits), Err(Error::TooManyEntries { limit: 10 })));
}

#[test]
fn a_size_that_lies_is_refused() {
    let mut header = Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_size(1 << 30);
    header.set_cksum();
    let refused = open(&zipped(header.as_bytes()));
    assert!(matches!(refused, Err(Error::Archive(_))), "{refused:?}");
}

#[test]
fn a_file_is_not_a_directory_too() {
    let mut builder = Builder::new(Vec::new());
    for name in ["a", "a/b"] {
        let mut header = Header::new_ustar();
        header.set_size(0);
        builder.append_data(&mut header, name, &[][..]).unwrap();
    }
    let refused = open(&zipped(&builder.into_inner().unwrap()));
    assert!(matches!(refused, Err(Error::Tree(_))));
}

#[test]
fn noise_is_refused() {
    assert!(matches!(open(b"hello"), Err(Error::Inflate(_))));
    let whole = one("a", EntryType::Regular, &[7; 2000]);
    assert!(open(&whole[..whole.len() / 2]).is_err());
}
