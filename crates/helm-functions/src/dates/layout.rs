//! Go's reference time, by which layouts are written: Mon Jan 2 15:04:05 MST 2006.

/// An element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    /// `_2`: a space where a digit is missing.
    UnderDay,
    ZeroDay,
    /// `__2`
    UnderYearDay,
    /// `002`
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Pm,
    SmallPm,
    ZoneName,
    Offset(OffsetForm),
    /// `.000` or `,000`: so many digits.
    Fraction(u8),
    /// `.999`: so many digits, without zeros at the end.
    OptionalFraction(u8),
}

/// How an offset from UTC is written.
#[expect(clippy::struct_excessive_bools, reason = "each is a part that is there or not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetForm {
    /// `Z` for UTC.
    pub(super) z: bool,
    pub(super) colons: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// Splits at the first element: what stands before it, it and its text, and what follows.
pub(super) fn split(layout: &str) -> (&str, Option<(Element, &str)>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = layout.get(at..).unwrap_or_default();
        if let Some((element, length)) = element(rest) {
            let skip = usize::from(rest.starts_with("_2006"));
            let start = at + skip;
            return (
                layout.get(..start).unwrap_or_default(),
                Some((element, layout.get(start..start + length).unwrap_or_default())),
                layout.get(start + length..).unwrap_or_default(),
            );
        }
    }
    (layout, None, "")
}

fn element(rest: &str) -> Option<(Element, usize)> {
    use Element as E;
    let starts = |prefix: &str| rest.starts_with(prefix);
    let word = |prefix: &str| {
        starts(prefix)
            && !rest
                .get(prefix.len()..)
                .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let found = match rest.as_bytes().first()? {
        b'J' if starts("January") => (E::LongMonth, 7),
        b'J' if word("Jan") => (E::Month, 3),
        b'M' if starts("Monday") => (E::LongWeekday, 6),
        b'M' if starts("MST") => (E::ZoneName, 3),
        b'M' if word("Mon") => (E::Weekday, 3),
        b'0' if starts("002") => (E::ZeroYearDay, 3),
        b'0' => match rest.as_bytes().get(1)? {
            b'1' => (E::ZeroMonth, 2),
            b'2' => (E::ZeroDay, 2),
            b'3' => (E::ZeroHour12, 2),
            b'4' => (E::ZeroMinute, 2),
            b'5' => (E::ZeroSecond, 2),
            b'6' => (E::Year, 2),
            _ => return None,
        },
        b'1' if starts("15") => (E::Hour, 2),
        b'1' => (E::NumMonth, 1),
        b'2' if starts("2006") => (E::LongYear, 4),
        b'2' => (E::Day, 1),
        b'_' if starts("_2006") => (E::LongYear, 4),
        b'_' if starts("__2") => (E::UnderYearDay, 3),
        b'_' if starts("_2") => (E::UnderDay, 2),
        b'3' => (E::Hour12, 1),
        b'4' => (E::Minute, 1),
        b'5' => (E::Second, 1),
        b'P' if starts("PM") => (E::Pm, 2),
        b'p' if starts("pm") => (E::SmallPm, 2),
        b'-' | b'Z' => return offset(rest),
        b'.' | b',' => return fraction(rest),
        _ => return None,
    };
    Some(found)
}

fn offset(rest: &str) -> Option<(Element, usize)> {
    let z = rest.starts_with('Z');
    let digits = rest.get(1..)?;
    let forms = [
        ("070000", false, true),
        ("07:00:00", true, true),
        ("0700", false, false),
        ("07:00", true, false),
    ];
    for (text, colons, seconds) in forms {
        if digits.starts_with(text) {
            let form = OffsetForm { z, colons, minutes: true, seconds };
            return Some((Element::Offset(form), 1 + text.len()));
        }
    }
    let form = OffsetForm { z, colons: false, minutes: false, seconds: false };
    digits.starts_with("07").then_some((Element::Offset(form), 3))
}

/// Only behind it no digit may follow.
fn fraction(rest: &str) -> Option<(Element, usize)> {
    let bytes = rest.as_bytes();
    let digit = *bytes.get(1)?;
    if digit != b'0' && digit != b'9' {
        return None;
    }
    let count = bytes.iter().skip(1).take_while(|b| **b == digit).count();
    if bytes.get(1 + count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let digits = u8::try_from(count).ok()?;
    let element =
        if digit == b'0' { Element::Fraction(digits) } else { Element::OptionalFraction(digits) };
    Some((element, 1 + count))
}
