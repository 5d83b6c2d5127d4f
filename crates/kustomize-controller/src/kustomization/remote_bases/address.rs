//! How kustomizations name directories of other repositories, and files. Pure.

use file_tree::{PathError, TreePath};
use git_client::Reference;

/// Words that stand for GitHub.
const GITHUB: [&str; 3] = ["gh:", "github.com/", "github.com:"];

/// What an address stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A plain file, at this address.
    File(String),
    /// A directory of a repository.
    Directory(Place),
}

/// A directory of another repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where git finds the repository.
    pub(super) repository: String,
    /// What of it: a name of unknown kind may be that of a tag or a branch, in this order.
    pub(super) revisions: Vec<Reference>,
    /// The directory in it.
    pub(super) directory: TreePath,
}

/// Why an address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// It is not reached by http.
    #[error(
        "it must be an https address of a git repository, as in \
         https://HOST/REPOSITORY//DIRECTORY?ref=TAG"
    )]
    NotHttps,
    /// It holds a login.
    #[error("it holds a login, and remote bases are fetched without any")]
    Login,
    /// It names no repository.
    #[error("it names no repository")]
    NoRepository,
    /// The directory is outside of the repository.
    #[error("its directory is not in the repository")]
    Directory(#[source] PathError),
}

/// How names of files with resources end.
const FILES: [&str; 3] = [".yaml", ".yml", ".json"];

/// Takes an address apart as kustomize does (`api/internal/git/repospec.go`): what stands behind
/// `//`, or behind `.git/`, is a directory; without either, so is all behind the second name.
///
/// Differs: kustomize asks for a file first, and for a repository if there is none; here the name
/// tells. One that ends as files with resources do, and says nothing of a repository, is a file.
pub(super) fn parse(text: &str) -> Result<Address, AddressError> {
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    let (is_git, place) = place.strip_prefix("git::").map_or((false, place), |it| (true, it));
    let place = GITHUB
        .iter()
        .find_map(|word| without_prefix(place, word))
        .map_or_else(|| place.to_owned(), |rest| format!("https://github.com/{rest}"));
    let (scheme, rest) = place.split_once("://").ok_or(AddressError::NotHttps)?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(AddressError::NotHttps);
    }
    let (host, path) = rest.split_once('/').ok_or(AddressError::NoRepository)?;
    if host.contains('@') {
        return Err(AddressError::Login);
    }
    let says_repository = path.contains("//") || path.contains(".git/") || path.contains("_git/");
    if !is_git && !says_repository && FILES.iter().any(|end| path.ends_with(end)) {
        let query = text.find('?').map_or("", |at| &text[at..]);
        return Ok(Address::File(format!("{place}{query}")));
    }
    let (repository, directory) = divided(path);
    if host.is_empty() || repository.is_empty() {
        return Err(AddressError::NoRepository);
    }
    let directory =
        TreePath::parse(directory.trim_matches('/')).map_err(AddressError::Directory)?;
    let repository = format!("{scheme}://{host}/{repository}");
    Ok(Address::Directory(Place { repository, revisions: revisions(query), directory }))
}

/// The path of a repository, and that of a directory in it.
fn divided(path: &str) -> (&str, &str) {
    if let Some(parts) = path.split_once("//") {
        return parts;
    }
    if let Some(at) = path.find(".git/") {
        return (&path[..at + ".git".len()], &path[at + ".git/".len()..]);
    }
    if path.strip_suffix(".git").is_some() {
        return (path, "");
    }
    // Azure has one name more.
    let names =
        if path.contains("/_git/") { path.split('/').position(|it| it == "_git") } else { None };
    let names = names.map_or(2, |at| at + 2);
    match path.match_indices('/').nth(names - 1) {
        Some((at, _)) => (&path[..at], &path[at + 1..]),
        None => (path, ""),
    }
}

