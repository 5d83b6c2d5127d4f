//! All rules of one source.

use std::collections::BTreeMap;

use crate::{Base, Pattern, pattern::Opinion};

/// The rules of one source, compiled.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Weakest first.
    base: Vec<Pattern>,
    root: Directory,
    /// From `spec.ignore`, weakest first.
    overrides: Vec<Pattern>,
}

/// The rules that a directory brings, and those below it.
#[derive(Clone, Debug, Default)]
struct Directory {
    /// Weakest first.
    patterns: Vec<Pattern>,
    children: BTreeMap<String, Self>,
}

/// Collects the rules of one source.
#[derive(Clone, Debug, Default)]
pub struct RulesBuilder {
    base: Base,
    root: Directory,
    overrides: Vec<Pattern>,
    count: usize,
}

/// The source brings more patterns than we are willing to try on every path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} ignore patterns")]
pub struct TooManyPatterns {
    /// How many would be accepted.
    pub limit: usize,
}

/// Limit: the cost of a path is the number of patterns above it, so their number is bounded.
const MAX_PATTERNS: usize = 20_000;

/// Limit: nor is a directory followed deeper than any real tree goes.
const MAX_DEPTH: usize = 256;

/// Flux: a line as long as Go's scanner buffer ends the file, itself included.
const MAX_LINE_BYTES: usize = 64 * 1024;

impl Rules {
    /// Starts without rules of the source.
    pub fn builder() -> RulesBuilder {
        RulesBuilder::default()
    }

    /// Whether the entry at `path` (the names from the root of the source) stays out.
    ///
    /// Each entry is judged alone: what lies below an excluded directory may be in.
    pub fn excludes(&self, path: &[&str], is_directory: bool) -> bool {
        let opinion = last_opinion(&self.overrides, path, is_directory)
            .or_else(|| self.root.opinion(path, is_directory))
            .or_else(|| last_opinion(&self.base, path, is_directory));
        opinion == Some(Opinion::Excluded)
    }
}

impl RulesBuilder {
    /// Chooses the rules below those of the source.
    pub fn base(&mut self, base: Base) -> &mut Self {
        self.base = base;
        self
    }

    /// Adds the content of the `.sourceignore` in `directory` (the names from the root).
    ///
    /// # Errors
    /// If the source has brought too many patterns.
    pub fn file(&mut self, directory: &[&str], text: &str) -> Result<&mut Self, TooManyPatterns> {
        let patterns = self.counted(text)?;
        if !patterns.is_empty() && directory.len() <= MAX_DEPTH {
            let mut at = &mut self.root;
            for name in directory {
                at = at.children.entry((*name).to_owned()).or_default();
            }
            at.patterns.extend(patterns);
        }
        Ok(self)
    }

    /// Adds the lines of `spec.ignore`, which outrank every file.
    ///
    /// # Errors
    /// If the source has brought too many patterns.
    pub fn overrides(&mut self, text: &str) -> Result<&mut Self, TooManyPatterns> {
        let patterns = self.counted(text)?;
        self.overrides.extend(patterns);
        Ok(self)
    }

    /// The finished rules.
    pub fn build(self) -> Rules {
        let base = self.base.patterns(self.count > 0).filter_map(Pattern::parse).collect();
        Rules { base, root: self.root, overrides: self.overrides }
    }

    fn counted(&mut self, text: &str) -> Result<Vec<Pattern>, TooManyPatterns> {
        let patterns: Vec<Pattern> = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .take_while(|line| line.len() < MAX_LINE_BYTES)
            .filter_map(Pattern::parse)
            .take(MAX_PATTERNS + 1)
            .collect();
        self.count += patterns.len();
        if self.count > MAX_PATTERNS {
            return Err(TooManyPatterns { limit: MAX_PATTERNS });
        }
        Ok(patterns)
    }
}

impl Directory {
    /// The opinion of the deepest directory that has one; `path` is relative to this one.
    fn opinion(&self, path: &[&str], is_directory: bool) -> Option<Opinion> {
        // The chain is walked down first and asked from its end, without recursion.
        let mut chain = vec![(self, path)];
        let mut at = self;
        let mut rest = path;
        // A directory's own file says nothing of the directory itself.
        while let [name, below @ ..] = rest
            && !below.is_empty()
            && let Some(child) = at.children.get(*name)
        {
            chain.push((child, below));
            at = child;
            rest = below;
        }
        chain
            .into_iter()
            .rev()
            .find_map(|(directory, path)| last_opinion(&directory.patterns, path, is_directory))
    }
}

fn last_opinion(patterns: &[Pattern], path: &[&str], is_directory: bool) -> Option<Opinion> {
    patterns.iter().rev().find_map(|pattern| pattern.opinion(path, is_directory))
}
