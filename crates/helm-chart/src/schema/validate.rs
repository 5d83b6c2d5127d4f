//! A value against a schema, keyword by keyword.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::SchemaError;
use super::document::{Document, Draft, Place};
use super::failure::{Failure, Kind};
use super::format;

/// Deepest nesting of schemas within schemas, references included.
pub(super) const MAX_DEPTH: usize = 256;
/// Most schemas that are applied, each to one value.
pub(super) const MAX_STEPS: u64 = 1_000_000;
/// Steps that compiling a pattern takes, and one that is large when compiled.
const PATTERN_STEPS: u64 = 200;
const LARGE_PATTERN_STEPS: u64 = 20_000;

/// What is wrong with the value, if anything.
pub(super) fn run(document: &Document<'_>, value: &Value) -> Result<Option<Failure>, SchemaError> {
    let check = Check {
        document,
        place: document.root(),
        value,
        at: Vec::new(),
        depth: 0,
        account: &Account { steps: Cell::new(MAX_STEPS), patterns: RefCell::default() },
    };
    Ok(check.run()?.err())
}

/// What a whole validation has left, and what it keeps.
struct Account {
    steps: Cell<u64>,
    patterns: RefCell<BTreeMap<String, go_regex::Regex>>,
}

impl Account {
    fn spend(&self, steps: u64) -> Result<(), SchemaError> {
        let left = self.steps.get().checked_sub(steps).ok_or(SchemaError::TooManySteps)?;
        self.steps.set(left);
        Ok(())
    }

    /// Whether a pattern, which is Go's and not anchored, is found in the text.
    fn is_match(&self, pattern: &str, text: &str) -> Result<bool, SchemaError> {
        self.spend(text.len() as u64 >> 6)?;
        if let Some(compiled) = self.patterns.borrow().get(pattern) {
            return Ok(compiled.is_match(text));
        }
        self.spend(PATTERN_STEPS)?;
        let compiled = go_regex::Regex::new(pattern)
            .map_err(|_detail| SchemaError::Pattern { pattern: pattern.to_owned() })?;
        if compiled.size() == go_regex::Size::Large {
            self.spend(LARGE_PATTERN_STEPS)?;
        }
        let found = compiled.is_match(text);
        self.patterns.borrow_mut().insert(pattern.to_owned(), compiled);
        Ok(found)
    }
}

/// One schema applied to one value.
struct Check<'a, 'd> {
    document: &'d Document<'a>,
    place: Place<'a>,
    value: &'d Value,
    at: Vec<String>,
    depth: usize,
    account: &'d Account,
}

/// What a schema that holds has looked at; kept only if some schema asks.
#[derive(Default)]
struct Seen {
    names: BTreeSet<String>,
    items: BTreeSet<usize>,
}

type Outcome = Result<Result<Seen, Failure>, SchemaError>;

/// What has been found so far by one check.
#[derive(Default)]
struct Findings {
    seen: Seen,
    failures: Vec<Failure>,
}

impl Findings {
    fn take(&mut self, outcome: Result<Seen, Failure>) {
        match outcome {
            Ok(seen) => {
                self.seen.names.extend(seen.names);
                self.seen.items.extend(seen.items);
            }
            Err(failure) => self.failures.push(failure),
        }
    }
}

impl<'a, 'd> Check<'a, 'd> {
    /// Recursion needs no large stack: now and then it gets a fresh piece.
    fn run(&self) -> Outcome {
        if self.depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        if self.depth.is_multiple_of(8) {
            stacker::maybe_grow(128 << 10, 2 << 20, || self.apply())
        } else {
            self.apply()
        }
    }

