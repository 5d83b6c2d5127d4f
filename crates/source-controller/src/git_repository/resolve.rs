//! Which commit the repository has now, and how its failures are told.

use git_client::{Access, Error as GitError, InvalidAccess, Reference, Remote, Session, Target};
use tokio::time::Instant;

use super::{access, archive, halt::Halt, spec::Wish};
use crate::context::Context;

/// What is asked of a repository.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) wish: &'a Wish,
    /// Whether there is an artifact that the answer may prove to be current.
    pub(crate) may_be_unchanged: bool,
}

/// What a repository has.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) session: Session,
    pub(crate) target: Target,
    /// How the commit is named to people and to other controllers.
    pub(crate) revision: String,
}

/// Why a repository could not be read, told as Flux tells it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Plain(Box<GitError>),
    #[error("unable to clone '{url}'")]
    Clone {
        url: String,
        #[source]
        source: Box<GitError>,
    },
    #[error("unable to list remote for '{url}'")]
    List {
        url: String,
        #[source]
        source: Box<GitError>,
    },
    #[error("unable to clone: remote repository is empty: git repository: '{url}'")]
    Empty { url: String },
}

/// Asks the repository.
///
/// # Errors
/// If it cannot be reached, or has no such commit.
pub(crate) async fn found(
    asked: &Asked<'_>,
    access: Access,
    deadline: Instant,
    ctx: &Context,
) -> Result<Found, Halt> {
    let wish = asked.wish;
    let remote = Remote { url: wish.url.clone(), access, deadline };
    let session = Session::open(&ctx.git, remote).await.map_err(|error| halt(asked, error))?;
    let target = session.resolve(&wish.reference, &ctx.scratch).await;
    let target = target.map_err(|error| halt(asked, error))?;
    let revision = revision(&wish.reference, target.reference.as_deref(), &target.commit);
    Ok(Found { session, target, revision })
}

/// What a failure of the fetch means.
pub(crate) fn fetch_failed(wish: &Wish, error: GitError) -> Halt {
    halt(&Asked { wish, may_be_unchanged: false }, error)
}

/// `<branch or tag>@sha1:<commit>`; the full name where the object asks by full name, and no name
/// where it asks for a commit alone.
fn revision(reference: &Reference, name: Option<&str>, commit: &str) -> String {
    let name = name.unwrap_or_default();
    let name = match reference {
        Reference::Name(_) => name,
        Reference::Branch(_)
        | Reference::Tag(_)
        | Reference::Semver(_)
        | Reference::Commit { .. } => name.splitn(3, '/').nth(2).unwrap_or_default(),
    };
    if name.is_empty() { format!("sha1:{commit}") } else { format!("{name}@sha1:{commit}") }
}

fn halt(asked: &Asked<'_>, error: GitError) -> Halt {
    let url = asked.wish.url.clone();
    let reference = &asked.wish.reference;
    let by_name = matches!(reference, Reference::Name(_));
    // Flux lists the references first where that may spare it the clone.
    let is_listing = by_name || (asked.may_be_unchanged && asked.wish.is_seen_in_refs());
    match error {
        GitError::Access(source @ (InvalidAccess::Url | InvalidAccess::Scheme { .. })) => {
            Halt::Url { url, source }
        }
        GitError::Access(source) => Halt::Authentication(access::Error::Unusable(source)),
        GitError::EmptyRepository if !is_listing => {
            if matches!(reference, Reference::Branch(_)) {
                Halt::Empty
            } else {
                Halt::Git(Error::Empty { url })
            }
        }
        source @ (GitError::NameNotFound { .. }
        | GitError::InvalidName { .. }
        | GitError::Semver(_)
        | GitError::NoMatch { .. }
        | GitError::CommitNotFound { .. }) => Halt::Git(Error::Plain(Box::new(source))),
        source @ GitError::Disk(_) => Halt::Archive(archive::Error::Scratch(Box::new(source))),
        // That a reference is missing is only found out by the clone.
        source @ GitError::ReferenceNotFound { .. } => {
            Halt::Git(Error::Clone { url, source: Box::new(source) })
        }
        source if is_listing => Halt::Git(Error::List { url, source: Box::new(source) }),
        source => Halt::Git(Error::Clone { url, source: Box::new(source) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_names_its_reference_as_the_object_does() {
        let pinned = |branch: Option<&str>| Reference::Commit {
            id: "abc".into(),
            branch: branch.map(str::to_owned),
        };
        for (reference, found, expected) in [
            (Reference::Branch("f/x".into()), Some("refs/heads/f/x"), "f/x@sha1:abc"),
            (Reference::Semver("*".into()), Some("refs/tags/v1"), "v1@sha1:abc"),
            (Reference::Name("refs/heads/m".into()), Some("refs/heads/m"), "refs/heads/m@sha1:abc"),
            (pinned(Some("m")), Some("refs/heads/m"), "m@sha1:abc"),
            (pinned(None), None, "sha1:abc"),
        ] {
            assert_eq!(revision(&reference, found, "abc"), expected);
        }
    }
}
