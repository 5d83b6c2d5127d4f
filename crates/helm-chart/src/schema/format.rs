//! `format`, which drafts before 2019-09 assert, and meta-schemas.

use std::net::Ipv6Addr;

use semver_range::Version;

/// Whether the text is of the format, as anything is of one that is not known, and of `regex`.
///
/// # Errors
/// Why not, in the words of the library that Helm uses.
///
/// Differs: of malformed dates, times and IPv6 addresses it is only said that they are malformed.
pub(super) fn check(format: &str, text: &str) -> Result<(), String> {
    let malformed = |holds: bool| if holds { Ok(()) } else { Err("malformed".to_owned()) };
    match format {
        "ipv4" => ipv4(text).map_err(str::to_owned),
        "ipv6" if !text.contains(':') => Err("missing colon".to_owned()),
        "ipv6" => malformed(text.parse::<Ipv6Addr>().is_ok()),
        "hostname" => hostname(text),
        "email" => email(text),
        "date" => malformed(is_date(text)),
        "time" if text.len() < 9 => Err("less than 9 characters long".to_owned()),
        "time" => malformed(is_time(text)),
        "date-time" if text.len() < 20 => Err("less than 20 characters long".to_owned()),
        "date-time" => match text.split_at_checked(10) {
            Some((date, time)) => match time.strip_prefix(['T', 't']) {
                None => Err("11th character must be t or T".to_owned()),
                Some(time) => malformed(is_date(date) && is_time(time)),
            },
            None => malformed(false),
        },
        "uri" | "iri" => malformed_url(text).and_then(|()| {
            let scheme = text.split_once(':').map(|(scheme, _)| scheme);
            let relative = || Err("relative url".to_owned());
            scheme.filter(|scheme| is_scheme(scheme)).map_or_else(relative, |_| Ok(()))
        }),
        "uri-reference" | "iri-reference" if text.contains('\\') => Err("contains \\".to_owned()),
        "uri-reference" | "iri-reference" => malformed_url(text),
        "uuid" => uuid(text),
        "semver" => malformed(Version::parse_strict(text).is_ok()),
        "json-pointer" if !text.is_empty() && !text.starts_with('/') => {
            Err("not starting with /".to_owned())
        }
        _ => Ok(()),
    }
}

fn ipv4(text: &str) -> Result<(), &'static str> {
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() != 4 {
        return Err("expected four decimals");
    }
    for group in groups {
        if group.len() > 1 && group.starts_with('0') {
            return Err("leading zeros");
        }
        match group.parse::<i64>() {
            Ok(0..=255) => {}
            Ok(_) => return Err("decimal must be between 0 and 255"),
            Err(_) => return Err("invalid syntax"),
        }
    }
    Ok(())
}

fn hostname(text: &str) -> Result<(), String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return Err("more than 253 characters long".to_owned());
    }
    for label in text.split('.') {
        if !(1..=63).contains(&label.len()) {
            return Err("label must be 1 to 63 characters long".to_owned());
        }
        if label.starts_with('-') {
            return Err("label starts with hyphen".to_owned());
        }
        if label.ends_with('-') {
            return Err("label ends with hyphen".to_owned());
        }
        invalid_character(label, "-")?;
    }
    Ok(())
}

/// Objects to whatever is neither letter, digit nor one of `others`.
fn invalid_character(text: &str, others: &str) -> Result<(), String> {
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c)) {
        Some(c) => Err(format!("invalid character {}", go_quote::single(c, false))),
        None => Ok(()),
    }
}

fn email(text: &str) -> Result<(), String> {
    let Some((local, domain)) = text.rsplit_once('@') else { return Err("missing @".to_owned()) };
    if local.len() > 64 {
        return Err("local part more than 64 characters long".to_owned());
    }
    if local.len() < 2 || !local.starts_with('"') {
        for (holds, words) in [
            (!local.starts_with('.'), "starts with dot"),
            (!local.ends_with('.'), "ends with dot"),
            (!local.contains(".."), "consecutive dots"),
        ] {
            if !holds {
                return Err(words.to_owned());
            }
        }
        invalid_character(local, ".!#$%&'*+-/=?^_`{|}~")?;
    }
    match domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) {
        Some(address) if address.starts_with("IPv6:") => Ok(()),
        Some(address) => ipv4(address).map_err(|why| format!("invalid ipv4 address: {why}")),
        None => hostname(domain).map_err(|why| format!("invalid domain: {why}")),
    }
}

fn malformed_url(text: &str) -> Result<(), String> {
    let quoted = crate::quote::quoted(text);
    if text.contains(|c: char| c.is_ascii_control()) {
        return Err(format!("parse {quoted}: net/url: invalid control character in URL"));
    }
    if text.starts_with(':') {
        return Err(format!("parse {quoted}: missing protocol scheme"));
    }
    Ok(())
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn uuid(text: &str) -> Result<(), String> {
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != lengths.len() {
        return Err("must have 5 elements".to_owned());
    }
    for (place, (group, length)) in groups.iter().zip(lengths).enumerate() {
        if group.len() != length {
            return Err(format!("element {} must be {length} characters long", place + 1));
        }
        if let Some(c) = group.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(format!("non-hex character {}", go_quote::single(c, false)));
        }
    }
    Ok(())
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
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
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, None),
        None => match text.rfind(['+', '-']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => return false,
        },
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let fields: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = fields.as_slice() else { return false };
    let below = |text: &str, limit: u32| number(text, 2).is_some_and(|n| n < limit);
    let zone_holds = zone
        .is_none_or(|zone| zone.split_once(':').is_some_and(|(h, m)| below(h, 24) && below(m, 60)));
    below(hour, 24)
        && below(minute, 60)
        && below(second, 61)
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && zone_holds
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let well_formed = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| text.parse().ok()).flatten()
}
