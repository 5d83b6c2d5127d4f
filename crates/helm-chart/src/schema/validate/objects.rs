//! Schemas of objects: which members there must or may be, and what they hold.

use serde_json::{Map, Value};

use super::super::costs::{keys, lookups};
use super::{Check, Failure, Findings, Kind, Path, SchemaError, causes_of};

impl<'a, 'd> Check<'a, 'd> {
    pub(super) fn members(
        &self,
        schema: &'a Map<String, Value>,
        members: &'d Map<String, Value>,
        found: &mut Findings<'d>,
    ) -> Result<(), SchemaError> {
        self.costs.spend(keys(members))?;
        self.count(schema, ["minProperties", "maxProperties"], members.len(), found);
        let missing = |names: &Value| -> Vec<String> {
            let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            self.costs.use_up(lookups(names.clone()));
            names.filter(|name| !members.contains_key(*name)).map(str::to_owned).collect()
        };
        if let Some(required) = schema.get("required") {
            let missing = missing(required);
            if !missing.is_empty() {
                found.failures.push(self.failure(Kind::Required(missing)));
            }
        }
        let present = |keyword: &str| {
            let named = self.keyword(schema, keyword).and_then(Value::as_object);
            self.costs.use_up(named.map_or(0, keys));
            named.into_iter().flatten().filter(|(name, _)| members.contains_key(*name))
        };
        for (of, needs) in present("dependencies").chain(present("dependentRequired")) {
            if needs.is_array() {
                let missing = missing(needs);
                if !missing.is_empty() {
                    let of = of.clone();
                    found.failures.push(self.failure(Kind::Dependency { of, missing }));
                }
            } else {
                found.take(self.same_value(needs)?);
            }
        }
        self.properties(schema, members, found)?;
        if let Some(names) = self.keyword(schema, "propertyNames") {
            for name in members.keys() {
                let value = Value::String(name.clone());
                let check = self.inner(names, &value, None);
                if let Err(failure) = (Check { at: Path::default(), ..check }).run()? {
                    let (at, kind) = (Path::default(), Kind::PropertyName(name.clone()));
                    found.failures.push(Failure { at, kind, causes: causes_of(failure) });
                }
            }
        }
        for (_, needs) in present("dependentSchemas") {
            found.take(self.same_value(needs)?);
        }
        Ok(())
    }

    fn properties(
        &self,
        schema: &'a Map<String, Value>,
        members: &'d Map<String, Value>,
        found: &mut Findings<'d>,
    ) -> Result<(), SchemaError> {
        let object = |keyword: &str| schema.get(keyword).and_then(Value::as_object);
        let by_name = object("properties");
        let by_pattern = object("patternProperties");
        let additional = schema.get("additionalProperties");
        let mut not_allowed = Vec::new();
        for (name, value) in members {
            let named = by_name.and_then(|schemas| schemas.get(name));
            let mut applied: Vec<&Value> = named.into_iter().collect();
            for (pattern, schema) in by_pattern.into_iter().flatten() {
                if self.costs.is_match(pattern, name)? {
                    applied.push(schema);
                }
            }
            if applied.is_empty() {
                match additional {
                    Some(Value::Bool(false)) => {
                        not_allowed.push(name.clone());
                        continue;
                    }
                    other => applied.extend(other),
                }
            }
            for schema in &applied {
                if let Err(failure) = self.inner(schema, value, Some(name)).run()? {
                    found.failures.push(failure);
                }
            }
            if !applied.is_empty() && self.document.asks_unevaluated {
                found.seen.names.insert(name);
            }
        }
        if !not_allowed.is_empty() {
            found.failures.push(self.failure(Kind::AdditionalProperties(not_allowed)));
        }
        Ok(())
    }
}
