//! Text of a chart that is shown or kept: quoted, or without what a terminal would obey.

/// The text between double quotes, as Go's `%q` prints it.
pub(crate) fn quoted(text: &str) -> String {
    go_quote::double(text.as_bytes())
}

/// White space becomes a space, what cannot be printed is dropped: metadata must not carry
/// terminal escapes.
pub(crate) fn sanitized(text: &str) -> String {
    text.chars()
        .filter_map(
            |c| if c.is_whitespace() { Some(' ') } else { go_quote::is_print(c).then_some(c) },
        )
        .collect()
}

/// Go's `strconv.FormatFloat(f, 'g', -1, 64)`.
pub(crate) fn float_text(float: f64) -> String {
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return float.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
