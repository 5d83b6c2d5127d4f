//! Text laid out as sops lays out its errors.

/// Breaks lines at spaces so that they have at most `width` characters, if words allow it.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| wrap_line(line, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    let mut spaces = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if length == 0 {
            spaces += 1;
            continue;
        }
        if column + spaces + length > width && length < width && column + spaces > 0 {
            out.push('\n');
            column = 0;
        } else {
            out.extend(std::iter::repeat_n(' ', spaces));
            column += spaces;
        }
        out.push_str(word);
        column += length;
        spaces = 1;
    }
    out
}

/// The text with something before each line.
pub(crate) fn prefix(text: &str, prefix: &str) -> String {
    text.split('\n').map(|line| format!("{prefix}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("aa bb cc", 5), "aa bb\ncc");
        assert_eq!(wrap("aaaaaaaa b", 5), "aaaaaaaa\nb");
        assert_eq!(prefix("a\nb", "| "), "| a\n| b");
    }
}
