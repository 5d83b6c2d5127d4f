//! Which comments stand between two tokens, and to which collection they belong.

/// A comment between two tokens.
#[derive(Clone)]
pub(super) struct Found {
    /// What follows the `#`.
    pub(super) text: String,
    /// The column of the `#`, counted from 0.
    pub(super) column: usize,
    /// Whether it stands on the line of the token before it.
    pub(super) behind: bool,
    /// Whether a `:` or a `-` stands between that token and it.
    pub(super) after_indicator: bool,
}

/// The comments in `source[start..end]`, where no token is but indicators.
pub(super) fn between(source: &[u8], start: usize, end: usize) -> Vec<Found> {
    let mut found = Vec::new();
    let gap = source.get(start..end).unwrap_or_default();
    // Blocks end where a line starts.
    let line = &source[start.saturating_sub(column(source, start))..start.min(source.len())];
    let (mut behind, mut after_indicator) = (!line.trim_ascii().is_empty(), false);
    let mut at = 0;
    while let Some(byte) = gap.get(at) {
        match byte {
            b'\n' => (behind, after_indicator) = (false, false),
            b':' | b'-' | b'?' => after_indicator = true,
            b'#' => {
                let rest = &gap[at + 1..];
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                let text = String::from_utf8_lossy(&rest[..length]);
                let text = text.strip_suffix('\r').unwrap_or(&text).to_owned();
                let column = column(source, start + at);
                found.push(Found { text, column, behind, after_indicator });
                at += length;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The column of a byte, counted from 0.
pub(super) fn column(source: &[u8], at: usize) -> usize {
    let before = &source[..at.min(source.len())];
    before.iter().rev().take_while(|byte| **byte != b'\n').count()
}

/// How many of these comments still belong to a block that starts at `indent` and ends before a token
/// at `next`.
///
/// Flux: a comment that is as deep as what follows is the head of that; one that is deeper is the foot
/// of what was before (go-yaml v3, `yaml_parser_scan_comments`).
pub(super) fn belonging(comments: &[Found], indent: usize, next: usize) -> usize {
    let inside = |comment: &&Found| comment.column >= indent && comment.column != next;
    comments.iter().take_while(inside).count()
}
