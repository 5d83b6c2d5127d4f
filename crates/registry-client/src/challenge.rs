//! How a registry wants to be asked: the header `WWW-Authenticate`.

/// How a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// With a user and a password.
    Basic,
    /// With a token.
    Bearer {
        /// Who hands it out.
        realm: String,
        /// For whom; may be empty.
        service: String,
    },
}

/// Reads the header; none if it asks for something else.
pub(crate) fn parse(header: &str) -> Option<Challenge> {
    let header = header.trim();
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let realm = parameter(rest, "realm").filter(|realm| !realm.is_empty())?;
    let service = parameter(rest, "service").unwrap_or_default();
    Some(Challenge::Bearer { realm, service })
}

fn parameter(mut rest: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, after) = rest.trim_start_matches([' ', ',']).split_once('=')?;
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        assert_eq!(parse("Basic realm=\"x\""), Some(Challenge::Basic));
        let header = r#"Bearer realm="https://a/token",service="reg, istry",scope="x""#;
        let (realm, service) = ("https://a/token".to_owned(), "reg, istry".to_owned());
        assert_eq!(parse(header), Some(Challenge::Bearer { realm, service }));
        for header in ["", "Bearer", "Bearer realm", "Digest x=y", "Bearer realm=\"x"] {
            assert_eq!(parse(header), None, "{header}");
        }
    }
}
