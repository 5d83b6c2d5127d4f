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
    /// `%x`: `0x1.8p+00`
    Hexadecimal,
    /// `%b`: `6755399441055744p-52`
    Binary,
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
        (Layout::Hexadecimal, precision) => hexadecimal(number, precision),
        (Layout::Binary, _) => {
            let (mantissa, exponent) = parts(number);
            format!("{}{mantissa}p{:+}", sign(number), exponent - FRACTION_BITS)
        }
    }
}

/// Bits of a float's mantissa behind the point.
const FRACTION_BITS: i32 = 52;

fn sign(number: f64) -> &'static str {
    if number.is_sign_negative() { "-" } else { "" }
}

/// The mantissa in units of its last bit, and the exponent of two of its first one.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let exponent = i32::try_from(bits >> FRACTION_BITS & 0x7ff).unwrap_or(0);
    if exponent == 0 { (fraction, -1022) } else { (fraction | 1 << FRACTION_BITS, exponent - 1023) }
}

/// One binary digit before the point, hexadecimal ones behind it.
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    const DIGITS: usize = 13;
    let (mut mantissa, mut exponent) = parts(number);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let leading = i32::try_from(mantissa.leading_zeros()).unwrap_or(0) - 11;
        mantissa <<= leading;
        exponent -= leading;
    }
    let digits = precision.unwrap_or(DIGITS).min(DIGITS);
    let cut = 4 * (DIGITS - digits);
    if cut > 0 {
        let (rest, half) = (mantissa & ((1 << cut) - 1), 1_u64 << (cut - 1));
        mantissa >>= cut;
        // To even, if it lies in the middle.
        mantissa += u64::from(rest > half || (rest == half && mantissa & 1 == 1));
    }
    if mantissa >> (4 * digits) > 1 {
        mantissa >>= 1;
        exponent += 1;
    }
    let fraction = mantissa & ((1 << (4 * digits)) - 1);
    let mut behind = if digits == 0 { String::new() } else { format!("{fraction:0digits$x}") };
    match precision {
        Some(precision) => behind.extend(std::iter::repeat_n('0', precision - digits)),
        None => behind.truncate(behind.trim_end_matches('0').len()),
    }
    let point = if behind.is_empty() { "" } else { "." };
    let (whole, direction) = (mantissa >> (4 * digits), if exponent < 0 { '-' } else { '+' });
    format!("{}0x{whole}{point}{behind}p{direction}{:02}", sign(number), exponent.unsigned_abs())
}

/// What the flag `#` adds: a point, and zeros up to so many digits, before the exponent.
pub(super) fn with_point(text: &str, digits: usize, is_hexadecimal: bool) -> String {
    let is_exponent = |c: char| if is_hexadecimal { c == 'p' } else { c == 'e' };
    let (number, exponent) = text.split_at(text.find(is_exponent).unwrap_or(text.len()));
    let unsigned = number.trim_start_matches(['-', '+']);
    let mut given = unsigned.trim_start_matches(['0', '.']).replace('.', "").len();
    let mut out = number.to_owned();
    if !number.contains('.') {
        given += usize::from(unsigned == "0");
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', digits.saturating_sub(given)));
    out + exponent
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
