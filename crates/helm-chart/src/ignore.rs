//! `.helmignore`: like `.gitignore` at first sight only.

/// Rules of a chart's folder, Helm's own among them.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    glob: String,
    scope: Scope,
    negated: bool,
    only_folders: bool,
}

/// What a pattern is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Path,
    Name,
}

/// Why a line of `.helmignore` is no pattern. The words are Helm's and Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// The line holds `**`.
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    /// A bracket is not closed, or a backslash ends the line.
    #[error("syntax error in pattern")]
    Syntax,
}

impl Rules {
    /// Reads a file; none is the same as an empty one.
    pub(crate) fn parse(text: Option<&[u8]>) -> Result<Self, IgnoreError> {
        let mut rules = Self::default();
        let text = String::from_utf8_lossy(text.unwrap_or_default());
        for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
            rules.add(line)?;
        }
        // Hidden files among templates, editors' swap files for instance.
        rules.add("templates/.?*")?;
        Ok(rules)
    }

    /// Whether the path, relative to the chart's folder, is left out.
    ///
    /// Flux: the first pattern that matches decides, and a negated one leaves out whatever it does
    /// not match (helm `pkg/ignore`); this is nothing like git.
    pub(crate) fn ignore(&self, path: &str, is_folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        for pattern in &self.patterns {
            let against = if pattern.scope == Scope::Name { name } else { path };
            let other_kind = pattern.only_folders && !is_folder;
            if pattern.negated {
                if other_kind || !glob_matches(&pattern.glob, against) {
                    return true;
                }
            } else if !other_kind && glob_matches(&pattern.glob, against) {
                return true;
            }
        }
        false
    }

    fn add(&mut self, line: &str) -> Result<(), IgnoreError> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err(IgnoreError::DoubleStar);
        }
        if !is_glob(line) {
            return Err(IgnoreError::Syntax);
        }
        let (negated, glob) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (only_folders, glob) =
            glob.strip_suffix('/').map_or((false, glob), |rest| (true, rest));
        let (scope, glob) = match glob.strip_prefix('/') {
            Some(rest) => (Scope::Path, rest),
            None if glob.contains('/') => (Scope::Path, glob),
            None => (Scope::Name, glob),
        };
        self.patterns.push(Pattern { glob: glob.to_owned(), scope, negated, only_folders });
        Ok(())
    }
}

/// One step of a glob.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// Any run of characters but `/`.
    Star,
    /// Any character but `/`.
    Any,
    Literal(char),
    /// The text between the brackets.
    Class(&'a str),
}

/// The first step of a glob and what follows; `None` if it is malformed.
fn step(glob: &str) -> Option<(Step<'_>, &str)> {
    let mut chars = glob.chars();
    let step = match chars.next()? {
        '*' => Step::Star,
        '?' => Step::Any,
        '\\' => Step::Literal(chars.next()?),
        '[' => {
            let body = chars.as_str();
            let mut ranges = Ranges { rest: body.strip_prefix('^').unwrap_or(body), read: 0 };
            while ranges.next()? != Range::End {}
            let end = body.len() - ranges.rest.len();
            return Some((Step::Class(&body[..end - 1]), ranges.rest));
        }
        c => Step::Literal(c),
    };
    Some((step, chars.as_str()))
}

fn is_glob(mut glob: &str) -> bool {
    while !glob.is_empty() {
        match step(glob) {
            Some((_, rest)) => glob = rest,
            None => return false,
        }
    }
    true
}

/// A part of a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Range {
    Characters(char, char),
    End,
}

/// The ranges of a class, up to its closing bracket, which is consumed.
struct Ranges<'a> {
    rest: &'a str,
    read: usize,
}

impl Ranges<'_> {
    /// The next range; `None` if there is a mistake.
    fn next(&mut self) -> Option<Range> {
        if self.read > 0
            && let Some(rest) = self.rest.strip_prefix(']')
        {
            self.rest = rest;
            return Some(Range::End);
        }
        let low = self.character()?;
        let high = match self.rest.strip_prefix('-') {
            Some(rest) => {
                self.rest = rest;
                self.character()?
            }
            None => low,
        };
        self.read += 1;
        Some(Range::Characters(low, high))
    }

    fn character(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = match chars.next()? {
            '-' | ']' => return None,
            '\\' => chars.next()?,
            c => c,
        };
        self.rest = chars.as_str();
        // Something must be left to close the class.
        (!self.rest.is_empty()).then_some(c)
    }
}

fn class_holds(class: &str, c: char) -> bool {
    let (negated, class) = class.strip_prefix('^').map_or((false, class), |rest| (true, rest));
    let closed = format!("{class}]");
    let mut ranges = Ranges { rest: &closed, read: 0 };
    let mut holds = false;
    while let Some(Range::Characters(low, high)) = ranges.next() {
        holds |= (low..=high).contains(&c);
    }
    holds != negated
}

/// Go's `filepath.Match`. Only the last star is ever tried again, so the work is at most the
/// product of both lengths.
fn glob_matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob, text);
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let matched = match step(glob) {
            None => glob.is_empty() && text.is_empty(),
            Some((Step::Star, rest)) => {
                retry = Some((rest, text));
                glob = rest;
                continue;
            }
            Some((one, rest)) => match text.chars().next() {
                Some(c) if fits(one, c) => {
                    glob = rest;
                    text = &text[c.len_utf8()..];
                    continue;
                }
                _ => false,
            },
        };
        if matched {
            return true;
        }
        // Let the last star take one character more.
        match retry {
            Some((after_star, from)) => match from.chars().next() {
                Some(c) if c != '/' => {
                    text = &from[c.len_utf8()..];
                    glob = after_star;
                    retry = Some((after_star, text));
                }
                _ => return false,
            },
            None => return false,
        }
    }
}

fn fits(step: Step<'_>, c: char) -> bool {
    match step {
        Step::Star => false,
        Step::Any => c != '/',
        Step::Literal(literal) => literal == c,
        Step::Class(class) => c != '/' && class_holds(class, c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_as_in_go() {
        for (glob, text, want) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a/b.txt", false),
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("\\*", "*", true),
            ("*b*d", "abcd", true),
            ("*b*d", "abc", false),
            ("a*b*c*d*e", "axbxcxdxe", true),
            ("", "", true),
            ("templates/.?*", "templates/.swp", true),
            ("templates/.?*", "templates/.", false),
        ] {
            assert_eq!(glob_matches(glob, text), want, "{glob} {text}");
        }
        for glob in ["[", "[a", "a\\", "[]a]", "[a-]", "[-]"] {
            assert!(!is_glob(glob), "{glob}");
        }
    }

    #[test]
    fn rules_are_those_of_helm() {
        let ignored = |rules: &str, path: &str, folder: bool| {
            Rules::parse(Some(rules.as_bytes())).unwrap().ignore(path, folder)
        };
        assert!(ignored("*.md", "docs/a.md", false));
        assert!(ignored("/a.md", "a.md", false));
        assert!(!ignored("/a.md", "docs/a.md", false));
        assert!(ignored("docs/", "docs", true));
        assert!(!ignored("docs/", "docs", false));
        assert!(ignored("!keep", "other", false));
        assert!(!ignored("!keep", "keep", false));
        assert!(ignored("", "templates/.hidden", false));
        assert_eq!(Rules::parse(Some(b"a/**")).unwrap_err(), IgnoreError::DoubleStar);
    }
}