fn revisions(query: &str) -> Vec<Reference> {
    let value = |key: &str| {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(name, value)| *name == key && !value.is_empty()).map(|(_, value)| value)
    };
    let Some(name) = value("ref").or_else(|| value("version")) else {
        return vec![Reference::Name("HEAD".to_owned())];
    };
    let is_commit = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = name.to_owned();
    if is_commit {
        vec![Reference::Commit { id: name.to_ascii_lowercase(), branch: None }]
    } else if name.starts_with("refs/") {
        vec![Reference::Name(name)]
    } else {
        vec![Reference::Tag(name.clone()), Reference::Branch(name)]
    }
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        match parse(text).unwrap() {
            Address::Directory(place) => place,
            file @ Address::File(_) => panic!("{file:?}"),
        }
    }

    #[test]
    fn a_name_like_that_of_a_file_is_one() {
        for file in ["https://h/a.yaml", "https://h/o/r/v1/a.yml?x=1", "https://h:8443/a.json"] {
            assert_eq!(parse(file), Ok(Address::File(file.to_owned())));
        }
        for directory in [
            "https://h/o/r//a.yaml",
            "https://h/o/r.git/a.yaml",
            "git::https://h/o/r/a.yaml",
            "https://h/o/r?ref=a.yaml",
        ] {
            place(directory);
        }
        assert_eq!(parse("https://me:canary@h/a.yaml"), Err(AddressError::Login));
    }

    #[test]
    fn addresses_are_taken_apart_as_kustomize_does() {
        for (text, repository, directory) in [
            ("https://h/o/r//a/b?ref=v1", "https://h/o/r", "a/b"),
            ("https://h:8443/o/deep/r.git//a", "https://h:8443/o/deep/r.git", "a"),
            ("https://h/o/deep/r.git/a/b", "https://h/o/deep/r.git", "a/b"),
            ("https://h/r.git", "https://h/r.git", ""),
            ("https://h/o/r/a/b", "https://h/o/r", "a/b"),
            ("https://h/o/r", "https://h/o/r", ""),
            ("https://dev.azure.com/o/p/_git/r/a", "https://dev.azure.com/o/p/_git/r", "a"),
            ("git::https://h/o/r//a", "https://h/o/r", "a"),
            ("github.com/o/r/a?ref=main", "https://github.com/o/r", "a"),
            ("GitHub.com:o/r.git", "https://github.com/o/r.git", ""),
            ("gh:o/r//a", "https://github.com/o/r", "a"),
        ] {
            let found = place(text);
            assert_eq!(
                (found.repository.as_str(), found.directory.as_str()),
                (repository, directory),
                "{text}"
            );
        }
    }

    #[test]
    fn a_revision_may_be_a_tag_a_branch_or_a_commit() {
        let of = |query: &str| place(&format!("https://h/o/r{query}")).revisions;
        let id = "0123456789abcdef0123456789ABCDEF01234567";
        assert_eq!(of(""), [Reference::Name("HEAD".to_owned())]);
        let name = "v1".to_owned();
        let either = [Reference::Tag(name.clone()), Reference::Branch(name)];
        assert_eq!(of("?timeout=1m&ref=v1"), either);
        assert_eq!(of("?version=v1"), either);
        let commit = Reference::Commit { id: id.to_ascii_lowercase(), branch: None };
        assert_eq!(of(&format!("?ref={id}")), [commit]);
        assert_eq!(of("?ref=refs/heads/x"), [Reference::Name("refs/heads/x".to_owned())]);
    }

    #[test]
    fn what_is_no_plain_https_address_is_refused() {
        for text in ["ssh://git@h/o/r", "git@github.com:o/r", "file:///etc", "o/r"] {
            assert_eq!(parse(text), Err(AddressError::NotHttps), "{text}");
        }
        assert_eq!(parse("https://me:canary@h/o/r"), Err(AddressError::Login));
        assert_eq!(parse("https://h"), Err(AddressError::NoRepository));
        assert_eq!(parse("https:///o/r"), Err(AddressError::NoRepository));
        assert!(matches!(parse("https://h/o/r//../x"), Err(AddressError::Directory(_))));
    }
}
