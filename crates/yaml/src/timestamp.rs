//! Dates and times, as YAML 1.1 has them.

/// Whether a text is a date, or a date with a time, that exists.
pub(crate) fn is_timestamp(text: &str) -> bool {
    // Four digits and a dash, or it costs nothing to say no.
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((text.as_bytes()[at], &text[at + 1..]))),
        None => (text, None),
    };
    is_date(date) && time.is_none_or(|(separator, time)| is_time(separator, time))
}

fn is_date(text: &str) -> bool {
    let mut parts =
        text.split('-').map(|part| part.parse::<u16>().ok().filter(|_| part.len() <= 4));
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    let narrow = text.split('-').skip(1).all(|part| part.len() <= 2);
    narrow && (1..=days).contains(&day)
}

/// With `T` a zone must follow, with a space none may.
fn is_time(separator: u8, text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let zone_fits = match (separator, zone) {
        (b' ', None) => true,
        (b' ', Some(_)) | (_, None) => false,
        (_, Some("Z")) => true,
        (_, Some(offset)) => offset.starts_with(['+', '-']) && is_clock(&offset[1..], 2),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    zone_fits
        && is_clock(clock, 3)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_clock(text: &str, parts: usize) -> bool {
    let limits = [24, 60, 60];
    text.split(':').count() == parts
        && text.split(':').zip(limits).all(|(part, limit)| {
            (1..=2).contains(&part.len()) && part.parse::<u8>().is_ok_and(|value| value < limit)
        })
}

/// A date or time as Go's JSON prints it: in full, with the zone it has, or else in UTC.
pub(crate) fn rfc3339(text: &str) -> String {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, "0:0:0"),
    };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], &time[at..]),
        None => (time, "Z"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    // Go keeps nanoseconds, and prints no zeros at the end.
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    format!("{}T{}{point}{fraction}{zone}", padded(date, '-'), padded(clock, ':'))
}

/// Parts with at least two digits each.
fn padded(text: &str, separator: char) -> String {
    let parts: Vec<_> = text.split(separator).map(|part| format!("{part:0>2}")).collect();
    parts.join(&separator.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_of_go_is_no_time() {
        assert!(!is_timestamp("2006-01-02T15:04:05Z07:00"));
        assert!(is_timestamp("2006-01-02T15:04:05+07:00"));
    }

    #[test]
    fn dates_are_printed_in_full() {
        for (text, wanted) in [
            ("2001-1-2", "2001-01-02T00:00:00Z"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"),
            ("2001-12-15 2:59:43.0", "2001-12-15T02:59:43Z"),
            ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ] {
            assert!(is_timestamp(text), "{text}");
            assert_eq!(rfc3339(text), wanted);
        }
        for text in ["2001-13-01", "2001-02-29", "2001-1-1T1:2:3", "2001-1-1 1:2:3Z", "é001-1-1"] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
