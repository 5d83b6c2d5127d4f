//! What a build needs besides the artifact: the variables of `spec.postBuild`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use cluster_apply::chain;
use crd_types::kustomize::{Kustomization, SubstituteReference};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt as _};
use reconcile_loop::controller::api_error;
use sha2::{Digest as _, Sha256};

use super::decrypt::{Decryptor, KeysError};
use crate::context::Context;

/// The variables of a build.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables {
    all: BTreeMap<String, String>,
    /// Values that came from Secrets.
    secret: Vec<String>,
}

/// Why the variables could not be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// A reference that is not optional could not be read.
    #[error("substitute from '{kind}/{name}' error: {message}")]
    Reference { kind: String, name: String, message: String },
    /// A value of a Secret is no text.
    #[error("substitute from 'Secret/{name}' error: the value of key '{key}' is not UTF-8")]
    NotText { name: String, key: String },
    /// A name that no variable can have.
    #[error("'{name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'")]
    Name { name: String },
}

/// Prints the names alone: values may be secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

impl Variables {
    /// One variable.
    #[cfg(test)]
    pub(crate) fn with(name: &str, value: &str) -> Self {
        let all = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self { all, secret: Vec::new() }
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The text without values of Secrets: a refusal may quote what it refuses.
    ///
    /// Limit: values of less than four bytes are left, or every word would be a secret.
    pub(crate) fn masked(&self, text: &str) -> String {
        let mut long: Vec<&String> = self.secret.iter().filter(|value| value.len() >= 4).collect();
        // The longest first: what is part of another one would leave the rest of it.
        long.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
        long.into_iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), "*****"))
    }

    /// Adds texts that messages must not show.
    pub(crate) fn hide(&mut self, secrets: Vec<String>) {
        self.secret.extend(secrets);
    }

    /// A later value wins.
    ///
    /// Flux: line ends are taken out, so a value of several lines becomes one (pkg, `varsub.go`).
    fn insert(&mut self, name: String, value: &str) -> Result<(), Error> {
        if !variable_substitution::valid_name(&name) {
            return Err(Error::Name { name });
        }
        self.all.insert(name, value.replace('\n', ""));
        Ok(())
    }
}

/// Reads the variables: the references in order, then those that stand in the object itself.
pub(super) async fn variables(ks: &Kustomization, ctx: &Context) -> Result<Variables, Error> {
    let mut variables = Variables::default();
    let Some(post_build) = &ks.spec.post_build else { return Ok(variables) };
    let namespace = ks.namespace().unwrap_or_default();
    for reference in &post_build.substitute_from {
        for (name, value) in read(reference, &namespace, ctx).await? {
            if reference.kind == "Secret" {
                variables.secret.extend([value.clone(), value.replace('\n', "")]);
            }
            variables.insert(name, &value)?;
        }
    }
    for (name, value) in &post_build.substitute {
        variables.insert(name.clone(), value)?;
    }
    Ok(variables)
}

/// A digest of the variables and keys, by which a change is seen. A failure has one too: as long as it stays
/// the same, so does the outcome.
pub(super) fn digest(
    variables: &Result<Variables, Error>,
    decryptor: &Result<Option<Decryptor>, KeysError>,
) -> String {
    let mut hasher = Sha256::new();
    match variables {
        Ok(variables) => {
            for (name, value) in &variables.all {
                hasher.update((name.len() as u64).to_le_bytes());
                hasher.update(name);
                hasher.update((value.len() as u64).to_le_bytes());
                hasher.update(value);
            }
        }
        Err(error) => hasher.update(error.to_string()),
    }
    match decryptor {
        Ok(Some(decryptor)) => hasher.update(decryptor.digest()),
        Ok(None) => {}
        Err(error) => hasher.update(chain(error)),
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
    }
    hex
}

async fn read(
    reference: &SubstituteReference,
    namespace: &str,
    ctx: &Context,
) -> Result<BTreeMap<String, String>, Error> {
    let client = ctx.runtime.client.clone();
    let name = &reference.name;
    let found = if reference.kind == "Secret" {
        let api: Api<Secret> = Api::namespaced(client, namespace);
        match api.get(name).await {
            Ok(secret) => Ok(texts(name, secret)?),
            Err(error) => Err(error),
        }
    } else {
        let api: Api<ConfigMap> = Api::namespaced(client, namespace);
        api.get(name).await.map(|config| config.data.unwrap_or_default())
    };
    match found {
        Ok(data) => Ok(data),
        Err(kube::Error::Api(status)) if status.code == 404 && reference.optional => {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(Error::Reference {
            kind: reference.kind.clone(),
            name: name.clone(),
            message: api_error(&error),
        }),
    }
}

fn texts(name: &str, secret: Secret) -> Result<BTreeMap<String, String>, Error> {
    let mut texts = BTreeMap::new();
    for (key, value) in secret.data.unwrap_or_default() {
        // The error must not carry the value, which the source of this one would.
        let Ok(text) = String::from_utf8(value.0) else {
            return Err(Error::NotText { name: name.to_owned(), key });
        };
        texts.insert(key, text);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_part_of_another_secret_leaves_nothing_of_it() {
        let mut variables = Variables::default();
        variables.hide(["word", "password-of-word", "abc"].map(str::to_owned).into());
        let masked = variables.masked("abc: password-of-word, word");
        assert_eq!(masked, "abc: *****, *****");
    }
}
