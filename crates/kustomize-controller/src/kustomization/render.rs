//! Manifests from files: generate, build, substitute. Pure, unless remote bases are fetched.

use std::fmt::Write as _;
use std::sync::Arc;

use crd_types::kustomize::Kustomization;
use crd_types::metadata::kustomize::{DISABLED, SUBSTITUTE};
use crd_types::object_selection::{Image, Json6902Patch, Patch, Selector};
use file_tree::{FileTree, TreePath};
use kustomize_build::generate::{self, Overlay};
use kustomize_build::{Reads, build_noting};
use manifest::{Object, ObjectError};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::decrypt::{
    Decryptor, KeysError, ObjectError as ObjectDecryptError, SourceError, Sources,
};
use super::evidence::Evidence;
use super::fetch::TREE_NAME;
use super::inputs::{self, Variables};
use super::remote_bases::{self, Fetcher};

/// Limit: bytes of all objects that hold variables, when these are replaced.
const MAX_SUBSTITUTED_BYTES: usize = 256 << 20;

/// What a build is made from, besides the tree.
#[derive(Debug)]
pub(super) struct Recipe {
    overlay: Overlay,
    variables: Result<Variables, inputs::Error>,
    decryptor: Result<Option<Decryptor>, KeysError>,
    /// Whether a variable without value is an error.
    strict: bool,
    /// Whether substitution takes place even if there are no variables.
    always: bool,
    /// Fetches bases of other repositories; none if they are refused.
    bases: Option<Fetcher>,
}

/// The objects of a revision.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    pub(super) objects: Vec<Object>,
    /// What they were made of.
    pub(super) evidence: Evidence,
}

