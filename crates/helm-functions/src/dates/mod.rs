//! Dates: Go's time, its layouts and its time zones.

mod layout;
mod parse;
mod print;
mod time;

use go_duration::Duration;
use go_template::{Call, CallError, Functions, IntKind, Type, Value};

use crate::arguments::{Outcome, any, ok, text};
use crate::error::FunctionError;
use crate::host::helm;

pub use parse::ParseTimeError;
use time::{Time, Zone};

const ANY: Type = Type::Any;
const S: Type = Type::String;

fn time_type() -> Type {
    Type::Named(time::TYPE_NAME.into())
}

pub(crate) fn register(f: &mut Functions) {
    f.add("now", [], |call, _| Ok(Value::object(now(call)?)));
    f.add("date", [S, ANY], |call, a| print_in(call, &text(a, 0), any(a, 1), "Local"));
    for name in ["dateInZone", "date_in_zone"] {
        f.add(name, [S, ANY, S], |call, a| print_in(call, &text(a, 0), any(a, 1), &text(a, 2)));
    }
    f.add("htmlDate", [ANY], |call, a| print_in(call, "2006-01-02", any(a, 0), "Local"));
    f.add("htmlDateInZone", [ANY, S], |call, a| {
        print_in(call, "2006-01-02", any(a, 0), &text(a, 1))
    });
    for name in ["dateModify", "date_modify"] {
        f.add(name, [S, time_type()], |_, a| {
            Ok(shifted(&text(a, 0), any(a, 1)).unwrap_or_else(|_ignored| any(a, 1).clone()))
        });
    }
    for name in ["mustDateModify", "must_date_modify"] {
        f.add(name, [S, time_type()], |_, a| Ok(shifted(&text(a, 0), any(a, 1))?));
    }
    f.add("toDate", [S, S], |_, a| {
        let time = parse::parse(&text(a, 0), &text(a, 1)).unwrap_or_else(|_ignored| Time::zero());
        Ok(Value::object(time))
    });
    f.add("mustToDate", [S, S], |_, a| {
        let time = parse::parse(&text(a, 0), &text(a, 1)).map_err(FunctionError::from)?;
        Ok(Value::object(time))
    });
    f.add("unixEpoch", [time_type()], |_, a| {
        let seconds = any(a, 0).downcast::<Time>().map_or(0, Time::unix);
        ok(seconds.to_string())
    });
    f.add("ago", [ANY], |call, a| {
        let then = time_of(call, any(a, 0))?;
        let since = now(call)?.since(&then);
        ok(since.round(Duration::from_nanos(NANOS)).to_string())
    });
    f.add("duration", [ANY], |_, a| {
        let seconds = match any(a, 0) {
            Value::Str(text) => text.as_str().and_then(|text| text.parse().ok()).unwrap_or(0),
            Value::Int(seconds, IntKind::Int64) => *seconds,
            _ => 0,
        };
        ok(Duration::from_nanos(seconds.wrapping_mul(NANOS)).to_string())
    });
    f.add("durationRound", [ANY], |call, a| {
        let nanos = match any(a, 0) {
            Value::Str(text) => go_duration::parse(&text.to_text()).map_or(0, Duration::as_nanos),
            Value::Int(nanos, IntKind::Int64) => *nanos,
            other => match other.downcast::<Time>() {
                Some(then) => now(call)?.since(then).as_nanos(),
                None => 0,
            },
        };
        ok(rounded(nanos.unsigned_abs()))
    });
}

const NANOS: i64 = 1_000_000_000;

fn now(call: &mut Call<'_>) -> Result<Time, CallError> {
    Ok(Time::new(helm(call)?.now, Zone::Utc))
}

/// Flux: what is no time and no whole number means now.
fn time_of(call: &mut Call<'_>, value: &Value) -> Result<Time, CallError> {
    match value {
        Value::Int(seconds, IntKind::Int | IntKind::Int32 | IntKind::Int64) => {
            Ok(Time::from_unix(*seconds))
        }
        other => match other.downcast::<Time>() {
            Some(time) => Ok(time.clone()),
            None => now(call),
        },
    }
}

/// An unknown zone is UTC, and so is the local one.
fn print_in(call: &mut Call<'_>, layout: &str, value: &Value, zone: &str) -> Outcome {
    let time = time_of(call, value)?.within(Zone::load(zone).unwrap_or(Zone::Utc));
    call.make(layout.len().saturating_mul(8))?;
    ok(print::print(&time, layout))
}

fn shifted(by: &str, time: &Value) -> Result<Value, FunctionError> {
    let by = go_duration::parse(by)?;
    let time = time.downcast::<Time>().ok_or(FunctionError::NilDereference)?;
    Ok(Value::object(time.plus(by)))
}

/// In the largest unit that there is more than one of.
fn rounded(nanos: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    const HOUR: u64 = 3600 * SECOND;
    let units = [
        (365 * 24 * HOUR, "y"),
        (30 * 24 * HOUR, "mo"),
        (24 * HOUR, "d"),
        (HOUR, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ];
    match units.iter().find(|(unit, _)| nanos > *unit) {
        Some((unit, name)) => format!("{}{name}", nanos / unit),
        None => "0s".to_owned(),
    }
}

/// A TOML date or time as a time; its text if it is none.
pub(crate) fn from_toml(text: &str) -> Value {
    let layouts = [
        "2006-01-02T15:04:05.999999999Z07:00",
        "2006-01-02T15:04:05.999999999",
        "2006-01-02",
        "15:04:05.999999999",
    ];
    match layouts.iter().find_map(|layout| parse::parse(layout, text).ok()) {
        Some(time) => Value::object(time),
        None => Value::str(text),
    }
}