    fn apply(&self) -> Outcome {
        self.account.spend(1)?;
        let schema = match self.place.schema {
            Value::Bool(false) => return Ok(Err(self.failure(Kind::FalseSchema))),
            Value::Object(schema) => schema,
            _ => return Ok(Ok(Seen::default())),
        };
        if let Some(failure) = self.identity(schema) {
            return Ok(Err(failure));
        }
        let mut found = Findings::default();
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
            if self.document.draft >= Draft::D2019
                && let Some(Value::String(reference)) = schema.get(keyword)
            {
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
    fn identity(&self, schema: &'a Map<String, Value>) -> Option<Failure> {
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
            return Some(self.failure(Kind::Type { got: type_name(self.value), want }));
        }
        if let Some(want) = schema.get("const")
            && *want != *self.value
        {
            return Some(self.failure(Kind::Const(want.clone())));
        }
        if let Some(Value::Array(want)) = schema.get("enum")
            && !want.contains(self.value)
        {
            return Some(self.failure(Kind::Enum(want.clone())));
        }
        if self.document.asserts_format
            && let (Some(Value::String(want)), Value::String(text)) =
                (schema.get("format"), self.value)
            && let Err(why) = format::check(want, text)
        {
            let (got, want) = (self.value.clone(), want.clone());
            return Some(self.failure(Kind::Format { got, want, why }));
        }
        None
    }

    fn is_a(&self, name: &str) -> bool {
        match name {
            "integer" => self.value.as_f64().is_some_and(|number| number.fract() == 0.0),
            name => name == type_name(self.value),
        }
    }

    fn reference(&self, reference: &str) -> Outcome {
        match self.document.resolve(reference, &self.place.base)? {
            Some(place) => self.referenced(place),
            None => Ok(Ok(Seen::default())),
        }
    }

    fn referenced(&self, place: Place<'a>) -> Outcome {
        // A schema that leads to itself without moving on in the value ends at the depth limit.
        if std::ptr::eq(place.schema, self.place.schema) {
            return Ok(Err(self.failure(Kind::RefCycle)));
        }
        Ok(self.at_place(place, self.value, None).run()?.map_err(|failure| Failure {
            causes: causes_of(failure),
            ..self.failure(Kind::Reference)
        }))
    }

    fn members(
        &self,
        schema: &'a Map<String, Value>,
        members: &'d Map<String, Value>,
        found: &mut Findings,
    ) -> Result<(), SchemaError> {
        self.count(schema, ["minProperties", "maxProperties"], members.len(), found);
        let missing = |names: &Value| -> Vec<String> {
            let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            names.filter(|name| !members.contains_key(*name)).map(str::to_owned).collect()
        };
        if let Some(required) = schema.get("required") {
            let missing = missing(required);
            if !missing.is_empty() {
                found.failures.push(self.failure(Kind::Required(missing)));
            }
        }
        let present = |keyword: &str| {
            let named = schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
            named.filter(|(name, _)| members.contains_key(*name))
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
        if let Some(names) = schema.get("propertyNames") {
            for name in members.keys() {
                let value = Value::String(name.clone());
                let check = self.inner(names, &value, None);
                if let Err(failure) = (Check { at: Vec::new(), ..check }).run()? {
                    let (at, kind) = (Vec::new(), Kind::PropertyName(name.clone()));
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
        found: &mut Findings,
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
                if self.account.is_match(pattern, name)? {
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
                found.seen.names.insert(name.clone());
            }
        }
        if !not_allowed.is_empty() {
            found.failures.push(self.failure(Kind::AdditionalProperties(not_allowed)));
        }
        Ok(())
    }

    fn items(
        &self,
        schema: &'a Map<String, Value>,
        items: &'d [Value],
        found: &mut Findings,
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
            found.seen.items.insert(i);
        }
        self.contains(schema, items, found)
    }

    fn contains(
        &self,
        schema: &'a Map<String, Value>,
        items: &'d [Value],
        found: &mut Findings,
    ) -> Result<(), SchemaError> {
        let Some(wanted) = schema.get("contains") else { return Ok(()) };
        let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let (mut matched, mut causes) = (Vec::new(), Vec::new());
        for (i, item) in items.iter().enumerate() {
            match self.inner(wanted, item, Some(&i.to_string())).run()? {
                Ok(_) => matched.push(i),
                Err(failure) => causes.push(failure),
            }
        }
        if self.document.draft >= Draft::D2020 {
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
        for (i, item) in items.iter().enumerate() {
            // Each comparison is a step: a long list would take the square of its length.
            self.account.spend(i as u64)?;
            if let Some(first) = items[..i].iter().position(|before| before == item) {
                return Ok(Some((first, i)));
            }
        }
        Ok(None)
    }

    fn text(
        &self,
        schema: &Map<String, Value>,
        text: &str,
        found: &mut Findings,
    ) -> Result<(), SchemaError> {
        self.count(schema, ["minLength", "maxLength"], text.chars().count(), found);
        if let Some(Value::String(want)) = schema.get("pattern")
            && !self.account.is_match(want, text)?
        {
            let (got, want) = (text.to_owned(), want.clone());
            found.failures.push(self.failure(Kind::Pattern { got, want }));
        }
        Ok(())
    }

    fn number(&self, schema: &Map<String, Value>, got: f64, found: &mut Findings) {
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

    fn combinations(
        &self,
        schema: &'a Map<String, Value>,
        found: &mut Findings,
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
        if let Some(condition) = schema.get("if").filter(|_| self.document.draft >= Draft::D7) {
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

    fn one_of(&self, schemas: &'a [Value], found: &mut Findings) -> Result<(), SchemaError> {
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
        found: &mut Findings,
    ) -> Result<(), SchemaError> {
        if let (Some(wanted), Value::Object(members)) =
            (schema.get("unevaluatedProperties"), self.value)
        {
            for (name, value) in members {
                if found.seen.names.insert(name.clone())
                    && let Err(failure) = self.inner(wanted, value, Some(name)).run()?
                {
                    found.failures.push(failure);
                }
            }
        }
        if let (Some(wanted), Value::Array(items)) = (schema.get("unevaluatedItems"), self.value) {
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

    fn count(
        &self,
        schema: &Map<String, Value>,
        [least, most]: [&'static str; 2],
        got: usize,
        found: &mut Findings,
    ) {
        let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        // No list or text is long enough to lose precision.
        let exact = got.to_string().parse().unwrap_or(f64::MAX);
        for (keyword, want, broken) in [
            (least, limit(least), limit(least).is_some_and(|want| exact < want)),
            (most, limit(most), limit(most).is_some_and(|want| exact > want)),
        ] {
            if let Some(want) = want.filter(|_| broken) {
                found.failures.push(self.failure(Kind::Number { keyword, got: exact, want }));
            }
        }
    }

    fn same_value(&self, schema: &'a Value) -> Outcome {
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
        let mut at = self.at.clone();
        at.extend(token.map(str::to_owned));
        let (document, account) = (self.document, self.account);
        Check { document, place, value, at, depth: self.depth + 1, account }
    }

    /// Costs steps of its own: it is kept.
    fn failure(&self, kind: Kind) -> Failure {
        const KEPT: u64 = 30;
        let steps = &self.account.steps;
        steps.set(steps.get().saturating_sub(KEPT));
        Failure { at: self.at.clone(), kind, causes: Vec::new() }
    }
}

fn causes_of(failure: Failure) -> Vec<Failure> {
    match failure.kind {
        Kind::Group => failure.causes,
        _ => vec![failure],
    }
}

/// Whether the quotient is whole, as far as floats tell.
fn is_multiple(number: f64, of: f64) -> bool {
    let quotient = number / of;
    (quotient - quotient.round()).abs() <= 1e-9 * quotient.abs().max(1.0)
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
