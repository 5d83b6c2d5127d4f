//! Lists.

use go_template::{Call, CallError, Elem, Functions, List, Type, Value};

use crate::arguments::{any, int, items, ok};
use crate::convert::to_i64;
use crate::equal::deep_equal;
use crate::error::FunctionError;
use crate::truth::is_empty;

const ANY: Type = Type::Any;

pub(crate) fn register(f: &mut Functions) {
    building(f);
    taking_parts(f);
    filtering(f);
}

fn building(f: &mut Functions) {
    for name in ["list", "tuple"] {
        f.add_variadic(name, [ANY], |call, a| {
            call.make(a.len() * 24)?;
            ok(List::new(a.iter_mut().map(std::mem::take).collect()))
        });
    }
    for name in ["append", "push", "mustAppend", "mustPush"] {
        f.add(name, [ANY, ANY], |call, a| {
            let mut items = copied(call, any(a, 0), "push")?;
            items.push(any(a, 1).clone());
            ok(List::new(items))
        });
    }
    for name in ["prepend", "mustPrepend"] {
        f.add(name, [ANY, ANY], |call, a| {
            let rest = copied(call, any(a, 0), "prepend")?;
            let mut items = Vec::with_capacity(rest.len() + 1);
            items.push(any(a, 1).clone());
            items.extend(rest);
            ok(List::new(items))
        });
    }
    for name in ["reverse", "mustReverse"] {
        f.add(name, [ANY], |call, a| {
            let mut items = copied(call, any(a, 0), "find reverse")?;
            items.reverse();
            ok(List::new(items))
        });
    }
    f.add_variadic("concat", [ANY], |call, a| {
        let mut joined = Vec::new();
        for value in a.iter() {
            let list = list_or(value, |kind| FunctionError::NotConcatenable { kind })?;
            call.make(list.len() * 24)?;
            joined.extend(list.iter().cloned());
        }
        ok(if joined.is_empty() { List::nil(Elem::Any) } else { List::new(joined) })
    });
}

fn taking_parts(f: &mut Functions) {
    for name in ["first", "mustFirst"] {
        f.add(name, [ANY], |_, a| {
            Ok(list(any(a, 0), "find first")?.first().cloned().unwrap_or_default())
        });
    }
    for name in ["last", "mustLast"] {
        f.add(name, [ANY], |_, a| {
            Ok(list(any(a, 0), "find last")?.last().cloned().unwrap_or_default())
        });
    }
    for name in ["rest", "mustRest"] {
        f.add(name, [ANY], |call, a| {
            let list = list(any(a, 0), "find rest")?;
            part(call, list.split_first().map(|(_, rest)| rest))
        });
    }
    for name in ["initial", "mustInitial"] {
        f.add(name, [ANY], |call, a| {
            let list = list(any(a, 0), "find initial")?;
            part(call, list.split_last().map(|(_, rest)| rest))
        });
    }
    for name in ["slice", "mustSlice"] {
        f.add_variadic(name, [ANY, ANY], |call, a| slice(call, a));
    }
    for name in ["chunk", "mustChunk"] {
        f.add(name, [Type::INT, ANY], |call, a| chunk(call, int(a, 0), any(a, 1)));
    }
}

fn filtering(f: &mut Functions) {
    for name in ["compact", "mustCompact"] {
        f.add(name, [ANY], |call, a| {
            let mut items = copied(call, any(a, 0), "compact")?;
            items.retain(|item| !is_empty(item));
            ok(List::new(items))
        });
    }
    for name in ["uniq", "mustUniq"] {
        f.add(name, [ANY], |call, a| {
            let mut kept = Vec::new();
            for item in copied(call, any(a, 0), "find uniq")? {
                if !holds(call, &kept, &item)? {
                    kept.push(item);
                }
            }
            ok(List::new(kept))
        });
    }
    for name in ["without", "mustWithout"] {
        f.add_variadic(name, [ANY, ANY], |call, a| {
            let (whole, omitted) = a.split_first().unwrap_or((&Value::Nil, &[]));
            let mut kept = Vec::new();
            for item in copied(call, whole, "find without")? {
                if !holds(call, omitted, &item)? {
                    kept.push(item);
                }
            }
            ok(List::new(kept))
        });
    }
    for name in ["has", "mustHas"] {
        f.add(name, [ANY, ANY], |call, a| {
            if any(a, 1).is_nil() {
                return ok(false);
            }
            let list = list(any(a, 1), "find has")?;
            ok(holds(call, &list, any(a, 0))?)
        });
    }
}

fn list(value: &Value, action: &'static str) -> Result<List, FunctionError> {
    list_or(value, |kind| FunctionError::NotOn { action, kind })
}

fn list_or(
    value: &Value,
    error: impl FnOnce(&'static str) -> FunctionError,
) -> Result<List, FunctionError> {
    if value.is_nil() {
        return Err(FunctionError::NilDereference);
    }
    items(value).ok_or_else(|| error(value.kind_name()))
}

fn copied(
    call: &mut Call<'_>,
    value: &Value,
    action: &'static str,
) -> Result<Vec<Value>, CallError> {
    let list = list(value, action)?;
    call.make(list.len() * 24)?;
    Ok(list.to_vec())
}

/// Nothing of an empty list is Go's nil slice.
fn part(call: &mut Call<'_>, items: Option<&[Value]>) -> Result<Value, CallError> {
    match items {
        Some(items) => {
            call.make(items.len() * 24)?;
            ok(List::new(items.to_vec()))
        }
        None => ok(List::nil(Elem::Any)),
    }
}

fn holds(call: &mut Call<'_>, items: &[Value], wanted: &Value) -> Result<bool, CallError> {
    call.session.spend(items.len() as u64 >> 3)?;
    for item in items {
        if deep_equal(call, item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn slice(call: &mut Call<'_>, args: &[Value]) -> Result<Value, CallError> {
    let list = list_or(any(args, 0), |kind| FunctionError::NotSliceable { kind })?;
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |place: usize| usize::try_from(to_i64(any(args, place))).ok();
    let start = if args.len() > 1 { bound(1) } else { Some(0) };
    let end = if args.len() > 2 { bound(2) } else { Some(list.len()) };
    let items = start
        .zip(end)
        .and_then(|(start, end)| list.get(start..end))
        .ok_or(FunctionError::SliceBounds)?;
    call.make(items.len() * 24)?;
    ok(List::typed(list.elem(), items.to_vec()))
}

fn chunk(call: &mut Call<'_>, size: i64, value: &Value) -> Result<Value, CallError> {
    let list = list_or(value, |kind| FunctionError::NotChunkable { kind })?;
    // Go divides by it as a float; an empty list comes out right whatever the size.
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    if list.is_empty() {
        return ok(List::typed(Elem::AnyList, Vec::new()));
    }
    let size = size.ok_or(FunctionError::MakeSlice)?;
    call.make(list.len() * 48)?;
    let chunks = list.chunks(size).map(|items| Value::list(items.to_vec())).collect();
    ok(List::typed(Elem::AnyList, chunks))
}
