//! Any patch applies or is refused.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use fuzz_input::{Values, cases, check, soon};
use serde_json::{Map, Value};
use strategic_merge::{Type, merge};

const TABLE: &str = "parity/tests/tables/smp/cases.json";

fn kind_of(object: &Value) -> Type {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let known = Type::of(text("apiVersion"), text("kind"));
    known.or_else(|| Type::of("apps/v1", "Deployment")).unwrap()
}

#[test]
fn patches_that_are_nearly_right() {
    let patches = Values::of_table(TABLE, "patch").value();
    let objects = Values::of_table(TABLE, "original").value();
    check(400).with_generator((objects, patches)).for_each(|(object, patch)| {
        let kind = kind_of(object);
        if let Err(error) = soon(|| merge(object.clone(), patch.clone(), kind)) {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn any_kind_of_patch_for_any_object() {
    let any = || Values::of([cases(TABLE)]).value();
    let objects = Values::of_table(TABLE, "original").value();
    check(50).with_generator((any(), objects, any())).for_each(|(any, object, patch)| {
        let kind = kind_of(object);
        soon(|| drop(merge(any.clone(), patch.clone(), kind)));
        soon(|| drop(merge(object.clone(), patch.clone(), kind)));
    });
}

#[test]
fn an_empty_patch_changes_nothing() {
    let objects = Values::of_table(TABLE, "original").value();
    check(200).with_generator(objects).for_each(|object| {
        if object.is_object() {
            let merged = merge(object.clone(), Value::Object(Map::new()), kind_of(object));
            assert_eq!(merged.as_ref(), Ok(object));
        }
    });
}
