//! Where the printer stands: its column, its indentation, and what it wrote last.

/// What the two printers of Go do differently.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// The column after which a line is folded at the next single space.
    pub(crate) fold_after: usize,
    /// Whether a sequence in a mapping stands deeper than its key.
    pub(crate) indented_sequences: bool,
    /// Whether a text with tabs may be a block.
    pub(crate) tabs_in_blocks: bool,
    /// How many spaces a level takes.
    pub(crate) step: usize,
}

/// A text that grows, and what must be known of its end.
pub(crate) struct Printer {
    out: String,
    /// Counted in characters.
    column: usize,
    /// None outside of every collection.
    pub(crate) indent: Option<usize>,
    /// White space was written last.
    whitespace: bool,
    /// Nothing but indentation and indicators that count as such stands on the line.
    indention: bool,
    /// An item of a sequence comes next; what is in it is indented past the dash.
    pub(crate) item: bool,
    pub(crate) style: Style,
}

impl Printer {
    pub(crate) fn new(style: Style) -> Self {
        let (whitespace, indention) = (true, true);
        Self {
            out: String::new(),
            column: 0,
            indent: None,
            whitespace,
            indention,
            item: false,
            style,
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// Goes one level deeper; gives the level to return to.
    pub(crate) fn deepen(&mut self) -> Option<usize> {
        let next = self.indent.map_or(0, |indent| self.next_level(indent));
        self.item = false;
        self.indent.replace(next)
    }

    /// As [`Self::deepen`], for the lines of a scalar: outside of everything they are indented too.
    pub(crate) fn deepen_for_scalar(&mut self) -> Option<usize> {
        let next = self.next_level(self.indent.unwrap_or(0));
        self.indent.replace(next)
    }

    /// Levels are multiples of the step; only what is behind a dash starts right there.
    const fn next_level(&self, indent: usize) -> usize {
        if self.item {
            return indent + 2;
        }
        self.style.step * ((indent + self.style.step) / self.style.step)
    }

    /// Writes a comment, which ends the line.
    pub(crate) fn comment(&mut self, text: &str) {
        self.push('#');
        text.chars().for_each(|c| self.push(c));
        self.text_written();
    }

    pub(crate) const fn is_after_text(&self) -> bool {
        !self.indention
    }

    pub(crate) const fn is_beyond_width(&self) -> bool {
        self.column > self.style.fold_after
    }

    /// Starts a line, unless one has just been started here, and indents it.
    pub(crate) fn indent_line(&mut self) {
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
    pub(crate) fn indicator(&mut self, text: &str, needs_space: bool, is_indention: bool) {
        if needs_space {
            self.space();
        }
        text.chars().for_each(|c| self.push(c));
        self.whitespace = false;
        self.indention &= is_indention;
    }

    /// Writes a space, unless white space has just been written.
    pub(crate) fn space(&mut self) {
        if !self.whitespace {
            self.push(' ');
        }
    }

    pub(crate) fn push(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    pub(crate) fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    /// Writes a character that ends a line.
    pub(crate) fn push_break(&mut self, c: char) {
        if c == '\n' {
            self.line_break();
        } else {
            self.out.push(c);
            self.column = 0;
        }
    }

    /// Notes that text was written.
    pub(crate) const fn text_written(&mut self) {
        self.whitespace = false;
        self.indention = false;
    }

    /// Notes that the lines of a block follow.
    pub(crate) const fn block_follows(&mut self) {
        self.whitespace = true;
        self.indention = true;
    }

    pub(crate) const fn set_indention(&mut self, indention: bool) {
        self.indention = indention;
    }
}
