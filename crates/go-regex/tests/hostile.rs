//! Whatever the pattern, nothing panics.

use go_regex::Regex;

proptest::proptest! {
    #[test]
    fn any_pattern_compiles_or_is_refused(
        pattern in r"[a(?P<n>)\[\]{}1,*+|^$.\\dQEpL:i-]{0,24}",
        input in ".{0,20}",
    ) {
        if let Ok(re) = Regex::new(&pattern) {
            re.replace_all(&input, "$1");
            re.split(&input, -1);
        }
    }
}
