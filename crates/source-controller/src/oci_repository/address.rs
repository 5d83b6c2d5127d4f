//! What the URL of a repository may be.

/// Why a URL is none of a repository. The words are those of Flux and of its registry library.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidUrl {
    #[error("URL must be in format 'oci://<domain>/<org>/<repo>'")]
    Form,
    #[error("URL must not contain a tag; remove ':{tag}'")]
    Tag { tag: String },
    #[error("repository must be between 2 and 255 characters in length: {repository}")]
    Length { repository: String },
    #[error("repository can only contain the characters `{CHARACTERS}`: {repository}")]
    Characters { repository: String },
}

const CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-./";

/// The repository that a URL names, with its host and without the scheme.
///
/// # Errors
/// If it names none.
pub(super) fn repository(url: &str) -> Result<&str, InvalidUrl> {
    let named = url.strip_prefix("oci://").ok_or(InvalidUrl::Form)?;
    // As image references are read: a first part that looks like no host is one of the name.
    let repository = match named.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        Some(_) | None => named,
    };
    if let Some((_, tag)) = repository.rsplit('/').next().and_then(|it| it.split_once(':')) {
        return Err(InvalidUrl::Tag { tag: tag.to_owned() });
    }
    let owned = || repository.to_owned();
    if !(2..=255).contains(&repository.chars().count()) {
        return Err(InvalidUrl::Length { repository: owned() });
    }
    if !repository.chars().all(|it| CHARACTERS.contains(it)) {
        return Err(InvalidUrl::Characters { repository: owned() });
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_repository() {
        assert_eq!(repository("oci://a.example:5000/org/app"), Ok("a.example:5000/org/app"));
        assert_eq!(repository("https://a.example/x"), Err(InvalidUrl::Form));
        let tag = "1.0".to_owned();
        assert_eq!(repository("oci://a.example/org/app:1.0"), Err(InvalidUrl::Tag { tag }));
        let repository_ = "bad url/x".to_owned();
        let wrong = InvalidUrl::Characters { repository: repository_ };
        assert_eq!(repository("oci://bad url/x"), Err(wrong));
        assert!(matches!(repository("oci://a.example/x"), Err(InvalidUrl::Length { .. })));
    }
}
