//! Scalars: which style a text allows, and how each style is written.

use super::printer::{Printer, Style as PrinterStyle};

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// What a text allows.
#[expect(clippy::struct_excessive_bools, reason = "one for each style, and one for keys")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) multiline: bool,
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Shape {
    /// Looks at every character of a text.
    pub(crate) fn of(text: &str, style: PrinterStyle) -> Self {
        if text.is_empty() {
            return Self { plain: true, single_quoted: true, ..Self::default() };
        }
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut multiline, mut tabs, mut special) = (false, false, false);
        let (mut break_then_space, mut space_then_break) = (false, false);
        let (mut after_space, mut after_break, mut after_blank) = (false, false, true);
        let mut chars = text.chars().peekable();
        let mut is_first = true;
        while let Some(c) = chars.next() {
            let before_blank = chars.peek().is_none_or(|next| is_blank(*next));
            indicators |= match c {
                '?' | '-' => is_first && before_blank,
                ':' => before_blank,
                '#' => after_blank,
                _ => is_first && ",[]{}&*!|>'\"%@`".contains(c),
            };
            if c == '\t' && style.tabs_in_blocks {
                tabs = true;
            } else if !is_printable(c) {
                special = true;
            }
            if c == ' ' {
                break_then_space |= after_break;
            } else if is_break(c) {
                multiline = true;
                space_then_break |= after_space;
            }
            after_space = c == ' ';
            after_break = is_break(c);
            after_blank = is_blank(c) || after_break || c == '\0';
            is_first = false;
        }
        let ends = |c: char| c == ' ' || is_break(c);
        let open_ended = text.starts_with(ends) || text.ends_with(ends);
        let unwritable = space_then_break || special;
        Self {
            multiline,
            plain: !(indicators
                || open_ended
                || break_then_space
                || multiline
                || tabs
                || unwritable),
            single_quoted: !(break_then_space || tabs || unwritable),
            block: !(text.ends_with(' ') || unwritable),
        }
    }
}

/// Writes a scalar in the style that is asked for, or in the next one that the text allows.
pub(crate) fn write(text: &str, style: Style, shape: Shape, is_key: bool, to: &mut Printer) {
    write_with(text, style, shape, is_key, None, to);
}

/// As [`write`], with a comment for the first line of a block. Tells whether it was written.
pub(crate) fn write_with(
    text: &str,
    style: Style,
    shape: Shape,
    is_key: bool,
    header: Option<&str>,
    to: &mut Printer,
) -> bool {
    let mut style = if is_key && shape.multiline { Style::DoubleQuoted } else { style };
    if style == Style::Plain && !(shape.plain && !(text.is_empty() && is_key)) {
        style = Style::SingleQuoted;
    }
    if style == Style::SingleQuoted && !shape.single_quoted
        || style == Style::Literal && (!shape.block || is_key)
    {
        style = Style::DoubleQuoted;
    }
    let outer = to.deepen_for_scalar();
    match style {
        Style::Plain => plain(text, !is_key, to),
        Style::SingleQuoted => single_quoted(text, !is_key, to),
        Style::DoubleQuoted => double_quoted(text, !is_key, to),
        Style::Literal => literal(text, header, to),
    }
    to.indent = outer;
    style == Style::Literal
}

/// A plain text has no breaks, so only folding starts lines.
fn plain(text: &str, may_fold: bool, to: &mut Printer) {
    to.space();
    let mut chars = text.chars().peekable();
    let mut after_space = false;
    while let Some(c) = chars.next() {
        let folds = may_fold && c == ' ' && !after_space && to.is_beyond_width();
        if folds && chars.peek() != Some(&' ') {
            to.indent_line();
        } else {
            to.push(c);
        }
        after_space = c == ' ';
    }
    to.text_written();
}

fn single_quoted(text: &str, may_fold: bool, to: &mut Printer) {
    to.indicator("'", true, false);
    let mut chars = text.chars().peekable();
    let (mut is_first, mut after_space, mut after_break) = (true, false, false);
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        if c == ' ' {
            let is_inner = !is_first && next.is_some_and(|next| next != ' ');
            if may_fold && is_inner && !after_space && to.is_beyond_width() {
                to.indent_line();
            } else {
                to.push(c);
            }
        } else if is_break(c) {
            if !after_break && c == '\n' {
                to.line_break();
            }
            to.push_break(c);
            to.set_indention(true);
        } else {
            if after_break {
                to.indent_line();
            }
            if c == '\'' {
                to.push(c);
            }
            to.push(c);
            to.set_indention(false);
        }
        after_break = is_break(c) || after_break && c == ' ';
        after_space = c == ' ' || after_space && is_break(c);
        is_first = false;
    }
    to.indicator("'", false, false);
}

fn double_quoted(text: &str, may_fold: bool, to: &mut Printer) {
    to.indicator("\"", true, false);
    // Flux: a text that starts with a byte order mark is escaped as a whole (goyaml's `is_bom`
    // looks at the start of the text whatever the place).
    let escapes_all = text.starts_with('\u{feff}');
    let mut chars = text.chars().peekable();
    let (mut is_first, mut after_space) = (true, false);
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        if escapes_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
            escape(c, to);
        } else if c == ' '
            && may_fold
            && !is_first
            && next.is_some()
            && !after_space
            && to.is_beyond_width()
        {
            to.indent_line();
            if next == Some(' ') {
                to.push('\\');
            }
        } else {
            to.push(c);
        }
        after_space = c == ' ' && !escapes_all;
        is_first = false;
    }
    to.indicator("\"", false, false);
}

fn escape(c: char, to: &mut Printer) {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(c);
            let long = match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
            return long.chars().for_each(|c| to.push(c));
        }
    };
    to.push('\\');
    to.push(short);
}

fn literal(text: &str, header: Option<&str>, to: &mut Printer) {
    to.indicator("|", true, false);
    if text.starts_with(|c| c == ' ' || is_break(c)) {
        let step = to.style.step.to_string();
        to.indicator(&step, false, false);
    }
    let mut from_end = text.chars().rev();
    match (from_end.next().is_some_and(is_break), from_end.next()) {
        (false, _) => to.indicator("-", false, false),
        (true, before) if before.is_none_or(is_break) => to.indicator("+", false, false),
        (true, _) => {}
    }
    if let Some(comment) = header {
        to.push(' ');
        to.comment(comment);
    }
    to.line_break();
    to.block_follows();
    let mut after_break = true;
    for c in text.chars() {
        if is_break(c) {
            to.push_break(c);
            to.set_indention(true);
            after_break = true;
        } else {
            if after_break {
                to.indent_line();
            }
            to.push(c);
            to.set_indention(false);
            after_break = false;
        }
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

const fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Flux: characters beyond the basic plane count as unprintable (goyaml's `is_printable`).
const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}
