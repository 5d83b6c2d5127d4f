//! Any text is a version or none, and versions are in one order.

use fuzz_input::{Corpus, check, soon, words};
use semver_range::{Constraint, Version};

const VERSIONS: &str = "parity/tests/tables/semver/versions.json";
const CONSTRAINTS: &str = "parity/tests/tables/semver/constraints.json";

fn versions() -> Corpus {
    Corpus::of_table(VERSIONS, "input")
}

fn constraints() -> Corpus {
    Corpus::of_table(CONSTRAINTS, "constraint")
}

fn read(text: &str) {
    let (loose, strict) = soon(|| (Version::parse(text), Version::parse_strict(text)));
    let Ok(strict) = strict else { return };
    assert_eq!(strict.to_string(), text);
    assert!(loose.is_ok_and(|loose| loose == strict), "{text:?}");
}

fn constrain(range: &str, version: &str) {
    let Ok(version) = Version::parse(version) else { return };
    soon(|| {
        let Ok(range) = Constraint::parse(range) else { return };
        assert_eq!(range.check(&version), range.validate(&version).is_ok());
        range.including_prereleases().check(&version);
    });
}

#[test]
fn any_bytes() {
    check(500).for_each(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        read(&text);
        constrain(&text, "1.2.3");
    });
}

#[test]
fn versions_that_are_nearly_right() {
    check(500).with_generator(versions().text()).for_each(|text| read(text));
}

#[test]
fn versions_are_in_one_order() {
    let three = (versions().text(), versions().text(), versions().text());
    check(500).with_generator(three).for_each(|(a, b, c)| {
        let [Ok(a), Ok(b), Ok(c)] = [a, b, c].map(|text| Version::parse(text)) else { return };
        assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            assert!(a <= c);
        }
    });
}

#[test]
fn ranges_that_are_nearly_right() {
    let generator = (constraints().text(), versions().text());
    check(500).with_generator(generator).for_each(|(range, version)| constrain(range, version));
}

#[test]
fn words_of_ranges() {
    let words = words(
        &[
            "1", "0", "2.", "3", ".", "x", "*", "-", " - ", "rc", "+", "~", "^", "<", ">", "=",
            "!", " ", ",", "||", "v",
        ],
        16,
    );
    check(1000)
        .with_generator((words, versions().text()))
        .for_each(|(range, version)| constrain(range, version));
}
