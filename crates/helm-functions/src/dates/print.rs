//! Writing a time by a layout.

use std::fmt::Write as _;

use super::layout::{self, Element as E, OffsetForm};
use super::time::Time;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The name of a month, from 1 on.
pub(super) fn month(number: i8) -> &'static str {
    usize::try_from(number - 1).ok().and_then(|place| MONTHS.get(place)).unwrap_or(&"")
}

/// The name of a day of the week, Sunday being 0.
pub(super) fn weekday(number: i8) -> &'static str {
    usize::try_from(number).ok().and_then(|place| WEEKDAYS.get(place)).unwrap_or(&"")
}

/// The place of a name in its list, from 0 on, by its first letters or all of it; and its length.
pub(super) fn find(text: &str, long: bool, months: bool) -> Option<(usize, usize)> {
    let names: &[&str] = if months { &MONTHS } else { &WEEKDAYS };
    names.iter().enumerate().find_map(|(place, name)| {
        let name = if long { name } else { name.get(..3)? };
        let start = text.get(..name.len())?;
        start.eq_ignore_ascii_case(name).then_some((place, name.len()))
    })
}

/// Go's `Time.Format`.
pub(super) fn print(time: &Time, layout: &str) -> String {
    let (local, offset, zone) = time.local();
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while !rest.is_empty() {
        let (before, found, after) = layout::split(rest);
        out.push_str(before);
        rest = after;
        let Some((element, text)) = found else { break };
        let hour12 = match local.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        let day_of_year = local.date().day_of_year();
        let weekday_number = local.date().weekday().to_sunday_zero_offset();
        // Writing to a string cannot fail.
        let _ = match element {
            E::LongMonth => out.write_str(month(local.month())),
            E::Month => out.write_str(month(local.month()).get(..3).unwrap_or_default()),
            E::NumMonth => write!(out, "{}", local.month()),
            E::ZeroMonth => write!(out, "{:02}", local.month()),
            E::LongWeekday => out.write_str(weekday(weekday_number)),
            E::Weekday => out.write_str(weekday(weekday_number).get(..3).unwrap_or_default()),
            E::Day => write!(out, "{}", local.day()),
            E::UnderDay => write!(out, "{:2}", local.day()),
            E::ZeroDay => write!(out, "{:02}", local.day()),
            E::UnderYearDay => write!(out, "{day_of_year:3}"),
            E::ZeroYearDay => write!(out, "{day_of_year:03}"),
            E::Hour => write!(out, "{:02}", local.hour()),
            E::Hour12 => write!(out, "{hour12}"),
            E::ZeroHour12 => write!(out, "{hour12:02}"),
            E::Minute => write!(out, "{}", local.minute()),
            E::ZeroMinute => write!(out, "{:02}", local.minute()),
            E::Second => write!(out, "{}", local.second()),
            E::ZeroSecond => write!(out, "{:02}", local.second()),
            E::LongYear => {
                let year = local.year();
                write!(out, "{}{:04}", if year < 0 { "-" } else { "" }, year.unsigned_abs())
            }
            E::Year => write!(out, "{:02}", local.year().rem_euclid(100)),
            E::Pm => out.write_str(if local.hour() >= 12 { "PM" } else { "AM" }),
            E::SmallPm => out.write_str(if local.hour() >= 12 { "pm" } else { "am" }),
            E::ZoneName if zone.is_empty() => write_offset(
                &mut out,
                offset,
                OffsetForm { z: false, colons: false, minutes: true, seconds: false },
            ),
            E::ZoneName => out.write_str(&zone),
            E::Offset(form) => write_offset(&mut out, offset, form),
            E::Fraction(digits) | E::OptionalFraction(digits) => {
                let point = text.get(..1).unwrap_or(".");
                let optional = matches!(element, E::OptionalFraction(_));
                let nanos = format!("{:09}", local.subsec_nanosecond());
                let mut kept = nanos.get(..usize::from(digits).min(9)).unwrap_or(&nanos);
                if optional {
                    kept = kept.trim_end_matches('0');
                }
                if kept.is_empty() { Ok(()) } else { write!(out, "{point}{kept}") }
            }
        };
    }
    out
}

fn write_offset(out: &mut String, seconds: i32, form: OffsetForm) -> std::fmt::Result {
    if form.z && seconds == 0 {
        return out.write_char('Z');
    }
    let colon = if form.colons { ":" } else { "" };
    let size = seconds.unsigned_abs();
    write!(out, "{}{:02}", if seconds < 0 { '-' } else { '+' }, size / 3600)?;
    if form.minutes {
        write!(out, "{colon}{:02}", size / 60 % 60)?;
    }
    if form.seconds {
        write!(out, "{colon}{:02}", size % 60)?;
    }
    Ok(())
}
