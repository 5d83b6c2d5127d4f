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
