//! What is printed is read as the same.

mod readable;

use proptest::prelude::*;
use readable::is_readable;
use serde_json::Value;

/// Values of all kinds; texts that look like something else are likely.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[-+.0-9:eExob_ yntfYNTF#'\"&*!|>%@`?,{}\\[\\]\n\t\r~é😀\u{85}\u{2028}\u{feff}]{0,8}",
        "[a-z \n]{60,140}",
        "\\PC{0,12}",
        Just("2020-01-01".to_owned()),
        Just("yes".to_owned()),
        Just("<<".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn a_text_may_begin_with_any_letter() {
    let value = Value::Object([("\u{ff21}".to_owned(), Value::Null)].into_iter().collect());
    let text = yaml::emit(&value);
    assert!(text.starts_with('\u{ff21}'), "{text}");
    assert_eq!(yaml::parse(text.as_bytes()), Ok(value.clone()));
    assert_eq!(yaml::kyaml::parse(text.as_bytes()), Ok(value));
    assert!(yaml::spans(text.as_bytes()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn printed_values_are_read_again(value in value().prop_filter("readable", is_readable)) {
        prop_assert_eq!(yaml::parse(yaml::emit(&value).as_bytes()), Ok(value.clone()));
        prop_assert_eq!(yaml::parse_strict(yaml::emit_pretty(&value).as_bytes()), Ok(value.clone()));
        prop_assert_eq!(yaml::kyaml::parse(yaml::kyaml::emit(&value).as_bytes()), Ok(value));
    }

    #[test]
    fn floats_are_read_again(float in prop::num::f64::NORMAL) {
        let Value::Number(read) = yaml::parse(yaml::emit(&Value::from(float)).as_bytes()).unwrap()
        else { panic!("a number becomes something else") };
        prop_assert_eq!(read.as_f64(), Some(float));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        drop(yaml::parse(&bytes));
        drop(yaml::kyaml::parse(&bytes));
        drop(yaml::spans(&bytes));
        yaml::documents(&bytes).for_each(drop);
    }
}
