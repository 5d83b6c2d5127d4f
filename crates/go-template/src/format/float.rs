//! Floating-point numbers as `strconv.FormatFloat` writes them.

/// How a float is laid out; the names are Go's verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `%e`: `1.5e+06`
    Exponent,
    /// `%f`: `1500000`
    Plain,
    /// `%g`: whichever of the two is shorter.
    Shorter,
}

/// A float with so many digits after the point (`%g`: digits in all), or as few as tell it apart.
pub fn float(number: f64, layout: Layout, precision: Option<usize>) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match (layout, precision) {
        (Layout::Plain, None) => format!("{number}"),
        (Layout::Plain, Some(precision)) => format!("{number:.precision$}"),
        (Layout::Exponent, None) => exponent_form(&format!("{number:e}")),
        (Layout::Exponent, Some(precision)) => exponent_form(&format!("{number:.precision$e}")),
        (Layout::Shorter, None) => shortest(number),
        (Layout::Shorter, Some(precision)) => general(number, precision.max(1)),
    }
}

/// `%v` of a float: as few digits as tell it apart, and an exponent if it is below -4 or
/// above 5.
pub fn shortest(number: f64) -> String {
    if number.is_nan() || number.is_infinite() {
        return float(number, Layout::Plain, None);
    }
    let scientific = format!("{number:e}");
    let exponent = exponent_of(&scientific);
    if (-4..EXPONENT_FROM).contains(&exponent) {
        format!("{number}")
    } else {
        exponent_form(&scientific)
    }
}

/// Exponents from here on are written, if the number of digits was not asked for.
const EXPONENT_FROM: i32 = 6;

/// `%g` with a precision: trailing zeros go.
fn general(number: f64, digits: usize) -> String {
    let scientific = format!("{number:.*e}", digits - 1);
    let exponent = exponent_of(&scientific);
    let (mantissa, _) = scientific.split_once('e').unwrap_or((&scientific, ""));
    let significant = significant_digits(mantissa);
    // Go compares with the digits that are left if the whole part has all of them.
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    let limit = if digits > significant && significant >= whole { significant } else { digits };
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= limit {
        return exponent_form(&format!("{}e{exponent}", trim_zeros(mantissa)));
    }
    let decimals =
        usize::try_from(i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent).unwrap_or(0);
    trim_zeros(&format!("{number:.decimals$}")).to_owned()
}

fn significant_digits(mantissa: &str) -> usize {
    trim_zeros(mantissa).bytes().filter(u8::is_ascii_digit).count()
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn exponent_of(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

/// Rust writes `1.5e6`, Go `1.5e+06`.
fn exponent_form(scientific: &str) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific.to_owned();
    };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}
