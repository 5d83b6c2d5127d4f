//! Two texts, line by line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many lines of each side are shown from the first difference on.
const CONTEXT: usize = 3;

/// What differs, blank lines and masked lines left out; `masked` holds 1-based lines of `theirs`.
pub(crate) fn lines(theirs: &str, ours: &str, masked: &BTreeSet<usize>) -> Option<String> {
    let theirs: Vec<(usize, &str)> = content(theirs).collect();
    let ours: Vec<(usize, &str)> = content(ours).collect();
    let at = (0..theirs.len().max(ours.len())).find(|i| match (theirs.get(*i), ours.get(*i)) {
        (Some((number, theirs)), Some((_, ours))) => !masked.contains(number) && theirs != ours,
        _ => true,
    })?;
    let mut out = String::new();
    for (sign, side) in [('-', &theirs), ('+', &ours)] {
        for (number, line) in side.iter().skip(at).take(CONTEXT) {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{sign}{number}: {}", shortened(line));
        }
    }
    Some(out)
}

/// What differs between two printed charts, or between the errors instead.
pub(crate) fn outcomes(
    theirs: Result<&str, &str>,
    ours: &Result<String, String>,
    masked: &BTreeSet<usize>,
) -> Option<String> {
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => lines(theirs, ours, masked),
        (Ok(_), Err(error)) => Some(format!("+Error: {error}")),
        (Err(error), Ok(_)) => Some(format!("-{error}\n+(no error)")),
        (Err(error), Err(ours)) => lines(error, &format!("Error: {ours}"), &[].into()),
    }
}

/// What differs between two short texts.
pub(crate) fn texts(theirs: &str, ours: &str) -> Option<String> {
    (theirs != ours).then(|| format!("-{theirs:?}\n+{ours:?}"))
}

fn content(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, l)| !l.trim().is_empty())
}

fn shortened(line: &str) -> String {
    let mut out: String = line.chars().take(200).collect();
    if out.len() < line.len() {
        out.push('…');
    }
    out
}
