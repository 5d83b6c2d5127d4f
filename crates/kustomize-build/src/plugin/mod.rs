//! Built-in plugins: configured by a field of the kustomization, or by a document of their own.

mod configure;
mod from_document;
mod from_fields;

pub(crate) use from_document::{generator, transformer};
pub(crate) use from_fields::{generated, transformers};

use crate::budget::Overspent;
use crate::config::MergeError;
use crate::documents::DocumentError;
use crate::generator::GeneratorError;
use crate::json_patch::JsonPatchError;
use crate::kustomization::ShapeError;
use crate::loader::LoadError;
use crate::selector::SelectorError;
use crate::transform::TransformError;

/// Why a plugin cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// It is not one of kustomize's own.
    #[error("external plugins disabled; unable to load external plugin '{kind}'")]
    External {
        /// The kind.
        kind: String,
    },
    /// There is no such plugin.
    #[error("unable to load builtin {kind}")]
    Unknown {
        /// The kind.
        kind: String,
    },
    /// A transformer stands where a generator is wanted.
    #[error("plugin {id} not a generator")]
    NotAGenerator {
        /// The plugin.
        id: String,
    },
    /// A generator stands where a transformer is wanted.
    #[error("plugin {id} not a transformer")]
    NotATransformer {
        /// The plugin.
        id: String,
    },
    /// A field of the kustomization is no configuration.
    #[error("trouble configuring builtin {kind} with config: `\n{config}`")]
    Field {
        /// The plugin.
        kind: &'static str,
        /// The configuration, as YAML.
        config: String,
        /// Why.
        #[source]
        source: Box<ConfigError>,
    },
    /// A document is no configuration.
    #[error("plugin {id} fails configuration")]
    Document {
        /// The plugin.
        id: String,
        /// Why.
        #[source]
        source: Box<ConfigError>,
    },
    /// Helm charts are not inflated.
    #[error(
        "{field}: Helm charts are not inflated by a kustomization, use a HelmRelease instead: must \
         specify --enable-helm"
    )]
    Helm {
        /// The field.
        field: &'static str,
    },
    /// Helm charts are not inflated, as kustomize says it.
    #[error(
        "trouble configuring builtin HelmChartInflationGenerator with config: `\n{config}`: must \
         specify --enable-helm"
    )]
    HelmDisabled {
        /// What `helmCharts` and `helmGlobals` say of the first chart, as YAML.
        config: String,
    },
    /// The build writes more than it may.
    #[error(transparent)]
    Overspent(#[from] Overspent),
    /// Field specifications that contradict each other.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A patch is neither given nor named.
    #[error("must specify one of patch and path in\n{config}")]
    NoPatch {
        /// The configuration, as YAML.
        config: String,
    },
    /// A patch is both given and named.
    #[error("patch and path can't be set at the same time\n{config}")]
    TwoPatches {
        /// The configuration, as YAML.
        config: String,
    },
    /// A patch's file cannot be read.
    #[error("failed to get the patch file from path({path})")]
    PatchFile {
        /// The file.
        path: String,
        /// Why.
        source: Box<LoadError>,
    },
    /// A patch is neither kind of patch.
    #[error("unable to parse SM or JSON patch from {patch}")]
    NotAPatch {
        /// The patch.
        patch: String,
    },
    /// A JSON patch names no target.
    #[error("must specify the target name")]
    NoTargetName,
    /// A JSON patch is neither given nor named.
    #[error("empty file path and empty jsonOp")]
    NoJsonPatch,
    /// A JSON patch is both given and named.
    #[error("must specify a file path or jsonOp, not both")]
    TwoJsonPatches,
    /// A JSON patch's file is empty.
    #[error("patch file '{path}' empty seems to be empty")]
    EmptyPatchFile {
        /// The file.
        path: String,
    },
    /// A JSON patch cannot be read.
    #[error("decoding {patch}")]
    Decoding {
        /// The patch.
        patch: String,
        /// Why.
        source: Box<JsonPatchError>,
    },
    /// A JSON patch does nothing.
    #[error("patch appears to be empty; file={path}, JsonOp={patch}")]
    EmptyJsonPatch {
        /// The file.
        path: String,
        /// The patch.
        patch: String,
    },
    /// A strategic merge patch is neither given nor named.
    #[error("empty file path and empty patch content")]
    NoStrategicPatch,
    /// A strategic merge patch does nothing.
    #[error("patch appears to be empty; files=[{paths}], Patch={patch}")]
    EmptyStrategicPatch {
        /// The files.
        paths: String,
        /// The patch.
        patch: String,
    },
    /// A replacement is both given and named.
    #[error("cannot specify both path and inline replacement")]
    TwoReplacements,
    /// A file of replacements holds something else.
    #[error("unsupported replacement type encountered within replacement path: {found}")]
    NotAReplacement {
        /// What it holds.
        found: &'static str,
    },
    /// A prefix without fields.
    #[error("fieldSpecs is not expected to be nil")]
    NoFieldSpecs,
    /// A value without targets.
    #[error("must specify at least one target")]
    NoTargets,
    /// A target without field.
    #[error("fieldPath cannot be empty")]
    NoFieldPath,
    /// A part of a path before the first.
    #[error("value of FilePathPosition ({position}) cannot be negative")]
    NegativePosition {
        /// The position.
        position: i64,
    },
    /// A field is of another type.
    #[error("error unmarshaling JSON: while decoding JSON")]
    Shape(#[from] ShapeError),
    /// A configuration is of another type in a place that no table describes.
    #[error("error unmarshaling JSON: {reason}")]
    Decode {
        /// What is wrong.
        reason: String,
    },
    /// A document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A file.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A selector.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// A setting of a transformer.
    #[error("{0}")]
    Transform(Box<TransformError>),
    /// A generator.
    #[error(transparent)]
    Generator(Box<GeneratorError>),
}

impl From<GeneratorError> for ConfigError {
    fn from(error: GeneratorError) -> Self {
        Self::Generator(Box::new(error))
    }
}

impl From<TransformError> for ConfigError {
    fn from(error: TransformError) -> Self {
        Self::Transform(Box::new(error))
    }
}
