//! Schemas of lists.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::costs::comparison;
use super::super::document::Draft;
use super::{Check, Failure, Findings, Kind, SchemaError};

impl<'a, 'd> Check<'a, 'd> {
    pub(super) fn items(
        &self,
        schema: &'a Map<String, Value>,
        items: &'d [Value],
        found: &mut Findings<'d>,
    ) -> Result<(), SchemaError> {
        self.count(schema, ["minItems", "maxItems"], items.len(), found);
        if schema.get("uniqueItems") == Some(&Value::Bool(true))
            && let Some((first, second)) = self.equal_items(items)?
        {
            found.failures.push(self.failure(Kind::UniqueItems(first, second)));
        }
        // The 2020-12 draft gave both keywords other names.
        let (one_each, rest) = match schema.get("items") {
            Some(Value::Array(_)) if self.document.draft < Draft::D2020 => {
                ("items", "additionalItems")
            }
            _ if self.document.draft < Draft::D2020 => ("", "items"),
            _ => ("prefixItems", "items"),
        };
        let one_each =
            schema.get(one_each).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let prefix = one_each.len().min(items.len());
        let rest = schema.get(rest);
        if rest == Some(&Value::Bool(false))
            && self.document.draft < Draft::D2020
            && items.len() > prefix
        {
            found.failures.push(self.failure(Kind::AdditionalItems(items.len() - prefix)));
        }
        for (i, item) in items.iter().enumerate() {
            let schema = match one_each.get(i) {
                Some(schema) => schema,
                None => match rest {
                    Some(Value::Bool(false)) if self.document.draft < Draft::D2020 => break,
                    Some(schema) => schema,
                    None => break,
                },
            };
            // Flux: what follows the first items is counted from them on (`validator.go`).
            let shown = if i < prefix { i } else { i - prefix };
            if let Err(failure) = self.inner(schema, item, Some(&shown.to_string())).run()? {
                found.failures.push(failure);
            }
            if self.document.asks_unevaluated {
                found.seen.items.insert(i);
            }
        }
        self.contains(schema, items, found)
    }

    fn contains(
        &self,
        schema: &'a Map<String, Value>,
        items: &'d [Value],
        found: &mut Findings<'d>,
    ) -> Result<(), SchemaError> {
        let Some(wanted) = self.keyword(schema, "contains") else { return Ok(()) };
        let limit = |keyword: &str| self.keyword(schema, keyword).and_then(Value::as_f64);
        let (mut matched, mut causes) = (Vec::new(), Vec::new());
        for (i, item) in items.iter().enumerate() {
            match self.inner(wanted, item, Some(&i.to_string())).run()? {
                Ok(_) => matched.push(i),
                Err(failure) => causes.push(failure),
            }
        }
        if self.document.asks_unevaluated && self.document.draft >= Draft::D2020 {
            found.seen.items.extend(&matched);
        }
        let count = matched.len().to_string().parse().unwrap_or(f64::MAX);
        let got = || matched.clone();
        match limit("minContains") {
            Some(want) if count < want => {
                let kind = Kind::MinContains { got: got(), want };
                found.failures.push(Failure { causes, ..self.failure(kind) });
            }
            None if matched.is_empty() => {
                found.failures.push(Failure { causes, ..self.failure(Kind::Contains) });
            }
            _ => {}
        }
        if let Some(want) = limit("maxContains").filter(|want| count > *want) {
            found.failures.push(self.failure(Kind::MaxContains { got: got(), want }));
        }
        Ok(())
    }

    /// The first two items that are equal.
    fn equal_items(&self, items: &[Value]) -> Result<Option<(usize, usize)>, SchemaError> {
        let mut places = HashMap::new();
        for (i, item) in items.iter().enumerate() {
            self.costs.spend(comparison(item))?;
            if let Some(first) = places.insert(item, i) {
                return Ok(Some((first, i)));
            }
        }
        Ok(None)
    }
}
