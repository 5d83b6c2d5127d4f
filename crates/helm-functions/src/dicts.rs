//! Maps, which are shared: `set`, `unset` and `merge` change them for everybody who holds them.

use std::borrow::Cow;

use go_template::{
    Call, CallError, Elem, Entries, Functions, List, Map, Str, Type, Unbounded, Value,
};

use crate::arguments::{any, map, ok, string};
use crate::convert::to_str;
use crate::error::FunctionError;
use crate::merge::{self, Overwrite};

const ANY: Type = Type::Any;
const M: Type = Type::MAP;
const S: Type = Type::String;

/// What a pair of a map takes, roughly.
const ENTRY_BYTES: usize = 96;

pub(crate) fn register(f: &mut Functions) {
    f.add_variadic("dict", [ANY], |call, a| {
        call.make(a.len() * 48)?;
        let pairs = a.chunks_mut(2).map(|pair| match pair {
            [key, value] => (to_str(key), std::mem::take(value)),
            [key, ..] => (to_str(key), Value::EMPTY),
            [] => (Str::default(), Value::Nil),
        });
        ok(Map::new(pairs.collect()))
    });
    f.add("get", [M, S], |_, a| Ok(map(a, 0).get(string(a, 1).as_bytes()).unwrap_or(Value::EMPTY)));
    f.add("set", [M, S, ANY], |call, a| {
        call.make(ENTRY_BYTES + string(a, 1).len())?;
        let target = map(a, 0);
        let value = a.get_mut(2).map(std::mem::take).unwrap_or_default();
        put(call, &target, string(a, 1).clone(), value)?;
        ok(target)
    });
    f.add("unset", [M, S], |_, a| {
        let target = map(a, 0);
        target.remove(string(a, 1).as_bytes());
        ok(target)
    });
    f.add("hasKey", [M, S], |_, a| ok(map(a, 0).contains_key(string(a, 1).as_bytes())));
    f.add_variadic("pluck", [S, M], |_, a| {
        let key = string(a, 0).as_bytes();
        ok(List::new((1..a.len()).filter_map(|place| map(a, place).get(key)).collect()))
    });
    f.add_variadic("keys", [M], |call, a| {
        let mut keys = Vec::new();
        for place in 0..a.len() {
            let entries = map(a, place).entries();
            call.make(entries.len() * 24)?;
            keys.extend(entries.keys().cloned());
        }
        ok(List::of_strings(keys))
    });
    f.add("values", [M], |call, a| {
        let entries = map(a, 0).entries();
        call.make(entries.len() * 24)?;
        ok(List::new(entries.values().cloned().collect()))
    });
    f.add_variadic("pick", [M, S], |_, a| {
        let source = map(a, 0);
        let picked = (1..a.len()).filter_map(|place| {
            let key = string(a, place);
            source.get(key.as_bytes()).map(|value| (key.clone(), value))
        });
        ok(Map::new(picked.collect()))
    });
    f.add_variadic("omit", [M, S], |call, a| {
        let mut entries = Entries::clone(&map(a, 0).entries());
        call.make(entries.len() * 48)?;
        for place in 1..a.len() {
            entries.remove(string(a, place).as_bytes());
        }
        ok(Map::new(entries))
    });
    for (name, overwrite) in [
        ("merge", Overwrite::No),
        ("mustMerge", Overwrite::No),
        ("mergeOverwrite", Overwrite::Yes),
        ("mustMergeOverwrite", Overwrite::Yes),
    ] {
        f.add_variadic(name, [M, M], move |call, a| {
            let mut target = map(a, 0);
            for place in 1..a.len() {
                let source = map(a, place);
                if target.is_nil() && !source.is_nil() {
                    target = Map::default();
                }
                merge::into(call, &target, &source, overwrite)?;
            }
            ok(target)
        });
    }
    for name in ["deepCopy", "mustDeepCopy"] {
        f.add(name, [ANY], |call, a| {
            if any(a, 0).is_nil() {
                return Err(FunctionError::ZeroValue.into());
            }
            let parts = &mut { Unbounded::PARTS };
            let copy = deep_copy(any(a, 0), Unbounded::DEPTH, parts)?;
            call.make((Unbounded::PARTS - *parts) * 48)?;
            Ok(copy)
        });
    }
    f.add_variadic("dig", [ANY], |_, a| dig(a));
}

/// Puts a value into a map and has it remembered if that may have closed a ring.
pub(crate) fn put(
    call: &mut Call<'_>,
    target: &Map,
    key: Str,
    value: Value,
) -> Result<(), FunctionError> {
    if target.is_nil() {
        return Err(FunctionError::NilMap);
    }
    let may_close_ring = matches!(value, Value::Map(_) | Value::List(_));
    target.insert(key, value);
    if may_close_ring {
        call.note_change(target);
    }
    Ok(())
}

fn deep_copy(
    value: &Value,
    levels_left: usize,
    parts_left: &mut usize,
) -> Result<Value, Unbounded> {
    let below = levels_left.checked_sub(1).ok_or(Unbounded)?;
    *parts_left = parts_left.checked_sub(1).ok_or(Unbounded)?;
    Ok(match value {
        Value::List(list) if !list.is_nil() => Value::List(List::typed(
            list.elem(),
            list.iter().map(|item| deep_copy(item, below, parts_left)).collect::<Result<_, _>>()?,
        )),
        Value::Map(map) if !map.is_nil() => Value::Map(Map::typed(
            map.elem(),
            map.entries()
                .iter()
                .map(|(key, value)| Ok((key.clone(), deep_copy(value, below, parts_left)?)))
                .collect::<Result<_, Unbounded>>()?,
        )),
        // A copy of `.Values` must not share what it is a copy of.
        Value::Object(object) => match object.underlying() {
            Value::Map(map) => deep_copy(&Value::Map(map), below, parts_left)?,
            _ => value.clone(),
        },
        other => other.clone(),
    })
}

/// `dig "a" "b" fallback dict`
fn dig(args: &[Value]) -> Result<Value, CallError> {
    let [keys @ .., fallback, whole] = args else {
        return Err(FunctionError::DigArguments.into());
    };
    if keys.is_empty() {
        return Err(FunctionError::DigArguments.into());
    }
    let as_map = |value: &Value| match value {
        Value::Map(map) if map.elem() == Elem::Any => Ok(map.clone()),
        other => Err(conversion(other, "map[string]interface {}")),
    };
    let mut current = as_map(whole)?;
    let keys: Vec<&Str> = keys
        .iter()
        .map(|key| match key {
            Value::Str(key) => Ok(key),
            other => Err(conversion(other, "string")),
        })
        .collect::<Result<_, _>>()?;
    for (i, key) in keys.iter().enumerate() {
        let Some(step) = current.get(key.as_bytes()) else { return Ok(fallback.clone()) };
        if i + 1 == keys.len() {
            return Ok(step);
        }
        current = as_map(&step)?;
    }
    Ok(fallback.clone())
}

fn conversion(value: &Value, wanted: &'static str) -> FunctionError {
    let is = if value.is_nil() { Cow::Borrowed("nil") } else { value.type_name() };
    FunctionError::Conversion { is, wanted }
}
