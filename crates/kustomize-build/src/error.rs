//! Why a build failed.

use manifest::ObjectError;

use crate::budget::Overspent;
use crate::config::MergeError;
use crate::documents::DocumentError;
use crate::generator::GeneratorError;
use crate::kustomization::KustomizationError;
use crate::loader::LoadError;
use crate::name_reference::NameReferenceError;
use crate::order::SortError;
use crate::plugin::PluginError;
use crate::resources::ResourcesError;
use crate::schema::OpenApiError;
use crate::transform::TransformError;
use crate::vars::VarError;

/// Why a build failed. [`Error::message`] is the text that kustomize prints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It happened while something was done.
    #[error("{doing}")]
    While {
        /// What was done.
        doing: String,
        /// What happened.
        #[source]
        source: Box<Self>,
    },
    /// A resource is neither a file that can be read nor a directory that can be built.
    #[error("accumulation err='{file}'")]
    NeitherFileNorDirectory {
        /// Why it is no file.
        file: String,
        /// Why it is no directory.
        #[source]
        source: Box<Self>,
    },
    /// A component cannot be opened.
    #[error("loader.New {reason:?}")]
    Component {
        /// Why.
        reason: String,
    },
    /// A component cannot be built.
    #[error("accumulateDirectory: {reason:?}")]
    ComponentBuild {
        /// Why.
        reason: String,
    },
    /// A component stands where a kustomization is wanted.
    #[error("expected kind != 'Component' for path '{path}'")]
    IsComponent {
        /// The directory.
        path: String,
    },
    /// A kustomization stands where a component is wanted.
    #[error("expected kind 'Component' for path '{path}' but got '{kind}'")]
    IsNoComponent {
        /// The directory.
        path: String,
        /// What it is.
        kind: String,
    },
    /// A field that is not supported, on purpose.
    #[error("{field}: {reason}")]
    Unsupported {
        /// The field.
        field: &'static str,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// A base of another repository is wanted that was not brought along.
    #[error("{field}: remote base '{url}' is refused, only what the source contains can be built")]
    Remote {
        /// The field.
        field: &'static str,
        /// What is wanted.
        url: String,
    },
    /// The build costs more than it may.
    #[error("the build needs more than {limit} {what}")]
    LimitExceeded {
        /// What is limited, in the plural.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// A resource that cannot be printed, as the command says it: late, and without the file.
    #[error("{object}: {reason}")]
    Unprintable {
        /// The resource, as Go prints it.
        object: String,
        /// Why not.
        reason: String,
    },
    /// A document lacks what every Kubernetes object has.
    #[error("failed to decode Kubernetes apiVersion, kind and name from: {document}")]
    NotAnObject {
        /// The document as JSON.
        document: String,
        /// What is missing.
        source: ObjectError,
    },
    /// A component of the controller's object is not local.
    #[error("component path '{path}' must be local and relative")]
    ComponentNotLocal {
        /// The path.
        path: String,
    },
    /// A file that is to become a resource is no Kubernetes YAML.
    #[error("failed to decode Kubernetes YAML from {path}")]
    NotKubernetes {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A validator changed what it validates.
    #[error("validator shouldn't modify the resource map: {reason}")]
    ValidatorChanged {
        /// What it changed.
        reason: String,
    },
    /// A schema is both named and given.
    #[error("builtin version and custom schema provided, cannot use both")]
    TwoSchemas,
    /// A schema is asked for that is not built in.
    #[error("the specified OpenAPI version is not built in")]
    OpenApiVersion,
    /// Reading.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A kustomization file.
    #[error(transparent)]
    Kustomization(#[from] KustomizationError),
    /// A document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Resources that do not go together.
    #[error(transparent)]
    Resources(#[from] ResourcesError),
    /// Field specifications that contradict each other.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A generator.
    #[error(transparent)]
    Generator(Box<GeneratorError>),
    /// A plugin's configuration.
    #[error(transparent)]
    Plugin(Box<PluginError>),
    /// A transformer.
    #[error(transparent)]
    Transform(Box<TransformError>),
    /// A reference by name.
    #[error(transparent)]
    NameReference(Box<NameReferenceError>),
    /// A var.
    #[error(transparent)]
    Var(Box<VarError>),
    /// The order of the result.
    #[error(transparent)]
    Sort(#[from] SortError),
    /// A schema.
    #[error(transparent)]
    OpenApi(#[from] OpenApiError),
}

impl From<GeneratorError> for Error {
    fn from(error: GeneratorError) -> Self {
        Self::Generator(Box::new(error))
    }
}

impl From<Overspent> for Error {
    fn from(Overspent { limit_bytes: limit }: Overspent) -> Self {
        Self::LimitExceeded { what: Overspent::WHAT, limit }
    }
}

/// Boxes the large ones, so that a result stays small; a limit that they tell of stands alone.
macro_rules! boxed_unless_overspent {
    ($($variant:ident($error:ident)),*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                match error {
                    $error::Overspent(overspent) => overspent.into(),
                    error => Self::$variant(Box::new(error)),
                }
            }
        }
    )*};
}

boxed_unless_overspent!(
    Plugin(PluginError),
    Transform(TransformError),
    NameReference(NameReferenceError),
    Var(VarError)
);

impl Error {
    /// The whole text, as kustomize prints it after `Error: `.
    pub fn message(&self) -> String {
        message(self)
    }

    /// The address of a base in another repository that the build lacks.
    pub fn missing_base(&self) -> Option<&str> {
        match self {
            Self::Remote { url, .. } => Some(url),
            _ => None,
        }
    }

    /// Whether it is told as it is, whatever was done when it happened.
    pub(crate) fn stands_alone(&self) -> bool {
        matches!(
            self,
            Self::LimitExceeded { .. }
                | Self::Remote { .. }
                | Self::Unprintable { .. }
                | Self::Load(LoadError::LimitExceeded { .. })
        )
    }

    /// This error, with what was done when it happened.
    pub(crate) fn doing(self, doing: impl Into<String>) -> Self {
        if self.stands_alone() {
            return self;
        }
        Self::While { doing: doing.into(), source: Box::new(self) }
    }
}

/// The whole text of an error, outermost first.
pub(crate) fn message(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
