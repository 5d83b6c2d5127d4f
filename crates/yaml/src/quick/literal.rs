//! Literal and folded blocks.

use super::lines::Lines;
use super::scalar;

/// What becomes of the line ends at the end of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// The block within something at the column `parent`, whose lines come next; `header` begins with
/// `|` or `>`.
pub(super) fn block(header: &str, parent: usize, lines: &mut Lines<'_>) -> Option<String> {
    let folds = header.starts_with('>');
    let (chomp, after) = match header.as_bytes().get(1) {
        Some(b'-') => (Chomp::Strip, &header[2..]),
        Some(b'+') => (Chomp::Keep, &header[2..]),
        _ => (Chomp::Clip, &header[1..]),
    };
    if !scalar::is_end(after) {
        return None;
    }
    let mut out = String::new();
    // Line ends that count only if another line follows.
    let mut breaks = 0;
    let mut indent = None;
    let mut deepest_blank = 0;
    let mut after_blank = true;
    while let Some((line, next)) = lines.line() {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let Some(column) = indent else {
            if spaces == line.len() {
                deepest_blank = deepest_blank.max(spaces);
                breaks += 1;
                lines.go_to(next);
                continue;
            }
            // What comes first says how deep the block is, and blank lines before it have a say.
            if spaces <= parent || deepest_blank > spaces || line.as_bytes()[spaces] == b'\t' {
                return None;
            }
            indent = Some(spaces);
            continue;
        };
        if spaces == line.len() && spaces <= column {
            breaks += 1;
        } else if spaces < column {
            // A tab where indentation should be is an error or none, which is not for here.
            if line.as_bytes()[spaces] == b'\t' {
                return None;
            }
            break;
        } else {
            let text = &line[column..];
            let begins_blank = text.starts_with([' ', '\t']);
            if !folds || after_blank || begins_blank {
                out.extend(std::iter::repeat_n('\n', breaks));
            } else if breaks == 1 {
                out.push(' ');
            } else {
                out.extend(std::iter::repeat_n('\n', breaks - 1));
            }
            out.push_str(text);
            after_blank = begins_blank;
            breaks = 1;
        }
        lines.go_to(next);
    }
    indent?;
    match chomp {
        Chomp::Strip => {}
        _ if lines.is_unfinished() => {
            // Only a last line that belongs to the block is without its end.
            if chomp == Chomp::Keep || breaks > 1 {
                return None;
            }
        }
        Chomp::Clip => out.push('\n'),
        Chomp::Keep => out.extend(std::iter::repeat_n('\n', breaks)),
    }
    Some(out)
}
