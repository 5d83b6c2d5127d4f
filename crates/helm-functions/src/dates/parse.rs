//! Reading a time by a layout.

use go_duration::Duration;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::layout::{self, Element as E, OffsetForm};
use super::print;
use super::time::{Time, Zone};

/// Why a text is no time of the layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTimeError {
    /// A part does not fit the layout.
    #[error(
        "parsing time {} as {}: cannot parse {} as {}",
        quoted(.value), quoted(.layout), quoted(.part), quoted(.element)
    )]
    #[expect(missing_docs, reason = "the message says it")]
    Mismatch { value: String, layout: String, part: String, element: String },
    /// A part is no such number: a 13th month.
    #[error("parsing time {}: {part} out of range", quoted(.value))]
    #[expect(missing_docs, reason = "the message says it")]
    OutOfRange { value: String, part: &'static str },
    /// There is more text than layout.
    #[error("parsing time {}: extra text: {}", quoted(.value), quoted(.rest))]
    #[expect(missing_docs, reason = "the message says it")]
    Extra { value: String, rest: String },
}

fn quoted(text: &str) -> String {
    go_quote::double(text.as_bytes())
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    pm: Option<bool>,
    offset: Option<i32>,
    zone_name: String,
    is_utc: bool,
}

/// Why an element could not be read.
enum Fault {
    Mismatch,
    OutOfRange(&'static str),
}

/// Go's `time.ParseInLocation` in UTC.
///
/// # Errors
/// [`ParseTimeError`]
pub(super) fn parse(layout: &str, value: &str) -> Result<Time, ParseTimeError> {
    let mut parts = Parts::default();
    let (mut layout_rest, mut rest) = (layout, value);
    let mismatch = |part: &str, element: &str| ParseTimeError::Mismatch {
        value: value.to_owned(),
        layout: layout.to_owned(),
        part: part.to_owned(),
        element: element.to_owned(),
    };
    let out_of_range =
        |part: &'static str| ParseTimeError::OutOfRange { value: value.to_owned(), part };
    loop {
        let (before, found, after) = layout::split(layout_rest);
        rest = skip(rest, before).map_err(|part| mismatch(part, before))?;
        let Some((element, text)) = found else { break };
        layout_rest = after;
        rest = parts.read(element, rest, after).map_err(|fault| match fault {
            Fault::Mismatch => mismatch(rest, text),
            Fault::OutOfRange(part) => out_of_range(part),
        })?;
    }
    if !rest.is_empty() {
        return Err(ParseTimeError::Extra { value: value.to_owned(), rest: rest.to_owned() });
    }
    parts.time().map_err(out_of_range)
}

/// Skips text of the layout; runs of spaces match any number of them.
fn skip<'v>(value: &'v str, prefix: &str) -> Result<&'v str, &'v str> {
    let (mut value, mut prefix) = (value, prefix);
    while let Some(c) = prefix.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c).ok_or(value)?;
        prefix = prefix.get(c.len_utf8()..).unwrap_or_default();
    }
    Ok(value)
}

/// One or two digits, or exactly two.
fn number(text: &str, exactly_two: bool) -> Result<(i8, &str), Fault> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits == 0 || exactly_two && digits < 2 {
        return Err(Fault::Mismatch);
    }
    let (digits, rest) = text.split_at(digits);
    Ok((digits.parse().map_err(|_not_a_number| Fault::Mismatch)?, rest))
}

