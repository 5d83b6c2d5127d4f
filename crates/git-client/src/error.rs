//! Why a repository could not be read, in the words of the Go controllers where they have any.

use std::io;

use http_access::Cause;

use crate::access::InvalidAccess;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The access cannot be used; nothing was sent.
    #[error(transparent)]
    Access(#[from] InvalidAccess),
    /// The server could not be asked.
    #[error("{method} \"{url}\"")]
    Request {
        /// `Get` or `Post`.
        method: &'static str,
        /// Without credentials.
        url: String,
        /// What happened.
        #[source]
        source: Cause,
    },
    /// 401.
    #[error("authentication required: {reason}")]
    AuthenticationRequired {
        /// The body of the answer, cut.
        reason: String,
    },
    /// 403.
    #[error("authorization failed: {reason}")]
    AuthorizationFailed {
        /// The body of the answer, cut.
        reason: String,
    },
    /// 404.
    #[error("repository not found: {reason}")]
    RepositoryNotFound {
        /// The body of the answer, cut.
        reason: String,
    },
    /// Another status.
    #[error(
        "unexpected client error: unexpected requesting \"{url}\" status code: {status}{}",
        if .reason.is_empty() { String::new() } else { format!(": {}", .reason) }
    )]
    Status {
        /// Without credentials.
        url: String,
        /// The number.
        status: u16,
        /// The body of the answer, cut.
        reason: String,
    },
    /// The server sends us on in a way that we do not follow.
    #[error("refusing the redirect from \"{url}\": {why}")]
    Redirect {
        /// Without credentials.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The answer broke off.
    #[error("cannot read the answer of the server")]
    Read(#[source] Cause),
    /// The answer is not git's.
    #[error("unexpected answer of the server: {what}")]
    Protocol {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The git server itself refuses.
    #[error("unknown error: remote: {message}")]
    Remote {
        /// What it says, cut.
        message: String,
    },
    /// The server sends more than we accept.
    #[error("{what} exceed the limit of {limit}")]
    TooLarge {
        /// Of what there is too much.
        what: &'static str,
        /// With its unit.
        limit: String,
    },
    /// There is no reference at all.
    #[error("remote repository is empty")]
    EmptyRepository,
    /// There is no such branch or tag.
    #[error("couldn't find remote ref \"{name}\"")]
    ReferenceNotFound {
        /// The full name.
        name: String,
    },
    /// There is no such reference, where `ref.name` asked for one.
    #[error("unable to resolve ref '{name}' to a specific commit")]
    NameNotFound {
        /// As written.
        name: String,
    },
    /// The name cannot be one.
    #[error("ref {name} is invalid; Git refs cannot begin or end with a slash '/'")]
    InvalidName {
        /// As written.
        name: String,
    },
    /// The range cannot be read.
    #[error("semver parse error")]
    Semver(#[source] semver_range::ConstraintError),
    /// No tag is in the range.
    #[error("no match found for semver: {range}")]
    NoMatch {
        /// As written.
        range: String,
    },
    /// The repository has no such commit.
    #[error("unable to resolve commit object for '{id}': object not found")]
    CommitNotFound {
        /// As written.
        id: String,
    },
    /// The objects that came are broken or incomplete.
    #[error("cannot {action} of the repository: {detail}")]
    Objects {
        /// What we were doing.
        action: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A directory holds a name that is none.
    #[error("the repository holds a file with the invalid name {name:?}")]
    FileName {
        /// The name, cut.
        name: String,
    },
    /// The objects could not be put on our disk.
    #[error("cannot store the objects of the repository")]
    Disk(#[source] io::Error),
    /// The work was given up half-way, because of a panic or because the process ends.
    #[error("the work on the repository was aborted")]
    Aborted,
}

/// Longest text of a server that goes into an error, in characters.
pub(crate) const QUOTED_CHARS: usize = 1024;

/// What a server said, short enough for a message.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(QUOTED_CHARS).collect()
}
