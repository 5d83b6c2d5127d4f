//! What kustomize v5.8.1 prints, read and printed again: nothing may change.
//!
//! The goldens are third parties' manifests and lie beside the repository, not in it.

use std::io::Read as _;
use std::path::Path;

/// Every so many documents one is tried: all of them take an unoptimised build a while.
const SAMPLE: usize = 5;

#[test]
fn what_kustomize_prints_is_printed_the_same_again() {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus/kustomize/goldens.tar.gz");
    let Ok(file) = std::fs::File::open(&archive) else {
        println!("NOT TESTED: {} is not there", archive.display());
        return;
    };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let (mut documents, mut different) = (0, Vec::new());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut golden = Vec::new();
        entry.read_to_end(&mut golden).unwrap();
        for document in yaml::documents(&golden).step_by(SAMPLE) {
            documents += 1;
            let text = std::str::from_utf8(document.text).unwrap();
            let printed = yaml::kyaml::emit(&yaml::kyaml::parse(document.text).unwrap());
            if printed != text {
                let line = printed.lines().zip(text.lines()).find(|(ours, theirs)| ours != theirs);
                different.push(format!(
                    "{:?} line {}: {line:?}",
                    entry.path().unwrap(),
                    document.line
                ));
            }
        }
    }
    println!("{} of {documents} documents same", documents - different.len());
    assert!(documents > 1_000, "{documents}");
    assert!(different.is_empty(), "{}:\n{}", different.len(), different.join("\n"));
}
