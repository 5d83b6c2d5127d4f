//! Schemas of texts and numbers, and of how much there may be of something.

use serde_json::{Map, Value};

use super::{Check, Findings, Kind, SchemaError};

impl Check<'_, '_> {
    pub(super) fn text(
        &self,
        schema: &Map<String, Value>,
        text: &str,
        found: &mut Findings<'_>,
    ) -> Result<(), SchemaError> {
        self.costs.spend(text.len() >> 8)?;
        self.count(schema, ["minLength", "maxLength"], text.chars().count(), found);
        if let Some(Value::String(want)) = schema.get("pattern")
            && !self.costs.is_match(want, text)?
        {
            let (got, want) = (text.to_owned(), want.clone());
            found.failures.push(self.failure(Kind::Pattern { got, want }));
        }
        Ok(())
    }

    pub(super) fn number(&self, schema: &Map<String, Value>, got: f64, found: &mut Findings<'_>) {
        type Broken = fn(f64, f64) -> bool;
        let limits: [(&'static str, Broken); 5] = [
            ("minimum", |got, want| got < want),
            ("maximum", |got, want| got > want),
            ("exclusiveMinimum", |got, want| got <= want),
            ("exclusiveMaximum", |got, want| got >= want),
            ("multipleOf", |got, want| want > 0.0 && !is_multiple(got, want)),
        ];
        for (keyword, broken) in limits {
            // The oldest draft has a boolean beside the limit that makes it exclusive.
            let is_flag = |flag: &str| schema.get(flag) == Some(&Value::Bool(true));
            let limit = match keyword {
                "minimum" if is_flag("exclusiveMinimum") => None,
                "maximum" if is_flag("exclusiveMaximum") => None,
                "exclusiveMinimum" if is_flag(keyword) => schema.get("minimum"),
                "exclusiveMaximum" if is_flag(keyword) => schema.get("maximum"),
                keyword => schema.get(keyword),
            };
            if let Some(want) = limit.and_then(Value::as_f64).filter(|want| broken(got, *want)) {
                found.failures.push(self.failure(Kind::Number { keyword, got, want }));
            }
        }
    }

    /// The number of characters, items or members against its limits.
    pub(super) fn count(
        &self,
        schema: &Map<String, Value>,
        [least, most]: [&'static str; 2],
        got: usize,
        found: &mut Findings<'_>,
    ) {
        let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        // No list or text is long enough to lose precision.
        let exact = got.to_string().parse().unwrap_or(f64::MAX);
        for (keyword, want, broken) in [
            (least, limit(least), limit(least).is_some_and(|want| exact < want)),
            (most, limit(most), limit(most).is_some_and(|want| exact > want)),
        ] {
            if let Some(want) = want.filter(|_| broken) {
                found.failures.push(self.failure(Kind::Count { keyword, got: exact, want }));
            }
        }
    }
}

/// Whether the quotient is whole, as far as floats tell.
fn is_multiple(number: f64, of: f64) -> bool {
    let quotient = number / of;
    (quotient - quotient.round()).abs() <= 1e-9 * quotient.abs().max(1.0)
}
