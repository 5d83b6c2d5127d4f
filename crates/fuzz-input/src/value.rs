//! Values that are nearly right.

use std::sync::LazyLock;

use bolero::Driver;
use bolero::generator::ValueGenerator;
use serde_json::{Map, Value, json};

use crate::pick::{below, one};

/// How many changes a value gets at most.
const CHANGES: usize = 4;

/// What nobody expects.
static ODD: LazyLock<Vec<Value>> = LazyLock::new(|| {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("é"),
        json!("../.."),
        json!("a.b[c]/*"),
        json!("\n"),
        json!("null"),
        json!("0"),
        json!([]),
        json!([null]),
        json!([[]]),
        json!({}),
        json!({"": null}),
        json!({"$patch": "delete"}),
        json!({"$ref": "#"}),
    ]
});

/// Values made of others: members deleted, renamed, doubled, nested, or brought in from elsewhere.
#[derive(Clone, Debug)]
pub struct MutatedValue {
    samples: Vec<Value>,
    keys: Vec<String>,
}

impl MutatedValue {
    pub(crate) fn new(samples: Vec<Value>) -> Self {
        let mut keys = vec![String::new()];
        for sample in &samples {
            collect_keys(sample, &mut keys);
        }
        keys.sort_unstable();
        keys.dedup();
        Self { samples, keys }
    }

    fn change<D: Driver>(&self, driver: &mut D, value: &mut Value) -> Option<()> {
        let here = below(driver, 5)? == 0;
        match value {
            Value::Object(fields) if !fields.is_empty() && !here => {
                let at = below(driver, fields.len())?;
                self.change(driver, fields.values_mut().nth(at)?)
            }
            Value::Array(items) if !items.is_empty() && !here => {
                let at = below(driver, items.len())?;
                self.change(driver, items.get_mut(at)?)
            }
            _ => self.change_here(driver, value),
        }
    }

    fn change_here<D: Driver>(&self, driver: &mut D, value: &mut Value) -> Option<()> {
        let key = one(driver, &self.keys)?;
        match (below(driver, 8)?, &mut *value) {
            (0, _) => *value = one(driver, &ODD)?.clone(),
            (1, _) => *value = self.elsewhere(driver)?,
            (2, _) => {
                let inner = value.take();
                *value = if driver.produce()? {
                    Value::Array(vec![inner])
                } else {
                    Value::Object(Map::from_iter([(key.clone(), inner)]))
                };
            }
            (3, Value::Object(fields)) => {
                let gone = fields.keys().nth(below(driver, fields.len())?)?.clone();
                fields.remove(&gone);
            }
            (4, Value::Object(fields)) => {
                let old = fields.keys().nth(below(driver, fields.len())?)?.clone();
                let value = fields.remove(&old)?;
                fields.insert(key.clone(), value);
            }
            (_, Value::Object(fields)) => {
                fields.insert(key.clone(), self.elsewhere(driver)?);
            }
            (3, Value::Array(items)) => {
                items.remove(below(driver, items.len())?);
            }
            (4 | 5, Value::Array(items)) => {
                let again = one(driver, items)?.clone();
                items.push(again);
            }
            (_, Value::Array(items)) => items.push(self.elsewhere(driver)?),
            (3..=5, Value::String(text)) => text.push_str(key),
            (_, scalar) => *scalar = one(driver, &ODD)?.clone(),
        }
        Some(())
    }

    /// A part of a sample.
    fn elsewhere<D: Driver>(&self, driver: &mut D) -> Option<Value> {
        let mut part = one(driver, &self.samples)?;
        loop {
            let below_it = match part {
                Value::Object(fields) => {
                    below(driver, fields.len() + 1).and_then(|at| fields.values().nth(at))
                }
                Value::Array(items) => below(driver, items.len() + 1).and_then(|at| items.get(at)),
                _ => None,
            };
            match below_it {
                Some(next) => part = next,
                None => return Some(part.clone()),
            }
        }
    }
}

impl ValueGenerator for MutatedValue {
    type Output = Value;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Value> {
        let mut value = one(driver, &self.samples)?.clone();
        for _ in 0..below(driver, CHANGES + 1)? {
            // A change that finds nothing to change is none.
            self.change(driver, &mut value).unwrap_or_default();
        }
        Some(value)
    }
}

fn collect_keys(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        Value::Object(fields) => {
            for (key, value) in fields {
                keys.push(key.clone());
                collect_keys(value, keys);
            }
        }
        _ => {}
    }
}
