//! A value against a schema, keyword by keyword.

mod lists;
mod objects;
mod scalars;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::SchemaError;
use super::costs::{Costs, comparison};
use super::document::{Document, Draft, Place};
use super::failure::{Failure, Kind};
use super::format;
use super::path::Path;

/// Deepest nesting of schemas within schemas, references included.
pub(super) const MAX_DEPTH: usize = 256;
/// What is wrong with the value, if anything.
pub(super) fn run(
    document: &Document<'_>,
    value: &Value,
    costs: &Costs,
) -> Result<Option<Failure>, SchemaError> {
    let check =
        Check { document, place: document.root(), value, at: Path::default(), depth: 0, costs };
    Ok(check.run()?.err())
}

/// One schema applied to one value.
struct Check<'a, 'd> {
    document: &'d Document<'a>,
    place: Place<'a>,
    value: &'d Value,
    at: Path,
    depth: usize,
    costs: &'d Costs,
}

/// What a schema that holds has looked at; kept only if some schema asks.
#[derive(Default)]
struct Seen<'d> {
    names: BTreeSet<&'d str>,
    items: BTreeSet<usize>,
}

type Outcome<'d> = Result<Result<Seen<'d>, Failure>, SchemaError>;

/// What has been found so far by one check.
struct Findings<'d> {
    seen: Seen<'d>,
    failures: Vec<Failure>,
    costs: &'d Costs,
}

impl<'d> Findings<'d> {
    fn take(&mut self, outcome: Result<Seen<'d>, Failure>) {
        match outcome {
            Ok(seen) => {
                let steps = unite(&mut self.seen.names, seen.names)
                    + unite(&mut self.seen.items, seen.items);
                self.costs.use_up(steps);
            }
            Err(failure) => self.failures.push(failure),
        }
    }
}

/// Puts the smaller set into the larger one; how many that are.
fn unite<T: Ord>(all: &mut BTreeSet<T>, mut more: BTreeSet<T>) -> usize {
    if more.len() > all.len() {
        std::mem::swap(all, &mut more);
    }
    let moved = more.len();
    all.extend(more);
    moved
}

