//! `merge` and `mergeOverwrite`, by the rules of the mergo library.

use go_template::{Call, CallError, Map, Unbounded, Value};

use crate::dicts::put;

/// Whether what is there already gives way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    Yes,
    No,
}

/// Merges the pairs of `source` into `target`, in place. Values are shared, not copied.
pub(crate) fn into(
    call: &mut Call<'_>,
    target: &Map,
    source: &Map,
    overwrite: Overwrite,
) -> Result<(), CallError> {
    merge(call, target, source, overwrite, Unbounded::DEPTH)
}

fn merge(
    call: &mut Call<'_>,
    target: &Map,
    source: &Map,
    overwrite: Overwrite,
    levels_left: usize,
) -> Result<(), CallError> {
    let below = levels_left.checked_sub(1).ok_or(Unbounded)?;
    // What is nil gives way as a whole.
    if target.is(source) || target.is_nil() {
        return Ok(());
    }
    let entries = source.entries();
    call.session.spend(1 + (entries.len() as u64 >> 2))?;
    for (key, value) in entries.iter() {
        let present = target.get(key.as_bytes());
        match (value, &present) {
            (Value::Nil, _) => {
                if overwrite == Overwrite::Yes {
                    target.insert(key.clone(), Value::Nil);
                }
            }
            (Value::Map(from), Some(Value::Map(to))) => {
                merge(call, to, from, overwrite, below)?;
                // Both empty: the source's map takes the place.
                if to.is_empty() {
                    put(call, target, key.clone(), value.clone())?;
                }
            }
            (Value::List(_), Some(there)) if there.truth() => {
                if overwrite == Overwrite::Yes {
                    put(call, target, key.clone(), value.clone())?;
                }
            }
            (_, Some(there)) if there.truth() && overwrite == Overwrite::No => {}
            _ => put(call, target, key.clone(), value.clone())?,
        }
    }
    Ok(())
}
