//! What checking the schemas of one chart and its sub-charts may cost.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use go_regex::{Regex, Size};
use serde_json::{Map, Value};

use super::SchemaError;

/// Most steps: a schema applied to a value is one, what else takes time or memory some more.
pub(super) const MAX_STEPS: usize = 2_000_000;

/// Limit: when so many patterns are kept, all are dropped.
const MOST_KEPT: usize = 32;
/// Steps that compiling a pattern takes, and one that is large when compiled.
const PATTERN_STEPS: usize = 500;
const LARGE_PATTERN_STEPS: usize = 20_000;

/// What is left of the steps, and the patterns that were compiled.
pub(super) struct Costs {
    steps_left: Cell<usize>,
    patterns: RefCell<BTreeMap<String, Rc<Regex>>>,
}

impl Default for Costs {
    fn default() -> Self {
        Self { steps_left: Cell::new(MAX_STEPS), patterns: RefCell::default() }
    }
}

impl Costs {
    /// To be called before something that takes so many steps.
    pub(super) fn spend(&self, steps: usize) -> Result<(), SchemaError> {
        let left = self.steps_left.get().checked_sub(steps);
        self.steps_left.set(left.unwrap_or(0));
        left.map(drop).ok_or(SchemaError::TooManySteps)
    }

    /// To be called where nothing can fail: what spends next fails if it was too much.
    pub(super) fn use_up(&self, steps: usize) {
        self.steps_left.set(self.steps_left.get().saturating_sub(steps));
    }

    /// Whether a pattern, which is Go's and not anchored, is found in a text.
    pub(super) fn is_match(&self, pattern: &str, text: &str) -> Result<bool, SchemaError> {
        let invalid = |_detail| SchemaError::Pattern { pattern: pattern.to_owned() };
        let regex = self.compiled(pattern)?.map_err(invalid)?;
        let steps = match regex.size() {
            Size::Small => text.len() >> 2,
            Size::Ordinary => text.len() * 2,
            Size::Large => text.len() * 32,
        };
        self.spend(1 + steps)?;
        Ok(regex.is_match(text))
    }

    /// The pattern, or what Go has against it.
    ///
    /// # Errors
    /// If compiling it is a step too many.
    pub(super) fn compiled(
        &self,
        pattern: &str,
    ) -> Result<Result<Rc<Regex>, go_regex::Error>, SchemaError> {
        self.spend(pattern.len() >> 6)?;
        let mut patterns = self.patterns.borrow_mut();
        if let Some(regex) = patterns.get(pattern) {
            return Ok(Ok(Rc::clone(regex)));
        }
        self.spend(PATTERN_STEPS + pattern.len())?;
        let compiled = Regex::new(pattern).map(Rc::new);
        if compiled.as_ref().map_or(Size::Large, |regex| regex.size()) == Size::Large {
            self.spend(LARGE_PATTERN_STEPS)?;
            patterns.clear();
        }
        if patterns.len() >= MOST_KEPT {
            patterns.clear();
        }
        if let Ok(regex) = &compiled {
            patterns.insert(pattern.to_owned(), Rc::clone(regex));
        }
        Ok(compiled)
    }
}

/// How many steps it takes at worst to compare something with the value.
pub(super) fn comparison(value: &Value) -> usize {
    fn parts(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(parts).sum::<usize>(),
            Value::Object(members) => 1 + members.iter().map(member_parts).sum::<usize>(),
            Value::String(text) => 1 + (text.len() >> 6),
            Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        }
    }
    fn member_parts((key, value): (&String, &Value)) -> usize {
        (key.len() >> 6) + parts(value)
    }
    1 + (parts(value) >> 4)
}

/// How many steps it takes to look each of these names up among others.
pub(super) fn lookups<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| 1 + (name.len() >> 5)).sum::<usize>() >> 2
}

/// As [`lookups`], of the keys of a map.
pub(super) fn keys(map: &Map<String, Value>) -> usize {
    lookups(map.keys().map(String::as_str))
}
