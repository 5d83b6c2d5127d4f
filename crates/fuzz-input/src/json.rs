//! JSON that a target reads as bytes.

use serde_json::Value;

use crate::{Corpus, Values, check};

/// Runs a target with any bytes, with values that are nearly these, and with their texts, damaged.
pub fn check_json(right: &[Value], run: fn(&[u8])) {
    check(500).for_each(run);
    let values = Values::of(right.iter().cloned()).value();
    check(1000).with_generator(values).for_each(|value| run(value.to_string().as_bytes()));
    let texts = Corpus::of(right.iter().map(Value::to_string)).bytes();
    check(500).with_generator(texts).for_each(|text| run(text));
}