impl Parts {
    /// Reads an element and returns what follows it.
    fn read<'v>(&mut self, element: E, value: &'v str, after: &str) -> Result<&'v str, Fault> {
        let named = |long: bool, months: bool| {
            let (place, length) = print::find(value, long, months).ok_or(Fault::Mismatch)?;
            let number = i8::try_from(place).unwrap_or(0);
            Ok((number, value.get(length..).unwrap_or_default()))
        };
        let rest = match element {
            E::Year => {
                let (year, rest) = number(value, true)?;
                self.year = i16::from(year) + if year >= 69 { 1900 } else { 2000 };
                rest
            }
            E::LongYear => {
                let digits = value.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
                self.year = digits.and_then(|d| d.parse().ok()).ok_or(Fault::Mismatch)?;
                value.get(4..).unwrap_or_default()
            }
            E::LongMonth | E::Month => {
                let (place, rest) = named(element == E::LongMonth, true)?;
                self.month = Some(place + 1);
                rest
            }
            E::NumMonth | E::ZeroMonth => {
                let (month, rest) = number(value, element == E::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Fault::OutOfRange("month"));
                }
                self.month = Some(month);
                rest
            }
            E::LongWeekday | E::Weekday => named(element == E::LongWeekday, false)?.1,
            E::Day | E::UnderDay | E::ZeroDay => {
                let value = match element {
                    E::UnderDay => value.strip_prefix(' ').unwrap_or(value),
                    _ => value,
                };
                let (day, rest) = number(value, element == E::ZeroDay)?;
                self.day = Some(day);
                rest
            }
            E::UnderYearDay | E::ZeroYearDay => {
                let text =
                    if element == E::UnderYearDay { value.trim_start_matches(' ') } else { value };
                let digits = text.bytes().take(3).take_while(u8::is_ascii_digit).count();
                let (digits, rest) = text.split_at(digits);
                self.day_of_year = Some(digits.parse().map_err(|_none| Fault::Mismatch)?);
                rest
            }
            E::Hour => {
                let (hour, rest) = number(value, false)?;
                self.hour = within(hour, 23, "hour")?;
                rest
            }
            E::Hour12 | E::ZeroHour12 => {
                let (hour, rest) = number(value, element == E::ZeroHour12)?;
                self.hour = within(hour, 12, "hour")?;
                rest
            }
            E::Minute | E::ZeroMinute => {
                let (minute, rest) = number(value, element == E::ZeroMinute)?;
                self.minute = within(minute, 59, "minute")?;
                rest
            }
            E::Second | E::ZeroSecond => self.read_second(element, value, after)?,
            E::Pm | E::SmallPm => {
                let (pm, am) = if element == E::Pm { ("PM", "AM") } else { ("pm", "am") };
                self.pm = Some(match value.get(..2) {
                    Some(text) if text == pm => true,
                    Some(text) if text == am => false,
                    _ => return Err(Fault::Mismatch),
                });
                value.get(2..).unwrap_or_default()
            }
            E::Offset(form) => self.read_offset(form, value)?,
            E::ZoneName => self.read_zone_name(value)?,
            E::Fraction(digits) => {
                let length = 1 + usize::from(digits);
                let text = value.get(..length).ok_or(Fault::Mismatch)?;
                self.nanosecond = nanoseconds(text).ok_or(Fault::Mismatch)?;
                value.get(length..).unwrap_or_default()
            }
            E::OptionalFraction(_) => self.read_fraction(value),
        };
        Ok(rest)
    }

    /// A fraction may follow the seconds even if the layout has none.
    fn read_second<'v>(
        &mut self,
        element: E,
        value: &'v str,
        after: &str,
    ) -> Result<&'v str, Fault> {
        let (second, rest) = number(value, element == E::ZeroSecond)?;
        self.second = within(second, 59, "second")?;
        let next = layout::split(after).1.map(|(next, _)| next);
        if matches!(next, Some(E::Fraction(_) | E::OptionalFraction(_))) {
            return Ok(rest);
        }
        Ok(self.read_fraction(rest))
    }

    fn read_fraction<'v>(&mut self, value: &'v str) -> &'v str {
        let digits = match value.strip_prefix(['.', ',']) {
            Some(rest) => rest.bytes().take_while(u8::is_ascii_digit).count(),
            None => 0,
        };
        if digits == 0 {
            return value;
        }
        let (text, rest) = value.split_at(1 + digits);
        self.nanosecond = nanoseconds(text).unwrap_or(0);
        rest
    }

    fn read_offset<'v>(&mut self, form: OffsetForm, value: &'v str) -> Result<&'v str, Fault> {
        if form.z
            && let Some(rest) = value.strip_prefix('Z')
        {
            self.is_utc = true;
            return Ok(rest);
        }
        let sign = match value.as_bytes().first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(Fault::Mismatch),
        };
        let mut rest = value.get(1..).unwrap_or_default();
        let mut seconds = 0;
        for (wanted, unit, most, part) in [
            (true, 3600, 24, "time zone offset hour"),
            (form.minutes, 60, 60, "time zone offset minute"),
            (form.seconds, 1, 60, "time zone offset second"),
        ] {
            if !wanted {
                break;
            }
            if unit != 3600 && form.colons {
                rest = rest.strip_prefix(':').ok_or(Fault::Mismatch)?;
            }
            let (count, after) = number(rest, true)?;
            seconds += i32::from(within(count, most, part)?) * unit;
            rest = after;
        }
        self.offset = Some(sign * seconds);
        Ok(rest)
    }

    /// `UTC`, `CEST`, `GMT+3`: three to five capitals; only of `UTC` and `GMT` the meaning is
    /// known here.
    fn read_zone_name<'v>(&mut self, value: &'v str) -> Result<&'v str, Fault> {
        if let Some(rest) = value.strip_prefix("UTC") {
            self.is_utc = true;
            return Ok(rest);
        }
        let capitals = value.bytes().take_while(u8::is_ascii_uppercase).count();
        let mut length = match capitals {
            3 => 3,
            4 if value.get(3..4) == Some("T") || value.starts_with("WITA") => 4,
            5 if value.get(4..5) == Some("T") => 5,
            _ => return Err(Fault::Mismatch),
        };
        if value.starts_with("GMT") {
            let tail = value.get(3..).unwrap_or_default();
            let digits = match tail.strip_prefix(['+', '-']) {
                Some(digits) => digits.bytes().take(2).take_while(u8::is_ascii_digit).count(),
                None => 0,
            };
            let hours: i32 = tail
                .get(..=digits)
                .filter(|_| digits > 0)
                .and_then(|t| t.parse().ok())
                .unwrap_or(0);
            if hours != 0 {
                length = 4 + digits;
                self.offset = Some(hours * 3600);
            }
        }
        let (name, rest) = value.split_at(length);
        name.clone_into(&mut self.zone_name);
        Ok(rest)
    }

    fn time(self) -> Result<Time, &'static str> {
        let hour = match (self.pm, self.hour) {
            (Some(true), hour) if hour < 12 => hour + 12,
            (Some(false), 12) => 0,
            (_, hour) => hour,
        };
        let date = self.date()?;
        let local = DateTime::from_parts(
            date,
            jiff::civil::Time::new(hour, self.minute, self.second, self.nanosecond)
                .map_err(|_range| "hour")?,
        );
        let moment = Offset::UTC.to_timestamp(local).map_err(|_range| "year")?;
        let time = Time::new(moment, Zone::Utc);
        if self.is_utc {
            return Ok(time);
        }
        let offset = self.offset.unwrap_or(0);
        if offset == 0 && self.zone_name.is_empty() {
            return Ok(time);
        }
        let shift = Duration::from_nanos(-i64::from(offset) * 1_000_000_000);
        Ok(time.plus(shift).within(Zone::Fixed(offset, self.zone_name)))
    }

    fn date(&self) -> Result<Date, &'static str> {
        if let (Some(day), None, None) = (self.day_of_year, self.month, self.day) {
            let first = Date::new(self.year, 1, 1).map_err(|_range| "year")?;
            let date = first.with().day_of_year(day).build();
            return date.map_err(|_range| "day-of-year");
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        Date::new(self.year, month, day).map_err(|_range| "day")
    }
}

fn within(number: i8, most: i8, part: &'static str) -> Result<i8, Fault> {
    if number <= most { Ok(number) } else { Err(Fault::OutOfRange(part)) }
}

/// `.5` is 500 000 000; digits beyond the ninth are dropped.
fn nanoseconds(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['.', ','])?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{:0<9}", digits.get(..9).unwrap_or(digits)).parse().ok()
}
