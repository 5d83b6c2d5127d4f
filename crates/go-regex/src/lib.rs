//! Go's RE2 regular expressions on the regex crate.
//!
//! The two languages are close relatives. `translate` reads a pattern as Go does, with Go's
//! complaints, and writes it as the regex crate understands it; what is left here are Go's rules
//! for splitting and replacing. Compiling costs far more than matching: callers keep what they
//! compiled.
//!
//! ```
//! let re = go_regex::Regex::new(r"a(x*)b")?;
//! assert_eq!(re.replace_all("-ab-axxb-", "${1}W"), "-W-xxW-");
//! # Ok::<(), go_regex::Error>(())
//! ```

mod class;
mod error;
mod replace;
mod translate;

use std::ops::Range;

use regex_automata::hybrid::dfa::DFA;
use regex_automata::{Anchored, Input, MatchKind};

pub use error::{Error, ErrorKind};

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    compiled: regex::Regex,
    translated: String,
    names: Vec<String>,
    size: Size,
    /// Bytes of the longest match; none if there is no longest.
    longest: Option<usize>,
}

/// How large an expression is when it is compiled. Matching takes time that is linear in the text,
/// but for each byte it may take as long as the expression is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Up to 16 KiB, as nearly all are.
    Small,
    /// Up to 64 KiB.
    Ordinary,
    /// Up to 1 MiB, which is the limit. Go counts otherwise, but limits too.
    Large,
}

impl Size {
    const ALL: [Self; 3] = [Self::Small, Self::Ordinary, Self::Large];

    const fn most_bytes(self) -> usize {
        match self {
            Self::Small => 16 << 10,
            Self::Ordinary => 64 << 10,
            Self::Large => 1 << 20,
        }
    }
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Error`], worded as Go's `regexp.Compile`.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        let (translated, names) = translate::translate(pattern)?;
        let within = |size: Size| {
            let mut builder = regex::RegexBuilder::new(&translated);
            Some((builder.size_limit(size.most_bytes()).build().ok()?, size))
        };
        let (compiled, size) = Size::ALL
            .into_iter()
            .find_map(within)
            .ok_or_else(|| Error::new(ErrorKind::Large, pattern))?;
        let longest = regex_syntax::parse(&translated)
            .ok()
            .and_then(|pattern| pattern.properties().maximum_len());
        Ok(Self { compiled, translated, names, size, longest })
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Names of the groups by number; the whole match and nameless groups have an empty name.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }

    /// Bytes of the leftmost match.
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        self.compiled.find(text).map(|found| found.range())
    }

    /// Bytes of the leftmost match, as long as it can be (`Regexp.Longest`).
    pub fn find_longest(&self, text: &str) -> Option<Range<usize>> {
        let start = self.compiled.find(text)?.start();
        let dfa = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All))
            .build(&self.translated)
            .ok()?;
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let end = dfa.try_search_fwd(&mut dfa.create_cache(), &input).ok()??;
        Some(start..end.offset())
    }

    /// How many matches there are; none if it takes too long to tell.
    ///
    /// Finding one match is linear in the text, finding all may be quadratic: `a*b|a` looks at all
    /// the letters that follow for each `a`. So `bytes` are allowed for all of them, and what may
    /// have been used is taken away.
    pub fn count(&self, text: &str, bytes: &mut u64) -> Option<usize> {
        let mut matches = 0;
        for found in self.compiled.find_iter(text) {
            let ahead = (text.len() - found.start()).min(self.longest.unwrap_or(usize::MAX));
            *bytes = bytes.checked_sub(1 + ahead as u64)?;
            matches += 1;
        }
        Some(matches)
    }

    /// The first `n` matches, all if negative. `None` if there is none, which is Go's nil slice.
    pub fn find_all<'t>(&self, text: &'t str, n: i64) -> Option<Vec<&'t str>> {
        let most = usize::try_from(n).unwrap_or(usize::MAX);
        let found: Vec<&str> =
            self.compiled.find_iter(text).take(most).map(|found| found.as_str()).collect();
        (!found.is_empty()).then_some(found)
    }

    /// The whole match and the groups; an unused group is `None`.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        let captures = self.compiled.captures(text)?;
        Some(captures.iter().map(|group| group.map(|group| group.as_str())).collect())
    }

    /// Replaces every match, with `$1`, `${1}`, `$name` and `$$` in the template expanded.
    ///
    /// Flux: a name is as long as it can be, so `$1W` means `${1W}`, and an unknown one is empty.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let template = replace::Template::parse(template, &self.names);
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for captures in self.compiled.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(end..whole.start()).unwrap_or_default());
            template.expand(&mut out, |group| captures.get(group).map_or("", |g| g.as_str()));
            end = whole.end();
        }
        out.push_str(text.get(end..).unwrap_or_default());
        out
    }

    /// Replaces every match with the text as it is.
    pub fn replace_all_literal(&self, text: &str, replacement: &str) -> String {
        self.compiled.replace_all(text, regex::NoExpand(replacement)).into_owned()
    }

    /// The parts between matches, at most `n` of them; all if negative. `None` is Go's nil slice.
    pub fn split<'t>(&self, text: &'t str, n: i64) -> Option<Vec<&'t str>> {
        if n == 0 {
            return None;
        }
        if !self.translated.is_empty() && text.is_empty() {
            return Some(vec![""]);
        }
        let most = usize::try_from(n).unwrap_or(usize::MAX);
        let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
        for found in self.compiled.find_iter(text).take(most) {
            if parts.len() + 1 == most {
                break;
            }
            end = found.start();
            if found.end() != 0 {
                parts.push(text.get(start..end).unwrap_or_default());
            }
            start = found.end();
        }
        if end != text.len() {
            parts.push(text.get(start..).unwrap_or_default());
        }
        Some(parts)
    }
}

/// Escapes everything that means something in a pattern.
pub fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
