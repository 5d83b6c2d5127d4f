//! Applies the operations of a JSON patch.

use serde_json::{Map, Value};

use super::{JsonPatchError, Options, StepError};
use crate::budget::weight;

/// Bytes that the copies of one patch may hold together.
const MAX_COPIED_BYTES: usize = 64 << 20;
/// Places that one step makes in a list.
const MAX_PLACES: usize = 1_000_000;

pub(super) fn apply(
    operations: &[Map<String, Value>],
    document: Value,
    options: Options,
) -> Result<Value, JsonPatchError> {
    let mut state = State { document, options, copied_bytes: 0 };
    for operation in operations {
        state.operation(operation)?;
    }
    Ok(state.document)
}

struct State {
    document: Value,
    options: Options,
    copied_bytes: usize,
}

impl State {
    fn operation(&mut self, operation: &Map<String, Value>) -> Result<(), JsonPatchError> {
        let text = |field: &str| operation.get(field).and_then(Value::as_str);
        let value = || operation.get("value").cloned().unwrap_or(Value::Null);
        let kind = text("op").unwrap_or("unknown");
        let path = |operation: &'static str, detail: &'static str| {
            text("path").ok_or(JsonPatchError::NoPath { operation, field: "path", detail })
        };
        let from = |operation: &'static str| {
            let detail = "operation, missing from field: ";
            text("from").ok_or(JsonPatchError::NoPath { operation, field: "from", detail })
        };
        let detail = "operation missing path field: ";
        match kind {
            "add" => self.add(path("add", "")?, value()),
            "remove" => self.remove(path("remove", "")?),
            "replace" => self.replace(path("replace", detail)?, value()),
            "test" => self.test(path("test", detail)?, operation.get("value")),
            "move" => {
                let from = from("move")?;
                let moved = self.take(from)?;
                self.put("move", path("move", detail)?, moved)
            }
            "copy" => {
                let copy = self.copy(from("copy")?)?;
                self.put("copy", path("copy", "")?, copy)
            }
            other => Err(JsonPatchError::UnknownKind { kind: other.to_owned() }),
        }
    }

    fn add(&mut self, path: &str, value: Value) -> Result<(), JsonPatchError> {
        if path.is_empty() && !self.options.version4 {
            self.document = value;
            return Ok(());
        }
        if self.options.ensure_path {
            self.ensure_path(path)?;
        }
        let options = self.options;
        let Some((parent, key)) = self.find(path) else {
            return Err(missing("add", "doc is missing path", &format!("\"{path}\"")));
        };
        insert(parent, &key, value, options).map_err(|problem| last_step("add", path, problem))
    }

    fn remove(&mut self, path: &str) -> Result<(), JsonPatchError> {
        let options = self.options;
        let Some((parent, key)) = self.find(path) else {
            if options.allow_missing_remove {
                return Ok(());
            }
            return Err(missing("remove", "doc is missing path", &format!("\"{path}\"")));
        };
        match delete(parent, &key, options) {
            Err(StepError::NoKey { .. } | StepError::NoIndex { .. })
                if options.allow_missing_remove =>
            {
                Ok(())
            }
            done => done.map(|_| ()).map_err(|problem| last_step("remove", path, problem)),
        }
    }

    fn replace(&mut self, path: &str, value: Value) -> Result<(), JsonPatchError> {
        if path.is_empty() {
            if !value.is_object() && !value.is_array() {
                return Err(JsonPatchError::ReplaceRoot);
            }
            self.document = value;
            return Ok(());
        }
        let options = self.options;
        let Some((parent, key)) = self.find(path) else {
            return Err(missing("replace", "doc is missing path", path));
        };
        if get(parent, &key, options).is_err() {
            return Err(missing("replace", "doc is missing key", path));
        }
        match parent {
            Value::Object(fields) => {
                fields.insert(key, value);
            }
            Value::Array(items) => {
                if let Some(slot) =
                    index(&key, items.len(), 0, options, "").ok().and_then(|at| items.get_mut(at))
                {
                    *slot = value;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn test(&mut self, path: &str, wanted: Option<&Value>) -> Result<(), JsonPatchError> {
        let failed = || JsonPatchError::TestFailed { path: path.to_owned() };
        let wanted = wanted.unwrap_or(&Value::Null);
        if path.is_empty() {
            return if self.document == *wanted { Ok(()) } else { Err(failed()) };
        }
        let options = self.options;
        let Some((parent, key)) = self.find(path) else {
            return Err(missing("test", "is missing path", path));
        };
        let found = match get(parent, &key, options) {
            Ok(found) => found.unwrap_or(&Value::Null),
            Err(StepError::NoKey { .. }) => &Value::Null,
            Err(problem) => return Err(last_step("test", path, problem)),
        };
        if found == wanted { Ok(()) } else { Err(failed()) }
    }

    fn take(&mut self, from: &str) -> Result<Value, JsonPatchError> {
        if from.is_empty() && !self.options.version4 {
            return Err(JsonPatchError::MoveRoot);
        }
        let options = self.options;
        let Some((parent, key)) = self.find(from) else {
            return Err(missing("move", "doc is missing from path", from));
        };
        get(parent, &key, options).map_err(|problem| last_step("move", &key, problem))?;
        delete(parent, &key, options).map_err(|problem| last_step("move", &key, problem))
    }

    fn copy(&mut self, from: &str) -> Result<Value, JsonPatchError> {
        let (options, before) = (self.options, self.copied_bytes);
        let quoted = if options.version4 { from.to_owned() } else { format!("\"{from}\"") };
        let Some((parent, key)) = self.find(from) else {
            return Err(missing("copy", "doc is missing from path", &quoted));
        };
        let found = get(parent, &key, options).map_err(|problem| JsonPatchError::LastStep {
            operation: "copy",
            field: "from",
            path: from.to_owned(),
            problem,
        })?;
        let found = found.unwrap_or(&Value::Null);
        let copied_bytes = before.saturating_add(weight(found));
        if copied_bytes > MAX_COPIED_BYTES {
            return Err(JsonPatchError::CopiesTooMuch { limit_bytes: MAX_COPIED_BYTES });
        }
        let copy = found.clone();
        self.copied_bytes = copied_bytes;
        Ok(copy)
    }

    fn put(
        &mut self,
        operation: &'static str,
        path: &str,
        value: Value,
    ) -> Result<(), JsonPatchError> {
        let options = self.options;
        let Some((parent, key)) = self.find(path) else {
            return Err(missing(operation, "doc is missing destination path", path));
        };
        insert(parent, &key, value, options).map_err(|problem| {
            if operation == "copy" {
                JsonPatchError::Copy(problem)
            } else {
                last_step(operation, path, problem)
            }
        })
    }

    /// The map or list that holds the end of a path, and the last name.
    fn find(&mut self, path: &str) -> Option<(&mut Value, String)> {
        let mut names = path.split('/').skip(1).map(unescape).peekable();
        let mut at = &mut self.document;
        loop {
            let name = names.next()?;
            if names.peek().is_none() {
                return (at.is_object() || at.is_array()).then_some((at, name));
            }
            at = match at {
                Value::Object(fields) => fields.get_mut(&name)?,
                Value::Array(items) => {
                    let at = index(&name, items.len(), 0, self.options, "").ok()?;
                    items.get_mut(at)?
                }
                _ => return None,
            };
        }
    }

    /// Makes the maps and lists that a path leads through.
    fn ensure_path(&mut self, path: &str) -> Result<(), JsonPatchError> {
        let names: Vec<&str> = path.split('/').skip(1).collect();
        let options = self.options;
        let mut at = &mut self.document;
        for pair in names.windows(2) {
            let [name, next] = pair else { break };
            let (key, next_index) = (unescape(name), next.parse::<i64>().ok());
            if !matches!(get(at, &key, options), Ok(Some(found)) if !found.is_null()) {
                if let (Value::Array(items), Ok(wanted)) = (&mut *at, key.parse::<usize>()) {
                    while items.len() < wanted.min(MAX_PLACES) {
                        items.push(Value::Null);
                    }
                }
                let made = if *next == "-" || next_index.is_some() {
                    let wanted = next_index.unwrap_or(0);
                    if wanted < 0 && !options.negative_indices {
                        let what = "invalid index";
                        return Err(JsonPatchError::EnsurePath { what, index: wanted });
                    }
                    if wanted < -1 {
                        let what = "negative index other than -1";
                        return Err(JsonPatchError::EnsurePath { what, index: wanted });
                    }
                    let length = usize::try_from(wanted.max(0)).unwrap_or(0).min(MAX_PLACES);
                    Value::Array(vec![Value::Null; length])
                } else {
                    Value::Object(Map::new())
                };
                if insert(at, &key, made, options).is_err() {
                    return Ok(());
                }
            }
            let step = match at {
                Value::Object(fields) => fields.get_mut(&key),
                Value::Array(items) => index(&key, items.len(), 0, options, "")
                    .ok()
                    .and_then(|place| items.get_mut(place)),
                _ => None,
            };
            let Some(step) = step else { return Ok(()) };
            at = step;
        }
        Ok(())
    }
}

fn missing(operation: &'static str, what: &'static str, path: &str) -> JsonPatchError {
    JsonPatchError::NothingThere { operation, what, path: path.to_owned() }
}

fn last_step(operation: &'static str, path: &str, problem: StepError) -> JsonPatchError {
    JsonPatchError::LastStep { operation, field: "path", path: path.to_owned(), problem }
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// The place that a name means in a list of this length.
fn index(
    name: &str,
    length: usize,
    beyond: usize,
    options: Options,
    prefix: &str,
) -> Result<usize, StepError> {
    let Ok(index) = name.parse::<i64>() else {
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}'{name}': ") };
        return Err(StepError::NotAnIndex { prefix, text: name.to_owned() });
    };
    let no_index = StepError::NoIndex { index };
    let length = length + beyond;
    match usize::try_from(index) {
        Ok(place) if place < length => Ok(place),
        Ok(_) => Err(no_index),
        Err(_) if !options.negative_indices => Err(no_index),
        Err(_) => {
            let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
            length.checked_sub(back).ok_or(no_index)
        }
    }
}

fn get<'a>(parent: &'a Value, key: &str, options: Options) -> Result<Option<&'a Value>, StepError> {
    if key.is_empty() && !options.version4 {
        return Ok(Some(parent));
    }
    match parent {
        Value::Object(fields) => match fields.get(key) {
            None if !options.version4 => {
                Err(StepError::NoKey { verb: "unable to get", key: key.to_owned() })
            }
            found => Ok(found),
        },
        Value::Array(items) => Ok(items.get(index(key, items.len(), 0, options, "")?)),
        _ => Ok(None),
    }
}

fn insert(parent: &mut Value, key: &str, value: Value, options: Options) -> Result<(), StepError> {
    match parent {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let prefix = "value was not a proper array index: ";
            let place = index(key, items.len(), 1, options, prefix)?;
            items.insert(place, value);
        }
        _ => {}
    }
    Ok(())
}

fn delete(parent: &mut Value, key: &str, options: Options) -> Result<Value, StepError> {
    match parent {
        Value::Object(fields) => fields.remove(key).ok_or_else(|| StepError::NoKey {
            verb: if options.version4 { "Unable to remove" } else { "unable to remove" },
            key: key.to_owned(),
        }),
        Value::Array(items) => {
            let place = index(key, items.len(), 0, options, "")?;
            Ok(items.remove(place))
        }
        _ => Ok(Value::Null),
    }
}
