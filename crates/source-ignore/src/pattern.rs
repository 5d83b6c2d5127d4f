//! One line of rules against one path.

use crate::segment::Segment;

/// One compiled line.
///
/// - `!` in front includes instead of excluding.
/// - `/` at the end means directories and what is below them.
/// - Without another slash, the glob is tried on every name of the path.
/// - With one, the names are tried in order from the top, `**` skips any number of them, and
///   whatever lies below a match matches too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    includes: bool,
    directories_only: bool,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Name(Segment),
    Path(Vec<Step>),
    /// A line that go-git accepts and that matches no path.
    Never,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(Segment),
    /// `**` in front of another name.
    AnyDepth,
    /// `**` at the end.
    Rest,
}

/// What a pattern says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opinion {
    Excluded,
    Included,
}

impl Pattern {
    /// Compiles one line; none for a comment or a blank one.
    pub fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') || line.trim().is_empty() {
            return None;
        }
        let (includes, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let line = if line.ends_with("\\ ") { line } else { line.trim_end_matches(' ') };
        let (directories_only, line) =
            line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let shape = if line.contains('/') { path(line) } else { name(line) };
        Some(Self { includes, directories_only, shape })
    }

    /// What this pattern says of `path`, which is relative to the directory of the pattern.
    pub(crate) fn opinion(&self, path: &[&str], is_directory: bool) -> Option<Opinion> {
        let below = match &self.shape {
            Shape::Name(segment) => {
                let at = path.iter().position(|name| segment.matches(name))?;
                path.len() - at - 1
            }
            Shape::Path(steps) => below_match(steps, path)?,
            Shape::Never => return None,
        };
        if self.directories_only && !is_directory && below == 0 {
            return None;
        }
        Some(if self.includes { Opinion::Included } else { Opinion::Excluded })
    }
}

fn name(line: &str) -> Shape {
    match Segment::compile(line) {
        Segment::Malformed => Shape::Never,
        segment @ (Segment::Literal(_) | Segment::Glob(_)) => Shape::Name(segment),
    }
}

fn path(line: &str) -> Shape {
    let names: Vec<&str> = line.split('/').collect();
    let last = names.len() - 1;
    let mut steps = Vec::with_capacity(names.len());
    for (at, name) in names.into_iter().enumerate() {
        match name {
            // Flux: an empty name takes back a `**` in front of it.
            "" => {
                steps.pop_if(|step| *step == Step::AnyDepth);
            }
            "**" if at == last => steps.push(Step::Rest),
            "**" => {
                steps.pop_if(|step| *step == Step::AnyDepth);
                steps.push(Step::AnyDepth);
            }
            _ if name.contains("**") => return Shape::Never,
            _ => match Segment::compile(name) {
                Segment::Malformed => return Shape::Never,
                segment @ (Segment::Literal(_) | Segment::Glob(_)) => {
                    steps.push(Step::Name(segment));
                }
            },
        }
    }
    // Flux: without a single name (`/**`) nothing matches.
    if steps.iter().any(|step| matches!(step, Step::Name(_))) {
        Shape::Path(steps)
    } else {
        Shape::Never
    }
}

/// How many names are left below the match; none where the path does not match.
///
/// Flux: `**` takes the first name that fits and never another, so `**/a/b` misses `a/x/a/b`.
fn below_match(steps: &[Step], path: &[&str]) -> Option<usize> {
    let mut rest = path;
    let mut any_depth = false;
    for step in steps {
        match step {
            Step::AnyDepth => any_depth = true,
            Step::Rest => break,
            Step::Name(segment) => {
                let at = if any_depth {
                    rest.iter().position(|name| segment.matches(name))?
                } else {
                    rest.first().filter(|name| segment.matches(name)).map(|_| 0)?
                };
                rest = &rest[at + 1..];
                any_depth = false;
            }
        }
    }
    Some(rest.len())
}
