//! The keys and values of a generator: environment files, literals, files, in this order.

use super::{GeneratorError, SourceError};
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;

type Pair = (String, Vec<u8>);

/// Reads all sources.
pub(super) fn read(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Vec<Pair>, GeneratorError> {
    let failed = |what: &'static str, sources: &[String]| {
        let sources = sources.join(" ");
        move |problem| GeneratorError::Source { what, sources, problem }
    };
    let mut pairs = Vec::new();
    from_env_files(&args.envs, loader, &mut pairs)
        .map_err(failed("env source files:", &args.envs))?;
    from_literals(&args.literals, &mut pairs).map_err(failed("literal sources", &args.literals))?;
    from_files(&args.files, loader, &mut pairs).map_err(failed("file sources:", &args.files))?;
    Ok(pairs)
}

fn from_env_files(
    paths: &[String],
    loader: &Loader<'_>,
    pairs: &mut Vec<Pair>,
) -> Result<(), SourceError> {
    for path in paths {
        let content = loader.load(path)?;
        for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
            let line = std::str::from_utf8(line).or(Err(SourceError::NotText { number }))?;
            let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { line };
            let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if !key.is_empty() {
                pairs.push((key.to_owned(), value.as_bytes().to_vec()));
            }
        }
    }
    Ok(())
}

fn from_literals(literals: &[String], pairs: &mut Vec<Pair>) -> Result<(), SourceError> {
    for literal in literals {
        let pair = literal.split_once('=').filter(|(key, _)| !key.is_empty());
        let Some((key, value)) = pair else {
            return Err(SourceError::Literal { literal: literal.clone() });
        };
        pairs.push((key.to_owned(), unquoted(value).as_bytes().to_vec()));
    }
    Ok(())
}

fn from_files(
    sources: &[String],
    loader: &Loader<'_>,
    pairs: &mut Vec<Pair>,
) -> Result<(), SourceError> {
    for source in sources {
        let (key, path) = key_and_path(source)?;
        pairs.push((key.to_owned(), loader.load(path)?.to_vec()));
    }
    Ok(())
}

/// Reads `path` or `key=path`.
fn key_and_path(source: &str) -> Result<(&str, &str), SourceError> {
    let source_text = source.to_owned();
    let Some((key, path)) = source.split_once('=') else {
        let name = source.trim_end_matches('/').rsplit('/').next();
        return Ok((name.filter(|name| !name.is_empty()).unwrap_or("."), source));
    };
    if path.contains('=') {
        return Err(SourceError::SeveralSigns { source_text });
    }
    if key.is_empty() {
        return Err(SourceError::NoKey { path: path.to_owned(), source_text });
    }
    if path.is_empty() {
        return Err(SourceError::NoFile { key: key.to_owned(), source_text });
    }
    Ok((key, path))
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_source_may_name_its_key() {
        assert_eq!(key_and_path("a/b.txt").unwrap(), ("b.txt", "a/b.txt"));
        assert_eq!(key_and_path("k=a/b.txt").unwrap(), ("k", "a/b.txt"));
        for source in ["=a", "k=", "a=b=c"] {
            assert!(key_and_path(source).is_err(), "{source}");
        }
    }

    #[test]
    fn quotes_around_a_literal_are_no_part_of_it() {
        assert_eq!(unquoted("\"a b\""), "a b");
        assert_eq!(unquoted("'a\""), "'a\"");
        assert_eq!(unquoted("'"), "'");
    }
}
