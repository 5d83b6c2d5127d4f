//! The differences that COMPATIBILITY.md explains.
//!
//! They stand in its section `## Cases that differ`, in rows of a Markdown table: the first cell
//! names a set as the command prints it, the second its cases, both as code spans, the third says
//! why. A `*` stands for any text. So the page that people read is the list that is checked.

/// The section that is read.
const SECTION: &str = "## Cases that differ";

/// Sets and cases by pattern.
#[derive(Clone, Debug, Default)]
pub struct Known(Vec<(String, Vec<String>)>);

impl Known {
    /// Of this repository.
    pub fn of_repository() -> Self {
        Self::read(include_str!("../../../COMPATIBILITY.md"))
    }

    /// Of a page.
    pub fn read(page: &str) -> Self {
        let section = page.lines().skip_while(|line| line.trim_end() != SECTION).skip(1);
        let rows = section.take_while(|line| !line.starts_with("## "));
        Self(rows.filter_map(row).collect())
    }

    /// Whether a case of a set is named.
    pub fn names(&self, set: &str, case: &str) -> bool {
        self.0.iter().any(|(sets, cases)| {
            matches(sets, set) && cases.iter().any(|pattern| matches(pattern, case))
        })
    }
}

fn row(line: &str) -> Option<(String, Vec<String>)> {
    let mut cells = line.strip_prefix('|')?.split('|');
    let set = spans(cells.next()?).next()?.to_owned();
    let cases = spans(cells.next()?).map(ToOwned::to_owned).collect();
    Some((set, cases))
}

/// The code spans of a cell.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether a text is what a pattern describes.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_section_count_and_no_others() {
        let page = "| `a/b.json` | `x` | no |\n## Cases that differ\ntext\n| set | cases | why |\n\
                    |---|---|---|\n| `a/b.json` | `one`, `two-*` | why |\n## Next\n| `a/b.json` | `y` | no |";
        let known = Known::read(page);
        assert!(known.names("a/b.json", "one"));
        assert!(known.names("a/b.json", "two-3"));
        for unknown in ["x", "y", "one1", "two", "b.json"] {
            assert!(!known.names("a/b.json", unknown), "{unknown}");
        }
        assert!(!known.names("a/c.json", "one"));
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("*", ""));
        assert!(matches("a*c*e", "abcde"));
        assert!(!matches("a*c*e", "abde"));
        assert!(!matches("ab*b", "ab"));
    }

    #[test]
    fn the_page_has_the_section() {
        assert!(!Known::of_repository().0.is_empty());
    }
}
