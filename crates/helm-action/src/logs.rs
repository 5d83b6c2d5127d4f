//! What Helm would have logged.

use std::collections::VecDeque;
use std::fmt;

use jiff::Timestamp;

/// How many lines are kept.
const KEPT: usize = 10;

/// The last lines of an action's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    lines: VecDeque<LogLine>,
}

/// One line, or several that are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was logged first.
    pub at: Timestamp,
    /// When it was logged last, if it was logged more than once.
    pub last: Option<Timestamp>,
    /// How often it was logged again.
    pub repeated: usize,
    /// What.
    pub text: String,
}

impl Logs {
    pub(crate) fn say(&mut self, text: impl Into<String>) {
        let (at, text) = (Timestamp::now(), text.into());
        tracing::debug!(target: "helm", "{text}");
        if let Some(last) = self.lines.back_mut().filter(|line| line.text == text) {
            last.last = Some(at);
            last.repeated += 1;
            return;
        }
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(LogLine { at, last: None, repeated: 0, text });
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// As Flux appends it to events: a line each, repeated ones told once.
impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, LogLine { at, last, repeated, text }) in self.lines.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{at}: {text}")?;
            if let Some(last) = last {
                write!(f, "\n{last}: {text}")?;
                if *repeated > 1 {
                    write!(f, "\n({} duplicate line(s) omitted)", repeated - 1)?;
                }
            }
        }
        Ok(())
    }
}
