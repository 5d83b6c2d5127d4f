//! Replacement templates.

/// A template, read once.
pub(crate) struct Template<'t> {
    parts: Vec<Part<'t>>,
}

enum Part<'t> {
    Text(&'t str),
    Group(usize),
}

impl<'t> Template<'t> {
    /// Reads `$name`, `${name}`, `$1` and `$$`; a `$` that begins none of them stays as it is.
    pub(crate) fn parse(template: &'t str, names: &[String]) -> Self {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            let (before, from_dollar) = rest.split_at(dollar);
            parts.push(Part::Text(before));
            let after = from_dollar.get(1..).unwrap_or_default();
            if let Some(after) = after.strip_prefix('$') {
                parts.push(Part::Text("$"));
                rest = after;
            } else if let Some((name, after)) = name(after) {
                parts.extend(group(name, names).map(Part::Group));
                rest = after;
            } else {
                parts.push(Part::Text("$"));
                rest = after;
            }
        }
        parts.push(Part::Text(rest));
        Self { parts }
    }

    pub(crate) fn expand<'g>(&self, out: &mut String, group: impl Fn(usize) -> &'g str) {
        for part in &self.parts {
            out.push_str(match part {
                Part::Text(text) => text,
                Part::Group(number) => group(*number),
            });
        }
    }
}

/// The name after a `$`, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let body = braced.unwrap_or(text);
    let end = body.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(body.len());
    let (name, rest) = body.split_at(end);
    if name.is_empty() {
        return None;
    }
    match braced {
        Some(_) => Some((name, rest.strip_prefix('}')?)),
        None => Some((name, rest)),
    }
}

/// The number of a group; none of that name or number expands to nothing.
fn group(name: &str, names: &[String]) -> Option<usize> {
    let canonical = name == "0" || !name.starts_with('0');
    if canonical && name.bytes().all(|b| b.is_ascii_digit()) {
        return name.parse().ok().filter(|number| *number < names.len());
    }
    // The last group of a name wins, as in Go, where names may repeat.
    names.iter().rposition(|known| known == name)
}
