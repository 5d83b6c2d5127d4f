//! Kinds of numbers, and hostile assignments.

use serde_json::Map;

#[test]
fn kinds_of_numbers_are_kept() {
    let mut values = Map::new();
    strvals::set("a=5", &mut values).unwrap();
    strvals::set_json("b=5", &mut values).unwrap();
    assert!(values["a"].is_i64());
    assert!(values["b"].is_f64());
}

#[test]
fn hostile_assignments_are_refused() {
    let set = |text: &str| strvals::set(text, &mut Map::new()).map_err(|e| e.to_string());
    assert_eq!(
        set("a[65537]=1").unwrap_err(),
        "index of 65537 is greater than maximum supported index of 65536"
    );
    assert_eq!(
        set("a[9999999999]=1").unwrap_err(),
        "index of 9999999999 is greater than maximum supported index of 65536"
    );
    assert!(set(&("a".to_owned() + &".a".repeat(30) + "=1")).is_ok());
    assert_eq!(
        set(&("a".to_owned() + &".a".repeat(31) + "=1")).unwrap_err(),
        "value name nested level is greater than maximum supported nested level of 30"
    );
    assert!(set(&("a".to_owned() + &"[0]".repeat(100_000) + "=1")).is_err());
    assert!(set(&("a".to_owned() + &"[0].a".repeat(100_000) + "=1")).is_err());
    let many: Vec<String> = (0..100).map(|i| format!("a{i}[65536]=1")).collect();
    assert!(set(&many.join(",")).is_err());
    assert!(strvals::set_json(&("a=".to_owned() + &"[".repeat(100_000)), &mut Map::new()).is_err());
}
