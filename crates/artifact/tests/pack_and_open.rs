//! What is packed has the bytes of the Go controllers' archives, and opens to the same tree.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::Read as _;

use artifact::{
    Algorithm,
    open::{self, Limits},
    pack::{self, Packer},
};
use file_tree::TreePath;
use flate2::read::GzDecoder;

fn packer() -> Packer<Vec<u8>> {
    Packer::new(Vec::new(), pack::Limits::default()).unwrap()
}

fn tar_of(archive: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    let read = GzDecoder::new(archive).read_to_end(&mut tar);
    assert!(read.is_ok(), "{read:?}");
    tar
}

#[test]
fn a_small_tree_has_the_bytes_that_go_writes() {
    let mut packer = packer();
    packer.file("a.txt", false, b"hello\n").unwrap();
    packer.directory("bin").unwrap();
    packer.file("bin/run.sh", true, b"#!/bin/sh\n").unwrap();
    packer.directory("empty").unwrap();
    let archive = packer.finish().unwrap();
    assert_eq!(archive[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let tar = tar_of(&archive);
    assert_eq!(tar.len(), 4608);
    assert_eq!(
        Algorithm::Sha256.digest(&tar).hex(),
        "5863177f1fb932dabc3b34d84857abd231a0b3202f7a60a94502c1def7d1b194"
    );
}

/// The expected digest is that of the same entries written by Go's `archive/tar`.
#[test]
fn long_and_foreign_names_have_the_bytes_that_go_writes() {
    let mut packer = packer();
    let split = format!("{}/{}", "d".repeat(120), "f".repeat(90));
    let unsplittable = format!("{}/{}", "y".repeat(99), "z".repeat(101));
    let directory = format!("{}/{}/{}", "q".repeat(60), "r".repeat(39), "s".repeat(200));
    packer.file(&split, false, b"split").unwrap();
    packer.file(&"n".repeat(100), false, b"exact").unwrap();
    packer.file(&"x".repeat(101), false, b"pax").unwrap();
    packer.file("é/ü.yaml", false, b"pax").unwrap();
    packer.file(&unsplittable, false, b"pax").unwrap();
    packer.directory(&directory).unwrap();
    let archive = packer.finish().unwrap();
    let tar = tar_of(&archive);
    assert_eq!(tar.len(), 11264);
    assert_eq!(
        Algorithm::Sha256.digest(&tar).hex(),
        "aaf0fa2589f9a82d49521cbf2aab8bfc783ad35334684178ee9e15e7b5b0f99c"
    );
    let tree = open::tree(&archive, &Limits::default()).unwrap();
    for (path, content) in [(split.as_str(), "split"), ("é/ü.yaml", "pax"), (&unsplittable, "pax")]
    {
        assert_eq!(tree.file(&TreePath::parse(path).unwrap()).unwrap().bytes, content);
    }
    assert!(tree.is_directory(&TreePath::parse(&directory).unwrap()));
}

#[test]
fn what_was_packed_opens_to_the_same_tree() {
    let mut packer = packer();
    packer.directory("bin").unwrap();
    packer.file("bin/run.sh", true, b"#!/bin/sh\n").unwrap();
    packer.file("empty.txt", false, b"").unwrap();
    let tree = open::tree(&packer.finish().unwrap(), &Limits::default()).unwrap();
    let run = tree.file(&TreePath::parse("bin/run.sh").unwrap()).unwrap();
    assert!(run.executable);
    assert_eq!(run.bytes, "#!/bin/sh\n");
    assert!(!tree.file(&TreePath::parse("empty.txt").unwrap()).unwrap().executable);
}

#[test]
fn a_source_that_is_too_large_is_not_packed() {
    let mut packer = Packer::new(Vec::new(), pack::Limits { entries: 3, bytes: 10 }).unwrap();
    packer.file("a", false, b"12345").unwrap();
    assert!(matches!(packer.file("b", false, b"123456"), Err(pack::Error::TooLarge { .. })));
    assert!(matches!(packer.directory("c"), Err(pack::Error::TooManyEntries { limit: 3 })));
}
