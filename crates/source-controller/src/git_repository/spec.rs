//! What a specification asks for, and what of it is beyond us yet.

use std::time::Duration;

use crd_types::source::{GitRepository, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus};
use git_client::Reference;

use super::halt::Halt;
use crate::source::duration;

/// What a specification asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) url: String,
    pub(crate) reference: Reference,
    pub(crate) timeout: Duration,
    pub(crate) ignore: Option<String>,
    /// As written, and in that order.
    pub(crate) sparse_checkout: Vec<String>,
}

const DEFAULT_BRANCH: &str = "master";
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

impl Wish {
    /// Reads a specification.
    ///
    /// # Errors
    /// If it asks for what is not supported yet.
    pub(crate) fn of(repository: &GitRepository) -> Result<Self, Halt> {
        if let Some((what, instead)) = unsupported(repository) {
            return Err(Halt::Unsupported { what, instead });
        }
        let spec = &repository.spec;
        Ok(Self {
            url: spec.url.clone(),
            reference: reference(spec.reference.as_ref()),
            timeout: duration(spec.timeout.as_ref(), DEFAULT_TIMEOUT),
            ignore: spec.ignore.clone(),
            sparse_checkout: spec.sparse_checkout.clone(),
        })
    }

    /// Whether the list of references alone shows that nothing changed.
    ///
    /// Flux: only for these three; for the others it clones, and says so in other words.
    pub(crate) fn is_seen_in_refs(&self) -> bool {
        match self.reference {
            Reference::Branch(_) | Reference::Tag(_) | Reference::Name(_) => true,
            Reference::Semver(_) | Reference::Commit { .. } => false,
        }
    }
}

/// Whether the specification asks for another content than the artifact has.
pub(crate) fn content_changed(repository: &GitRepository) -> bool {
    let spec = &repository.spec;
    let status = repository.status.clone().unwrap_or_default();
    spec.ignore != status.observed_ignore
        || spec.recurse_submodules != status.observed_recurse_submodules
        || spec.include != status.observed_include
        || spec.sparse_checkout != status.observed_sparse_checkout
        || !status.included_artifacts.is_empty()
}

/// Notes what content the artifact has that was just stored.
pub(crate) fn observe(status: &mut GitRepositoryStatus, spec: &GitRepositorySpec) {
    status.included_artifacts.clear();
    status.observed_ignore.clone_from(&spec.ignore);
    status.observed_include.clone_from(&spec.include);
    status.observed_recurse_submodules = spec.recurse_submodules;
    status.observed_sparse_checkout.clone_from(&spec.sparse_checkout);
}

/// Flux: tag goes before semver, whatever its documentation says.
fn reference(spec: Option<&GitRepositoryRef>) -> Reference {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let spec = spec.cloned().unwrap_or_default();
    let branch = given(&spec.branch);
    if let Some(id) = given(&spec.commit) {
        Reference::Commit { id, branch }
    } else if let Some(name) = given(&spec.name) {
        Reference::Name(name)
    } else if let Some(tag) = given(&spec.tag) {
        Reference::Tag(tag)
    } else if let Some(range) = given(&spec.semver) {
        Reference::Semver(range)
    } else {
        Reference::Branch(branch.unwrap_or_else(|| DEFAULT_BRANCH.to_owned()))
    }
}

/// Limit: what is not built yet stalls the object, rather than to be left out silently.
fn unsupported(repository: &GitRepository) -> Option<(&'static str, &'static str)> {
    let spec = &repository.spec;
    let provider = spec.provider.as_deref().unwrap_or("generic");
    [
        (spec.url.starts_with("ssh://"), "ssh in spec.url", "use https"),
        (spec.verify.is_some(), "spec.verify", "remove it"),
        (!spec.include.is_empty(), "spec.include", "remove it"),
        (spec.recurse_submodules, "spec.recurseSubmodules", "remove it"),
        (!matches!(provider, "generic" | ""), "this spec.provider", "remove it"),
    ]
    .into_iter()
    .find_map(|(is_asked_for, what, instead)| is_asked_for.then_some((what, instead)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_reference_wins() {
        let some = |text: &str| Some(text.to_owned());
        let all = GitRepositoryRef {
            branch: some("b"),
            commit: some("c"),
            name: some("n"),
            semver: some("s"),
            tag: some("t"),
        };
        let commit = Reference::Commit { id: "c".into(), branch: some("b") };
        assert_eq!(reference(Some(&all)), commit);
        let all = GitRepositoryRef { commit: None, ..all };
        assert_eq!(reference(Some(&all)), Reference::Name("n".into()));
        let all = GitRepositoryRef { name: some(""), ..all };
        assert_eq!(reference(Some(&all)), Reference::Tag("t".into()));
        let all = GitRepositoryRef { tag: None, ..all };
        assert_eq!(reference(Some(&all)), Reference::Semver("s".into()));
        assert_eq!(reference(None), Reference::Branch("master".into()));
    }
}