/// Why there are no objects.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No kustomization could be made of the files.
    #[error(transparent)]
    Generate(Box<kustomize_build::Error>),
    /// There are no keys.
    #[error(transparent)]
    Keys(Box<KeysError>),
    /// Files could not be decrypted.
    #[error("error decrypting sources")]
    Sources(#[source] Box<SourceError>),
    /// An object could not be decrypted.
    #[error("decryption failed for '{object}'")]
    Decrypt {
        object: String,
        #[source]
        source: Box<ObjectDecryptError>,
    },
    /// The kustomization could not be built.
    #[error("kustomize build failed")]
    Build(#[source] Box<kustomize_build::Error>),
    /// A base of another repository could not be brought here.
    #[error("kustomize build failed: remote base '{url}' cannot be fetched")]
    RemoteBase {
        url: String,
        #[source]
        source: Box<remote_bases::Error>,
    },
    /// The variables could not be put together, or not be substituted.
    #[error("post build failed for '{object}'")]
    PostBuild {
        object: String,
        #[source]
        source: PostBuildError,
    },
    /// The build was cut off by a bug.
    #[error("recovered from kustomize build panic")]
    Panicked,
}

/// What went wrong after the build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostBuildError {
    #[error(transparent)]
    Inputs(inputs::Error),
    #[error("envsubst error: variable substitution failed")]
    Substitution(#[source] variable_substitution::Error),
    #[error("the objects take more than {limit_bytes} bytes after substitution")]
    TooLarge { limit_bytes: usize },
    #[error("the object is no YAML after substitution")]
    Yaml(#[source] yaml::Error),
    #[error("the result is no object")]
    Object(#[source] ObjectError),
}

impl Recipe {
    /// The recipe of an object.
    pub(super) fn of(
        ks: &Kustomization,
        variables: Result<Variables, inputs::Error>,
        decryptor: Result<Option<Decryptor>, KeysError>,
        strict: bool,
        bases: Option<Fetcher>,
    ) -> Self {
        let spec = &ks.spec;
        let post_build = spec.post_build.as_ref();
        let strategy = post_build.and_then(|post_build| post_build.substitute_strategy.as_deref());
        let overlay = Overlay {
            target_namespace: spec.target_namespace.clone(),
            name_prefix: spec.name_prefix.clone(),
            name_suffix: spec.name_suffix.clone(),
            patches: spec.patches.iter().map(patch).collect(),
            components: spec.components.clone(),
            ignore_missing_components: spec.ignore_missing_components,
            images: spec.images.iter().map(image).collect(),
            build_metadata: spec.build_metadata.clone(),
            patches_strategic_merge: spec.patches_strategic_merge.clone(),
            patches_json6902: spec.patches_json6902.iter().map(json_patch).collect(),
        };
        let always = strategy == Some("Always");
        Self { overlay, variables, decryptor, strict, always, bases }
    }

    /// Renders the directory of the tree. `secrets` learns the texts that were encrypted, which no
    /// message may show, also if it fails.
    pub(super) fn render(
        mut self,
        tree: &Arc<FileTree>,
        root: &TreePath,
        secrets: &mut Vec<String>,
    ) -> Result<Rendered, Error> {
        let kustomization = generate::kustomization(tree, root, &self.overlay, TREE_NAME)
            .map_err(|error| Error::Generate(Box::new(error)))?;
        let decryptor = std::mem::replace(&mut self.decryptor, Ok(None));
        let decryptor = decryptor.map_err(|error| Error::Keys(Box::new(error)))?;
        let sources = match &decryptor {
            Some(decryptor) => decryptor.sources(tree, &kustomization),
            None => Ok(Sources { tree: Arc::clone(tree), secrets: Vec::new(), doubt: None }),
        };
        let Sources { tree: decrypted, secrets: of_files, doubt } =
            sources.map_err(|error| Error::Sources(Box::new(error)))?;
        let files = of_files.len();
        secrets.splice(..0, of_files);
        let mut options = kustomize_build::Options::controller();
        TREE_NAME.clone_into(&mut options.root_name);
        let mut reads = Reads::default();
        let built = match &self.bases {
            Some(bases) => bases.build(&decrypted, &kustomization, &mut options, &mut reads)?,
            None => build_noting(&decrypted, &kustomization, &options, &mut reads)
                .map_err(|error| Error::Build(Box::new(error)))?,
        };
        let objects = built.into_objects();
        let mut objects = objects.map_err(|error| Error::Build(Box::new(error)))?;
        if let Some(decryptor) = &decryptor {
            decrypt(decryptor, &mut objects, secrets)?;
        }
        if let Some(doubt) = doubt {
            return Err(Error::Sources(Box::new(doubt)));
        }
        self.substitute(&mut objects, MAX_SUBSTITUTED_BYTES)?;
        let is_whole = options.remote_bases.is_empty();
        let evidence = Evidence::new(reads, tree, digest(&objects), is_whole);
        // Nothing quotes files from here on, and much of what they say is said elsewhere, too.
        secrets.drain(..files);
        Ok(Rendered { objects, evidence })
    }

    fn substitute(&self, objects: &mut [Object], limit_bytes: usize) -> Result<(), Error> {
        let Some(first) = objects.first() else { return Ok(()) };
        let variables = self.variables.as_ref().map_err(|error| Error::PostBuild {
            object: name(first),
            source: PostBuildError::Inputs(error.clone()),
        })?;
        // Flux: without a variable nothing is substituted, not even a default (varsub.go).
        if variables.is_empty() && !self.always {
            return Ok(());
        }
        let mut left_bytes = limit_bytes;
        for object in objects {
            let opted_out = [object.label(SUBSTITUTE), object.annotation(SUBSTITUTE)];
            if !opted_out.contains(&Some(DISABLED)) {
                let failed = |source| Error::PostBuild { object: name(object), source };
                let Some(text) = self.substituted(object, variables).map_err(failed)? else {
                    continue;
                };
                left_bytes = left_bytes
                    .checked_sub(text.len())
                    .ok_or_else(|| failed(PostBuildError::TooLarge { limit_bytes }))?;
                *object = parsed(&text).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// The text of the object with its variables replaced; none if it has none.
    fn substituted(
        &self,
        object: &Object,
        variables: &Variables,
    ) -> Result<Option<String>, PostBuildError> {
        let text = yaml::emit(&Value::Object(object.fields().clone()));
        if !text.contains('$') {
            return Ok(None);
        }
        let options = variable_substitution::Options { strict: self.strict };
        variable_substitution::substitute(&text, &|name| variables.get(name), &options)
            .map(Some)
            .map_err(PostBuildError::Substitution)
    }
}

/// The object that a text is: by way of it a number stays a number.
fn parsed(text: &str) -> Result<Object, PostBuildError> {
    let document = yaml::parse(text.as_bytes()).map_err(PostBuildError::Yaml)?;
    Object::new(document).map_err(PostBuildError::Object)
}

/// Decrypts the objects where they stand. `secrets` learns the texts that were secret.
fn decrypt(
    decryptor: &Decryptor,
    objects: &mut [Object],
    secrets: &mut Vec<String>,
) -> Result<(), Error> {
    for object in objects {
        let opened = decryptor
            .object(object)
            .map_err(|source| Error::Decrypt { object: name(object), source: Box::new(source) })?;
        secrets.extend(opened);
    }
    Ok(())
}

/// An object as kustomize names it: `ConfigMap.v1.[noGrp]/name`.
fn name(object: &Object) -> String {
    let gvk = object.gvk();
    let group = if gvk.group.is_empty() { "[noGrp]" } else { &gvk.group };
    format!("{}.{}.{group}/{}", gvk.kind, gvk.version, object.name())
}

/// The digest of a build: of its YAML stream, as Flux has it in the history.
fn digest(objects: &[Object]) -> String {
    let mut hasher = Sha256::new();
    for (n, object) in objects.iter().enumerate() {
        if n > 0 {
            hasher.update("---\n");
        }
        hasher.update(yaml::emit(&Value::Object(object.fields().clone())));
    }
    let mut digest = "sha256:".to_owned();
    for byte in hasher.finalize() {
        _ = write!(digest, "{byte:02x}");
    }
    digest
}

fn patch(patch: &Patch) -> generate::Patch {
    generate::Patch { patch: patch.patch.clone(), target: patch.target.as_ref().map(selector) }
}

fn json_patch(patch: &Json6902Patch) -> generate::Json6902Patch {
    let operation = |operation| serde_json::to_value(operation).unwrap_or_default();
    generate::Json6902Patch {
        patch: patch.patch.iter().map(operation).collect(),
        target: selector(&patch.target),
    }
}

pub(super) fn selector(selector: &Selector) -> generate::Selector {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    generate::Selector {
        group: text(&selector.group),
        version: text(&selector.version),
        kind: text(&selector.kind),
        name: text(&selector.name),
        namespace: text(&selector.namespace),
        label_selector: text(&selector.label_selector),
        annotation_selector: text(&selector.annotation_selector),
    }
}

fn image(image: &Image) -> generate::Image {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    generate::Image {
        name: image.name.clone(),
        new_name: text(&image.new_name),
        new_tag: text(&image.new_tag),
        digest: text(&image.digest),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_that_multiply_end_at_a_limit() {
        let variables = Variables::with("V", &"v".repeat(100));
        let recipe = Recipe::of(&Kustomization::default(), Ok(variables), Ok(None), false, None);
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
            "data": {"a": "$V ${V}${V}"}});
        let mut objects = vec![Object::new(object).unwrap(); 10];
        let refused = recipe.substitute(&mut objects.clone(), 2000).unwrap_err();
        let limit = "the objects take more than 2000 bytes after substitution";
        assert_eq!(cluster_apply::chain(&refused).matches(limit).count(), 1);
        recipe.substitute(&mut objects, 4000).unwrap();
        assert_eq!(objects[9].fields()["data"]["a"], "$V ".to_owned() + &"v".repeat(200));
    }
}
