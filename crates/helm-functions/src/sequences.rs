//! Sequences of numbers.

use go_template::{Call, CallError, Elem, Functions, List, Type, Value};

use crate::arguments::{from_len, int, ok};

const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    f.add("until", [I], |call, a| {
        let end = int(a, 0);
        ok(ints(stepped(call, 0, end, if end < 0 { -1 } else { 1 })?))
    });
    f.add("untilStep", [I, I, I], |call, a| {
        ok(ints(stepped(call, int(a, 0), int(a, 1), int(a, 2))?))
    });
    f.add_variadic("seq", [I], |call, a| {
        let (start, step, end) = match *a {
            [_] => (1, None, int(a, 0)),
            [_, _] => (int(a, 0), None, int(a, 1)),
            [_, _, _] => (int(a, 0), Some(int(a, 1)), int(a, 2)),
            _ => return ok(""),
        };
        let direction = if end < start { -1 } else { 1 };
        if direction < 0 && step.is_some_and(|step| step > 0) {
            return ok("");
        }
        let numbers =
            stepped(call, start, end.saturating_add(direction), step.unwrap_or(direction))?;
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        ok(numbers.join(" "))
    });
}

/// A `[]int`.
fn ints(numbers: Vec<i64>) -> List {
    List::typed(Elem::Int, numbers.into_iter().map(Value::int).collect())
}

/// The numbers from `start` to before `end`; none if the step leads away from it.
fn stepped(call: &mut Call<'_>, start: i64, end: i64, by: i64) -> Result<Vec<i64>, CallError> {
    let distance = match (end < start, by) {
        (true, ..0) => start.abs_diff(end),
        (false, 1..) => end.abs_diff(start),
        _ => 0,
    };
    let count = match by.unsigned_abs() {
        0 => 0,
        by => usize::try_from(distance.div_ceil(by)).unwrap_or(usize::MAX),
    };
    call.make(count.saturating_mul(24))?;
    Ok((0..count).map(|i| start.wrapping_add(from_len(i).wrapping_mul(by))).collect())
}
