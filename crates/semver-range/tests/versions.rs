//! Raised versions, and hostile ranges.

use semver_range::{Constraint, Version};

#[test]
fn raising_a_version_keeps_its_v() {
    let raise = |text: &str| {
        let v = Version::parse(text).unwrap();
        [v.inc_major(), v.inc_minor(), v.inc_patch()].map(|v| v.unwrap().original().to_owned())
    };
    assert_eq!(raise("v1.2.3-rc.1+b"), ["v2.0.0", "v1.3.0", "v1.2.3"]);
    assert_eq!(raise("1.2"), ["2.0.0", "1.3.0", "1.2.1"]);
    assert!(Version::parse("18446744073709551615.0.0").unwrap().inc_major().is_none());
}

#[test]
fn a_hostile_range_is_refused_quickly() {
    let long = "1 ".repeat(300);
    assert!(Constraint::parse(&long).is_err());
    let groups = "1||".repeat(40) + "1";
    assert!(Constraint::parse(&groups).is_err());
    assert!(Version::parse(&"1".repeat(300)).is_err());
    assert!(Constraint::parse(&"1 - ".repeat(128)).is_err());
}
