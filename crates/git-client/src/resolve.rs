//! From what a specification says to one commit.

use std::{cmp::Ordering, path::Path};

use gix_hash::ObjectId;
use semver_range::{Constraint, Version};

use crate::{error::Error, protocol::RemoteRef, session::Session};

/// What a specification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The tip of a branch.
    Branch(String),
    /// What a tag points to.
    Tag(String),
    /// What the tag with the highest version in a range points to.
    Semver(String),
    /// What a reference with this full name points to.
    Name(String),
    /// A commit.
    Commit {
        /// 40 hexadecimal digits.
        id: String,
        /// The branch that it must be on.
        branch: Option<String>,
    },
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// 40 hexadecimal digits.
    pub commit: String,
    /// The full name of the reference that led to it, if one did.
    pub reference: Option<String>,
    /// Whether the specification names the commit itself.
    pub(crate) is_pinned: bool,
}

/// Asks for no more references than this of one name.
const ALL: usize = usize::MAX;

/// Finds the commit.
pub(crate) async fn target(
    session: &Session,
    reference: &Reference,
    scratch: &Path,
) -> Result<Target, Error> {
    match reference {
        Reference::Branch(name) => named(session, format!("refs/heads/{name}")).await,
        Reference::Tag(name) => named(session, format!("refs/tags/{name}")).await,
        Reference::Semver(range) => highest(session, range, scratch).await,
        Reference::Name(name) => by_name(session, name).await,
        Reference::Commit { id, branch } => {
            let reference = branch.as_ref().map(|name| format!("refs/heads/{name}"));
            if let Some(name) = &reference {
                named(session, name.clone()).await?;
            }
            Ok(Target { commit: id.clone(), reference, is_pinned: true })
        }
    }
}

/// Where the history is in which a pinned commit may be.
pub(crate) async fn tips(session: &Session, target: &Target) -> Result<Vec<ObjectId>, Error> {
    let (prefix, exact) = match &target.reference {
        Some(name) => (name.clone(), true),
        None => ("refs/heads/".to_owned(), false),
    };
    let refs = session.refs(std::slice::from_ref(&prefix), ALL).await?;
    let mut tips: Vec<ObjectId> =
        refs.into_iter().filter(|one| !exact || one.name == prefix).map(|one| one.id).collect();
    tips.sort_unstable();
    tips.dedup();
    if tips.is_empty() { Err(Error::EmptyRepository) } else { Ok(tips) }
}

async fn named(session: &Session, name: String) -> Result<Target, Error> {
    match find(session, &name).await? {
        Some(found) => Ok(Target::of(found)),
        // Flux tells a missing reference from a repository that has none.
        None if session.refs(&[], 1).await?.is_empty() => Err(Error::EmptyRepository),
        None => Err(Error::ReferenceNotFound { name }),
    }
}

async fn by_name(session: &Session, name: &str) -> Result<Target, Error> {
    if name.starts_with('/') || name.ends_with('/') {
        return Err(Error::InvalidName { name: name.to_owned() });
    }
    // `^{}` asks for what the tag points to, which is what we always do.
    let asked = name.strip_suffix("^{}").unwrap_or(name);
    match find(session, asked).await? {
        Some(found) => Ok(Target { reference: Some(name.to_owned()), ..Target::of(found) }),
        None if session.refs(&[], 1).await?.is_empty() => Err(Error::EmptyRepository),
        None => Err(Error::NameNotFound { name: name.to_owned() }),
    }
}

async fn find(session: &Session, name: &str) -> Result<Option<RemoteRef>, Error> {
    // A name that git does not allow would only confuse the server.
    if name.contains(|c: char| c.is_ascii_control() || c == ' ') {
        return Ok(None);
    }
    let refs = session.refs(&[name.to_owned()], ALL).await?;
    Ok(refs.into_iter().find(|one| one.name == name))
}

async fn highest(session: &Session, range: &str, scratch: &Path) -> Result<Target, Error> {
    let constraint = Constraint::parse(range).map_err(Error::Semver)?;
    let tags = session.refs(&["refs/tags/".to_owned()], ALL).await?;
    let mut best: Vec<(Version, RemoteRef)> = Vec::new();
    for tag in &tags {
        let version = tag.name.strip_prefix("refs/tags/").and_then(version);
        let Some(version) = version.filter(|version| constraint.check(version)) else {
            continue;
        };
        match best.first().map_or(Ordering::Greater, |(highest, _)| version.cmp(highest)) {
            Ordering::Less => {}
            Ordering::Equal => best.push((version, tag.clone())),
            Ordering::Greater => best = vec![(version, tag.clone())],
        }
    }
    if best.is_empty() && tags.is_empty() && session.refs(&[], 1).await?.is_empty() {
        return Err(Error::EmptyRepository);
    }
    let best = best.into_iter().map(|(_, tag)| tag).collect();
    match youngest(session, best, scratch).await? {
        Some(found) => Ok(Target::of(found)),
        None => Err(Error::NoMatch { range: range.to_owned() }),
    }
}

/// Flux: versions that differ only in build metadata are ordered by the time of their commits.
async fn youngest(
    session: &Session,
    mut tied: Vec<RemoteRef>,
    scratch: &Path,
) -> Result<Option<RemoteRef>, Error> {
    if tied.iter().any(|tag| tag.id != tied[0].id) {
        let mut wants: Vec<ObjectId> = tied.iter().map(|tag| tag.id).collect();
        wants.sort_unstable();
        wants.dedup();
        let snapshot = session.objects(&wants, Some(1), scratch).await?;
        let mut objects = snapshot.objects();
        let mut times = Vec::with_capacity(tied.len());
        for tag in tied {
            let commit = objects.commit(&tag.id.to_string())?;
            times.push((commit.committer.seconds, tag));
        }
        times.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.name.cmp(&other.name)));
        return Ok(times.pop().map(|(_, tag)| tag));
    }
    tied.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tied.pop())
}

/// Flux takes no tag for a version that has not three parts; a `v` and leading zeros are allowed.
fn version(tag: &str) -> Option<Version> {
    let bare = tag.strip_prefix('v').unwrap_or(tag);
    (bare.splitn(3, '.').count() == 3).then(|| Version::parse(tag).ok()).flatten()
}

impl Target {
    fn of(found: RemoteRef) -> Self {
        Self { commit: found.id.to_string(), reference: Some(found.name), is_pinned: false }
    }
}
