//! Addresses of providers: request URIs, and git repositories in all the ways that git writes them.

use secret_text::Secret;
use url::Url;

use crate::{Error, Provider, TokenOf};

/// What is wrong with an address. The words are Go's, without the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriFault {
    /// There is none.
    #[error("parse \"\": empty url")]
    Empty,
    /// It has no scheme.
    #[error("parse <address>: invalid URI for request")]
    NoScheme,
    /// It begins with a colon.
    #[error("parse <address>: missing protocol scheme")]
    MissingScheme,
    /// Something else is wrong.
    #[error("parse <address>: invalid URL")]
    Malformed,
    /// It is no address of a web server.
    #[error("unsupported protocol scheme")]
    NotHttp,
}

/// The address as a URL of a web server.
pub(crate) fn http(address: &Secret, what: &'static str) -> Result<Url, Error> {
    uri(address.expose()).map_err(|fault| Error::Address { what, fault })
}

fn uri(address: &str) -> Result<Url, UriFault> {
    if address.is_empty() {
        return Err(UriFault::Empty);
    }
    if address.starts_with(':') {
        return Err(UriFault::MissingScheme);
    }
    match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(_) => Err(UriFault::NotHttp),
        Err(url::ParseError::RelativeUrlWithoutBase) if address.starts_with('/') => {
            Err(UriFault::NotHttp)
        }
        Err(url::ParseError::RelativeUrlWithoutBase) => Err(UriFault::NoScheme),
        Err(_) => Err(UriFault::Malformed),
    }
}

/// A repository at a git server that has an API.
pub(crate) struct Repository {
    /// `https://host[:port]`; `ssh` addresses are taken for `https`.
    pub(crate) server: Url,
    /// The path without slashes around it and `.git` at its end.
    pub(crate) id: String,
}

/// The repository that an address names: a URL, or `user@host:path`.
pub(crate) fn repository(address: &Secret) -> Result<Repository, Error> {
    const WHAT: &str = "repository";
    let address = address.expose();
    let url = match Url::parse(address) {
        Ok(url) if url.has_host() => url,
        _ => scp_like(address).ok_or(Error::Address { what: WHAT, fault: UriFault::Malformed })?,
    };
    let scheme = if url.scheme() == "ssh" { "https" } else { url.scheme() };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let server = Url::parse(&format!("{scheme}://{host}{port}"));
    let server =
        server.map_err(|_malformed| Error::Address { what: WHAT, fault: UriFault::Malformed })?;
    if !matches!(server.scheme(), "http" | "https") {
        return Err(Error::Address { what: WHAT, fault: UriFault::NotHttp });
    }
    let id = url.path().trim_start_matches('/');
    Ok(Repository { server, id: id.strip_suffix(".git").unwrap_or(id).to_owned() })
}

/// `[user@]host:path`, which git takes for ssh.
fn scp_like(address: &str) -> Option<Url> {
    let (host, path) = address.split_once(':')?;
    (!host.is_empty() && !host.contains('/') && !path.starts_with("//"))
        .then(|| Url::parse(&format!("ssh://{host}/{}", path.trim_start_matches('/'))).ok())?
}

impl Repository {
    /// Owner and name, where the service has no deeper paths.
    pub(crate) fn owner_and_name(&self) -> Result<(&str, &str), Error> {
        match self.id.split_once('/') {
            Some((owner, name)) if !name.contains('/') => Ok((owner, name)),
            _ => Err(Error::Repository { id: self.id.clone() }),
        }
    }
}

/// A URL below another one; what the segments contain is escaped.
pub(crate) fn below<'s>(server: &Url, segments: impl IntoIterator<Item = &'s str>) -> Url {
    let mut url = server.clone();
    url.set_query(None);
    // Fails only for URLs that cannot be a base, which `http` and `repository` refuse.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Whether the token of a provider may go to a server: that of an identity goes to hosts of its cloud
/// only, by https, and to the machine itself. What begins with a dot stands for all hosts below.
///
/// # Errors
/// If there is no token, or it must not go there.
// Differs: Flux sends a token of the controller wherever a Provider says.
pub(crate) fn admits_identity(
    provider: &Provider,
    server: &Url,
    hosts: &[&str],
) -> Result<(), Error> {
    if provider.token.is_empty() {
        return Err(Error::Setting { sentence: "a token or an identity is needed" });
    }
    let host = server.host_str().unwrap_or_default();
    let is_host = |known: &&str| match known.strip_prefix('.') {
        Some(_) => host.ends_with(known),
        None => host == *known,
    };
    let is_plain = server.scheme() == "https" && server.port().is_none();
    let is_of_cloud = is_plain && hosts.iter().any(is_host);
    let is_loopback = match server.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(_)) | None => false,
    };
    if provider.token_of != TokenOf::Identity || is_of_cloud || is_loopback {
        return Ok(());
    }
    let sentence =
        "the address is no server of the cloud that the identity is of, so no token is sent there";
    Err(Error::Setting { sentence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_found_in_every_notation() {
        for (address, server, id) in [
            ("https://github.com/acme/fleet.git", "https://github.com/", "acme/fleet"),
            (
                "ssh://git@git.example.org:2222/acme/fleet",
                "https://git.example.org:2222/",
                "acme/fleet",
            ),
            (
                "git@git.example.org:acme/sub/fleet.git",
                "https://git.example.org/",
                "acme/sub/fleet",
            ),
        ] {
            let found = repository(&Secret::new(address)).unwrap();
            assert_eq!((found.server.as_str(), found.id.as_str()), (server, id));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_named() {
        for (address, fault) in [
            ("", UriFault::Empty),
            ("hooks.example.org/secret", UriFault::NoScheme),
            ("::", UriFault::MissingScheme),
            ("ftp://example.org", UriFault::NotHttp),
            ("/path", UriFault::NotHttp),
            ("https://[", UriFault::Malformed),
        ] {
            assert_eq!(uri(address), Err(fault), "{address}");
        }
    }
}
