//! The functions that charts may call.

use std::sync::LazyLock;

use go_template::{CallError, Functions, List, Map, Type, Unbounded, Value};
use helm_chart::Rules;
use helm_functions::{Dialect, FunctionError};

/// Bytes that one part of a copied value takes, roughly.
const PART_BYTES: usize = 48;

/// The tables of functions, made once; what differs from rendering to rendering is in the session.
pub(crate) fn functions(rules: Rules) -> &'static Functions {
    static HELM_3: LazyLock<Functions> = LazyLock::new(|| table(Dialect::Helm3));
    static HELM_4: LazyLock<Functions> = LazyLock::new(|| table(Dialect::Helm4));
    match rules {
        Rules::Helm3 => &HELM_3,
        Rules::Helm4 => &HELM_4,
    }
}

/// Helm's functions; a copy of `.Values` must not share what it is a copy of.
fn table(dialect: Dialect) -> Functions {
    let mut functions = helm_functions::functions(dialect);
    for name in ["deepCopy", "mustDeepCopy"] {
        functions.add(name, [Type::Any], |call, args| {
            let value = args.first().filter(|value| !value.is_nil());
            let value = value.ok_or_else(|| CallError::of(FunctionError::ZeroValue))?;
            let mut parts = Unbounded::PARTS;
            let copy = deep_copy(value, Unbounded::DEPTH, &mut parts)?;
            call.make((Unbounded::PARTS - parts) * PART_BYTES)?;
            Ok(copy)
        });
    }
    functions
}

fn deep_copy(value: &Value, levels: usize, parts: &mut usize) -> Result<Value, Unbounded> {
    let below = levels.checked_sub(1).ok_or(Unbounded)?;
    *parts = parts.checked_sub(1).ok_or(Unbounded)?;
    Ok(match value {
        Value::List(list) if !list.is_nil() => {
            let items = list.iter().map(|item| deep_copy(item, below, parts));
            Value::List(List::typed(list.elem(), items.collect::<Result<_, _>>()?))
        }
        Value::Map(map) => {
            let entries = map.entries();
            let copies = entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), deep_copy(value, below, parts)?)));
            Value::Map(Map::typed(map.elem(), copies.collect::<Result<_, Unbounded>>()?))
        }
        Value::Object(object) => match object.underlying() {
            Value::Map(map) => deep_copy(&Value::Map(map), below, parts)?,
            _ => value.clone(),
        },
        plain => plain.clone(),
    })
}
