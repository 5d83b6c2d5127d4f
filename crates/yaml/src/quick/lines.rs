//! A text by its lines.

/// A piece of a line that is not blank: its column and what stands there, up to the line's end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) column: usize,
    pub(super) text: &'a str,
}

/// Something is not simple.
pub(super) struct Unsure;

/// Goes through a text, past blank lines and comments.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Where the first line begins that has not been taken.
    at: usize,
    /// What is left of a line of which a part was taken, or a line that was looked at.
    pending: Option<Piece<'a>>,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, pending: None }
    }

    /// The next piece, which stays there; none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<Piece<'a>>, Unsure> {
        while self.pending.is_none() {
            let Some((line, next)) = self.line() else { return Ok(None) };
            self.at = next;
            let text = line.trim_start_matches(' ');
            if text.is_empty() || text.starts_with('#') && !text.contains('\t') {
                continue;
            }
            // What a tab means depends on where it stands.
            if text.contains('\t') {
                return Err(Unsure);
            }
            self.pending = Some(Piece { column: line.len() - text.len(), text });
        }
        Ok(self.pending)
    }

    /// Takes the piece that was looked at.
    pub(super) const fn take(&mut self) {
        self.pending = None;
    }

    /// Puts what is left of a line back as the next piece.
    pub(super) const fn put_back(&mut self, piece: Piece<'a>) {
        self.pending = Some(piece);
    }

    /// The next line as it stands, without its end, and where the one after it begins.
    ///
    /// Only for whoever has taken the last piece.
    pub(super) fn line(&self) -> Option<(&'a str, usize)> {
        self.line_at(self.at)
    }

    /// The same for the line that begins at a place.
    pub(super) fn line_at(&self, at: usize) -> Option<(&'a str, usize)> {
        let rest = self.text.get(at..).filter(|rest| !rest.is_empty())?;
        Some(match rest.find('\n') {
            Some(end) => (&rest[..end], at + end + 1),
            None => (rest, self.text.len()),
        })
    }

    /// Where the next line begins.
    pub(super) const fn place(&self) -> usize {
        self.at
    }

    pub(super) const fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether the text ends here although the line before has no end.
    pub(super) fn is_unfinished(&self) -> bool {
        self.at == self.text.len() && !self.text.ends_with('\n')
    }
}
