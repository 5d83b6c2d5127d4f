//! Which of several rules wins.

use source_ignore::Rules;

#[test]
fn own_patterns_switch_the_defaults_off_but_not_version_control() {
    let rules = |spec_ignore: &str| {
        let mut builder = Rules::builder();
        builder.overrides(spec_ignore).unwrap();
        builder.build()
    };
    for empty in ["", "\n", "# only a comment"] {
        assert!(rules(empty).excludes(&["a.png"], false), "{empty:?}");
        assert!(rules(empty).excludes(&[".gitignore"], false));
    }
    assert!(!rules("other").excludes(&["a.png"], false));
    assert!(rules("other").excludes(&["x", ".git", "config"], false));
    assert!(!rules("!.gitignore").excludes(&[".gitignore"], false));
}

#[test]
fn the_deeper_file_wins_and_the_spec_wins_over_all() {
    let mut builder = Rules::builder();
    builder.file(&[], "*.txt").unwrap();
    builder.file(&["d"], "!a.txt\n!c.txt").unwrap();
    builder.file(&["d", "e"], "a.txt").unwrap();
    builder.overrides("c.txt").unwrap();
    let rules = builder.build();
    assert!(rules.excludes(&["a.txt"], false));
    assert!(!rules.excludes(&["d", "a.txt"], false));
    assert!(rules.excludes(&["d", "b.txt"], false));
    assert!(rules.excludes(&["d", "e", "a.txt"], false));
    assert!(rules.excludes(&["d", "c.txt"], false));
}

#[test]
fn patterns_are_counted() {
    let mut builder = Rules::builder();
    assert!(builder.overrides(&"a\n".repeat(20_000)).is_ok());
    assert!(builder.file(&["x"], "one more").is_err());
}
