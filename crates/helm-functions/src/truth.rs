//! Emptiness, defaults and choices.

use go_template::{Functions, Type, Value};

use crate::arguments::any;
use crate::arguments::ok;

const ANY: Type = Type::Any;

pub(crate) fn register(f: &mut Functions) {
    f.add_variadic("default", [ANY, ANY], |_, a| {
        Ok(match a {
            [_, given, ..] if !is_empty(given) => std::mem::take(given),
            [fallback, ..] => std::mem::take(fallback),
            [] => Value::Nil,
        })
    });
    f.add("empty", [ANY], |_, a| ok(is_empty(any(a, 0))));
    f.add_variadic("coalesce", [ANY], |_, a| {
        Ok(a.iter_mut().find(|value| !is_empty(value)).map(std::mem::take).unwrap_or_default())
    });
    f.add_variadic("all", [ANY], |_, a| ok(!a.iter().any(is_empty)));
    f.add_variadic("any", [ANY], |_, a| ok(!a.iter().all(is_empty)));
    f.add("ternary", [ANY, ANY, Type::Bool], |_, a| {
        let place = usize::from(!any(a, 2).truth());
        Ok(a.get_mut(place).map(std::mem::take).unwrap_or_default())
    });
}

/// sprig's `empty`: the zero of its type, or nothing in it. Structs never are.
pub(crate) fn is_empty(value: &Value) -> bool {
    !value.truth()
}