impl<'a, 'd> Check<'a, 'd> {
    /// Recursion needs no large stack: now and then it gets a fresh piece.
    fn run(&self) -> Outcome<'d> {
        if self.depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        if self.depth.is_multiple_of(8) {
            stacker::maybe_grow(128 << 10, 2 << 20, || self.apply())
        } else {
            self.apply()
        }
    }

    fn apply(&self) -> Outcome<'d> {
        self.costs.spend(1)?;
        let schema = match self.place.schema {
            Value::Bool(false) => return Ok(Err(self.failure(Kind::FalseSchema))),
            Value::Object(schema) => schema,
            _ => return Ok(Ok(Seen::default())),
        };
        if let Some(failure) = self.identity(schema)? {
            return Ok(Err(failure));
        }
        let mut found = Findings { seen: Seen::default(), failures: Vec::new(), costs: self.costs };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            let outcome = self.reference(reference)?;
            if self.document.draft < Draft::D2019 {
                return Ok(outcome);
            }
            found.take(outcome);
        }
        match self.value {
            Value::Object(members) => self.members(schema, members, &mut found)?,
            Value::Array(items) => self.items(schema, items, &mut found)?,
            Value::String(text) => self.text(schema, text, &mut found)?,
            Value::Number(number) => {
                self.number(schema, number.as_f64().unwrap_or_default(), &mut found);
            }
            Value::Null | Value::Bool(_) => {}
        }
        for keyword in ["$recursiveRef", "$dynamicRef"] {
            if let Some(Value::String(reference)) = self.keyword(schema, keyword) {
                self.costs.use_up(reference.len() >> 4);
                let outcome = match self.document.dynamic_root(keyword, reference, &self.place.base)
                {
                    Some(root) => self.referenced(root)?,
                    None => self.reference(reference)?,
                };
                found.take(outcome);
            }
        }
        self.combinations(schema, &mut found)?;
        if self.document.asks_unevaluated {
            self.unevaluated(schema, &mut found)?;
        }
        Ok(match found.failures.len() {
            0 => Ok(found.seen),
            1 => Err(found.failures.swap_remove(0)),
            _ => Err(Failure { causes: found.failures, ..self.failure(Kind::Group) }),
        })
    }

    /// Type, constants and format: the first that fails is all that is said.
    fn identity(&self, schema: &'a Map<String, Value>) -> Result<Option<Failure>, SchemaError> {
        let names = match schema.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !names.is_empty() && !names.iter().any(|name| self.is_a(name)) {
            // In the order of Go's bit set, whatever the schema's is.
            const ORDER: [&str; 7] =
                ["null", "boolean", "number", "integer", "string", "array", "object"];
            let want = ORDER.into_iter().filter(|name| names.contains(name)).collect();
            return Ok(Some(self.failure(Kind::Type { got: type_name(self.value), want })));
        }
        if let Some(want) = self.keyword(schema, "const") {
            self.costs.spend(comparison(self.value))?;
            if *want != *self.value {
                return Ok(Some(self.failure(Kind::Const(want.clone()))));
            }
        }
        if let Some(Value::Array(want)) = schema.get("enum") {
            self.costs.spend((want.len() >> 3).saturating_mul(comparison(self.value)))?;
            if !want.contains(self.value) {
                return Ok(Some(self.failure(Kind::Enum(want.clone()))));
            }
        }
        if self.document.asserts_format
            && let (Some(Value::String(want)), Value::String(text)) =
                (schema.get("format"), self.value)
            && let Err(why) = self.has_format(want, text)?
        {
            let (got, want) = (self.value.clone(), want.clone());
            return Ok(Some(self.failure(Kind::Format { got, want, why })));
        }
        Ok(None)
    }

    fn has_format(&self, format: &str, text: &str) -> Result<Result<(), String>, SchemaError> {
        self.costs.spend(text.len() >> 4)?;
        Ok(match format {
            "regex" => self.costs.compiled(text)?.map(drop).map_err(|error| error.to_string()),
            _ => format::check(format, text),
        })
    }

    fn is_a(&self, name: &str) -> bool {
        match name {
            "integer" => self.value.as_f64().is_some_and(|number| number.fract() == 0.0),
            name => name == type_name(self.value),
        }
    }

    fn reference(&self, reference: &str) -> Outcome<'d> {
        self.costs.spend(reference.len() >> 4)?;
        match self.document.resolve(reference, &self.place.base)? {
            Some(place) => self.referenced(place),
            None => Ok(Ok(Seen::default())),
        }
    }

    fn referenced(&self, place: Place<'a>) -> Outcome<'d> {
        // A schema that leads to itself without moving on in the value ends at the depth limit.
        if std::ptr::eq(place.schema, self.place.schema) {
            return Ok(Err(self.failure(Kind::RefCycle)));
        }
        Ok(self.at_place(place, self.value, None).run()?.map_err(|failure| Failure {
            causes: causes_of(failure),
            ..self.failure(Kind::Reference)
        }))
    }

    fn combinations(
        &self,
        schema: &'a Map<String, Value>,
        found: &mut Findings<'d>,
    ) -> Result<(), SchemaError> {
        let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
        if let Some(not) = schema.get("not")
            && self.same_value(not)?.is_ok()
        {
            found.failures.push(self.failure(Kind::Not));
        }
        if let Some(all) = list("allOf") {
            let mut causes = Vec::new();
            for schema in all {
                match self.same_value(schema)? {
                    Ok(seen) => found.take(Ok(seen)),
                    Err(failure) => causes.push(failure),
                }
            }
            if !causes.is_empty() {
                found.failures.push(Failure { causes, ..self.failure(Kind::AllOf) });
            }
        }
        if let Some(any) = list("anyOf") {
            let (mut matched, mut causes) = (false, Vec::new());
            for schema in any {
                match self.same_value(schema)? {
                    Ok(seen) => {
                        matched = true;
                        found.take(Ok(seen));
                        if !self.document.asks_unevaluated {
                            break;
                        }
                    }
                    Err(failure) => causes.push(failure),
                }
            }
            if !matched && !any.is_empty() {
                found.failures.push(Failure { causes, ..self.failure(Kind::AnyOf) });
            }
        }
        if let Some(one) = list("oneOf") {
            self.one_of(one, found)?;
        }
        if let Some(condition) = self.keyword(schema, "if") {
            let branch = match self.same_value(condition)? {
                Ok(seen) => {
                    found.take(Ok(seen));
                    "then"
                }
                Err(_) => "else",
            };
            if let Some(branch) = schema.get(branch) {
                found.take(self.same_value(branch)?);
            }
        }
        Ok(())
    }

    fn one_of(&self, schemas: &'a [Value], found: &mut Findings<'d>) -> Result<(), SchemaError> {
        let (mut matched, mut causes) = (None, Vec::new());
        for (i, schema) in schemas.iter().enumerate() {
            match (self.same_value(schema)?, matched) {
                (Ok(seen), None) => {
                    matched = Some(i);
                    found.take(Ok(seen));
                }
                (Ok(_), Some(first)) => {
                    found.failures.push(self.failure(Kind::OneOfTwo(first, i)));
                    return Ok(());
                }
                (Err(failure), None) => causes.push(failure),
                (Err(_), Some(_)) => {}
            }
        }
        if matched.is_none() && !schemas.is_empty() {
            found.failures.push(Failure { causes, ..self.failure(Kind::OneOfNone) });
        }
        Ok(())
    }

    fn unevaluated(
        &self,
        schema: &'a Map<String, Value>,
        found: &mut Findings<'d>,
    ) -> Result<(), SchemaError> {
        if let (Some(wanted), Value::Object(members)) =
            (self.keyword(schema, "unevaluatedProperties"), self.value)
        {
            for (name, value) in members {
                if found.seen.names.insert(name)
                    && let Err(failure) = self.inner(wanted, value, Some(name)).run()?
                {
                    found.failures.push(failure);
                }
            }
        }
        if let (Some(wanted), Value::Array(items)) =
            (self.keyword(schema, "unevaluatedItems"), self.value)
        {
            for (i, item) in items.iter().enumerate() {
                if found.seen.items.insert(i)
                    && let Err(failure) = self.inner(wanted, item, Some(&i.to_string())).run()?
                {
                    found.failures.push(failure);
                }
            }
        }
        Ok(())
    }

    fn keyword(&self, schema: &'a Map<String, Value>, keyword: &str) -> Option<&'a Value> {
        self.document.draft.keyword(schema, keyword)
    }

    fn same_value(&self, schema: &'a Value) -> Outcome<'d> {
        self.inner(schema, self.value, None).run()
    }

    /// A schema within this one, applied to a value at `token`, or to the same one.
    fn inner<'v>(&self, schema: &'a Value, value: &'v Value, token: Option<&str>) -> Check<'a, 'v>
    where
        'd: 'v,
    {
        self.at_place(self.document.place_of(schema, &self.place.base), value, token)
    }

    fn at_place<'v>(&self, place: Place<'a>, value: &'v Value, token: Option<&str>) -> Check<'a, 'v>
    where
        'd: 'v,
    {
        let at = token.map_or_else(|| self.at.clone(), |token| self.at.join(token));
        self.costs.use_up(token.map_or(0, str::len) >> 5);
        let (document, costs) = (self.document, self.costs);
        Check { document, place, value, at, depth: self.depth + 1, costs }
    }

    /// Costs steps of its own: it is kept.
    fn failure(&self, kind: Kind) -> Failure {
        const KEPT: usize = 30;
        self.costs.use_up(KEPT + (kind.weight() >> 4));
        Failure { at: self.at.clone(), kind, causes: Vec::new() }
    }
}

fn causes_of(failure: Failure) -> Vec<Failure> {
    match failure.kind {
        Kind::Group => failure.causes,
        _ => vec![failure],
    }
}

const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
