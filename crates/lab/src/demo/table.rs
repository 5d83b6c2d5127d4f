//! A table that is drawn again in place when it changes.

use std::io::{IsTerminal as _, Write as _};

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) object: String,
    pub(super) ready: String,
    pub(super) message: String,
}

/// Remembers what it has drawn. Without a terminal it prints each new state below the last.
#[derive(Default)]
pub(super) struct Table {
    shown: Vec<Row>,
}

impl Table {
    pub(super) fn show(&mut self, rows: &[Row]) {
        if rows == self.shown {
            return;
        }
        let mut out = std::io::stdout().lock();
        let up = if out.is_terminal() && !self.shown.is_empty() {
            // Back to the first line, and erase from there.
            format!("\x1b[{}A\x1b[J", self.shown.len() + 1)
        } else {
            String::new()
        };
        // A closed terminal is noticed elsewhere.
        drop(write!(out, "{up}{}", text(rows)));
        drop(out.flush());
        rows.clone_into(&mut self.shown);
    }
}

fn text(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.object.len()).max().unwrap_or(0).max("OBJECT".len());
    let line = |object: &str, ready: &str, message: &str| {
        let message: String = message.lines().next().unwrap_or_default().chars().take(90).collect();
        format!("{object:width$}  {ready:7}  {message}\n")
    };
    let mut text = line("OBJECT", "READY", "STATUS");
    for row in rows {
        text.push_str(&line(&row.object, &row.ready, &row.message));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = Row { object: "a/b".into(), ready: "True".into(), message: "fine\nmore".into() };
        assert_eq!(text(&[row]), "OBJECT  READY    STATUS\na/b     True     fine\n");
    }
}
