//! Where the printer stands: its column, its indentation, and what it wrote last.

/// What the two printers of Go do differently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// The column after which a line is folded at the next single space.
    pub(super) fold_after: usize,
    /// Whether a sequence in a mapping stands deeper than its key.
    pub(super) indented_sequences: bool,
    /// Whether a text with tabs may be a block.
    pub(super) tabs_in_blocks: bool,
}

/// A text that grows, and what must be known of its end.
pub(super) struct Printer {
    out: String,
    /// Counted in characters.
    column: usize,
    /// None outside of every collection.
    pub(super) indent: Option<usize>,
    /// White space was written last.
    whitespace: bool,
    /// Nothing but indentation and indicators that count as such stands on the line.
    indention: bool,
    pub(super) style: Style,
}

impl Printer {
    pub(super) fn new(style: Style) -> Self {
        let (whitespace, indention) = (true, true);
        Self { out: String::new(), column: 0, indent: None, whitespace, indention, style }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Goes one level deeper; gives the level to return to.
    pub(super) fn deepen(&mut self) -> Option<usize> {
        self.indent.replace(self.indent.map_or(0, |indent| indent + 2))
    }

    /// As [`Self::deepen`], for the lines of a scalar: outside of everything they are indented too.
    pub(super) fn deepen_for_scalar(&mut self) -> Option<usize> {
        self.indent.replace(self.indent.unwrap_or(0) + 2)
    }

    pub(super) const fn is_after_text(&self) -> bool {
        !self.indention
    }

    pub(super) const fn is_beyond_width(&self) -> bool {
        self.column > self.style.fold_after
    }

    /// Starts a line, unless one has just been started here, and indents it.
    pub(super) fn indent_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let is_here = self.column == indent && self.whitespace;
        if !self.indention || !(self.column < indent || is_here) {
            self.line_break();
        }
        while self.column < indent {
            self.push(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// Writes an indicator, after a space if one is needed and none is there. Those that count as
    /// indentation leave the line open for a nested collection.
    pub(super) fn indicator(&mut self, text: &str, needs_space: bool, is_indention: bool) {
        if needs_space {
            self.space();
        }
        text.chars().for_each(|c| self.push(c));
        self.whitespace = false;
        self.indention &= is_indention;
    }

    /// Writes a space, unless white space has just been written.
    pub(super) fn space(&mut self) {
        if !self.whitespace {
            self.push(' ');
        }
    }

    pub(super) fn push(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    pub(super) fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    /// Writes a character that ends a line.
    pub(super) fn push_break(&mut self, c: char) {
        if c == '\n' {
            self.line_break();
        } else {
            self.out.push(c);
            self.column = 0;
        }
    }

    /// Notes that text was written.
    pub(super) const fn text_written(&mut self) {
        self.whitespace = false;
        self.indention = false;
    }

    /// Notes that the lines of a block follow.
    pub(super) const fn block_follows(&mut self) {
        self.whitespace = true;
        self.indention = true;
    }

    pub(super) const fn set_indention(&mut self, indention: bool) {
        self.indention = indention;
    }
}
