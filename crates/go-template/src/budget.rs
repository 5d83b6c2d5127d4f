//! What an execution may cost, and the state it carries.

use std::any::Any;
use std::collections::HashSet;

use crate::ast::VarId;
use crate::error::Exhausted;
use crate::exec::Slot;
use crate::value::{Map, Value};
use crate::weight::weigh;

/// Limits for everything that is executed in one [`Session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Commands, loop turns and 1 KiB pieces of text handled.
    pub steps: u64,
    /// Bytes of one template's output.
    pub output_bytes: usize,
    /// Bytes of one string, or 24 per list item, that a function may make.
    pub value_bytes: usize,
    /// Bytes that functions may make altogether.
    pub made_bytes: u64,
    /// Bytes of values and outputs that may be held at one moment. Looked at whenever functions
    /// made a tenth of it anew.
    pub held_bytes: usize,
    /// Executions within executions: `include` in `tpl` in `include` …
    ///
    /// Each takes some KiB of stack, which grows as needed.
    pub nesting: usize,
    /// Bytes of one template text.
    pub source_bytes: usize,
    /// Bytes that the parsed templates of a set may take; for who parses them to look after.
    pub parsed_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: 20_000_000,
            output_bytes: 32 << 20,
            value_bytes: 8 << 20,
            made_bytes: 1 << 30,
            held_bytes: 28 << 20,
            nesting: 4_000,
            source_bytes: 8 << 20,
            parsed_bytes: 48 << 20,
        }
    }
}

/// What a map gives for a key that it does not have (Go's option `missingkey`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// Nothing: it prints `<no value>`, and a field of it is nothing again (`default`, `invalid`).
    #[default]
    Invalid,
    /// The zero value of what the map holds (`zero`); Helm's setting.
    Zero,
    /// An error (`error`); Helm's strict mode.
    Error,
}

/// The changeable side of executing: what is left of the budget, and the host's own state.
///
/// One session serves all templates of one rendering, one after the other; templates and functions
/// are shared between threads, a session is not.
#[derive(Debug)]
pub struct Session {
    /// Go's option of that name.
    pub missing_key: MissingKey,
    pub(crate) budget: Budget,
    steps_left: u64,
    made_left: u64,
    /// Variables of all executions under way, innermost last.
    pub(crate) variables: Vec<(VarId, Slot)>,
    /// Bytes that arguments of calls under way hold, and outputs of the executions around.
    under_way: usize,
    /// Bytes that variables held when they were last looked at, and `made_left` then.
    held: usize,
    weighed_at: u64,
    nesting: usize,
    changed: Vec<Map>,
    state: Box<dyn Any>,
}

impl Session {
    /// A session whose functions need no state of the host.
    pub fn new(budget: Budget) -> Self {
        Self::with_state(budget, ())
    }

    /// A session with state that functions find again by [`Session::state`].
    pub fn with_state(budget: Budget, state: impl Any) -> Self {
        Self {
            missing_key: MissingKey::default(),
            budget,
            steps_left: budget.steps,
            made_left: budget.made_bytes,
            variables: Vec::with_capacity(8),
            under_way: 0,
            held: 0,
            weighed_at: budget.made_bytes,
            nesting: 0,
            changed: Vec::new(),
            state: Box::new(state),
        }
    }

    /// The host's state, if it is of this type.
    pub fn state<T: Any>(&mut self) -> Option<&mut T> {
        self.state.downcast_mut()
    }

    /// The limits.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Takes steps from the budget.
    ///
    /// # Errors
    /// [`Exhausted::Steps`]
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => Err(Exhausted::Steps { limit: self.budget.steps }),
        }
    }

    /// To be called before a function makes a string, or a list (24 bytes an item), of this size.
    ///
    /// # Errors
    /// [`Exhausted::Size`] if it is too large, [`Exhausted::Made`] if it is one too many.
    pub fn make(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if bytes > self.budget.value_bytes {
            return Err(Exhausted::Size { limit: self.budget.value_bytes });
        }
        match self.made_left.checked_sub(bytes as u64) {
            Some(left) => self.made_left = left,
            None => return Err(Exhausted::Made { limit: self.budget.made_bytes }),
        }
        self.spend(bytes as u64 >> 10)
    }

    /// Bytes that functions have made until now.
    pub(crate) fn made(&self) -> u64 {
        self.budget.made_bytes - self.made_left
    }

    /// Counts what is held while something else is evaluated, by variables of no one.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.under_way = self.under_way.saturating_add(bytes);
    }

    pub(crate) fn release(&mut self, bytes: usize) {
        self.under_way = self.under_way.saturating_sub(bytes);
    }

    /// Looks at what is held, if much was made since the last time.
    ///
    /// # Errors
    /// [`Exhausted::Held`], or [`Exhausted::Steps`] for looking too often.
    pub(crate) fn check_held(&mut self, output: usize) -> Result<(), Exhausted> {
        let limit = self.budget.held_bytes;
        let others = self.under_way.saturating_add(output);
        let is_due = self.weighed_at - self.made_left > limit as u64 / 10;
        if is_due || self.held.saturating_add(others) > limit {
            self.weighed_at = self.made_left;
            let weight = weigh(self.variables.iter().map(|(_, slot)| &slot.value), limit);
            self.held = weight.bytes;
            self.spend(weight.parts >> 1)?;
            if self.held.saturating_add(others) > limit {
                return Err(Exhausted::Held { limit });
            }
        }
        Ok(())
    }

    pub(crate) fn enter(&mut self) -> Result<(), Exhausted> {
        if self.nesting >= self.budget.nesting {
            return Err(Exhausted::Nesting { limit: self.budget.nesting });
        }
        self.nesting += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.nesting -= 1;
    }

    /// Remembers a map that was given a container to hold: it may now contain itself.
    pub(crate) fn note_change(&mut self, map: &Map) {
        // Limit: when so many were changed, the oldest are forgotten and may leak if they are rings.
        const REMEMBERED: usize = 100_000;
        if self.changed.len() < REMEMBERED && !self.changed.last().is_some_and(|last| last.is(map))
        {
            self.changed.push(map.clone());
        }
    }
}

impl Drop for Session {
    /// Opens rings of maps that hold each other, which reference counting would never free.
    fn drop(&mut self) {
        let mut seen = HashSet::new();
        for map in std::mem::take(&mut self.changed) {
            if seen.insert(map.address()) && reaches_itself(&map) {
                map.clear();
            }
        }
    }
}

fn reaches_itself(start: &Map) -> bool {
    let mut seen = HashSet::new();
    let mut pending: Vec<Value> = start.entries().values().cloned().collect();
    // Limit: gives up beyond so many values, as if there were no ring.
    for _ in 0..1_000_000 {
        match pending.pop() {
            None => return false,
            Some(Value::Map(map)) => {
                if map.is(start) {
                    return true;
                }
                if seen.insert(map.address()) {
                    pending.extend(map.entries().values().filter(|v| holds_values(v)).cloned());
                }
            }
            Some(Value::List(list)) => {
                pending.extend(list.iter().filter(|v| holds_values(v)).cloned());
            }
            Some(Value::Object(object)) => pending.extend(object.view_of().map(Value::Map)),
            Some(_) => {}
        }
    }
    false
}

fn holds_values(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_) | Value::Object(_))
}
