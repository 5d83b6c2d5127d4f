//! The rules that nobody has to write.

/// Which rules stand below those that a source brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// What version control leaves behind; and, as long as the source brings no pattern of its own,
    /// pictures, archives and the files of CI services.
    ///
    /// Flux: one pattern in the source, be it `!x`, switches the second part off.
    #[default]
    Fallback,
    /// Both parts, whatever the source brings.
    Always,
    /// Nothing.
    Nothing,
}

/// What version control leaves behind. A source may include it again, but not remove the rule.
const VERSION_CONTROL: [&str; 4] = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];

/// What a cluster has no use for.
const UNUSED_BY_CLUSTERS: [&str; 20] = [
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

impl Base {
    /// The patterns of this base, weakest first.
    pub(crate) fn patterns(
        self,
        source_brings_patterns: bool,
    ) -> impl Iterator<Item = &'static str> {
        let (version_control, unused) = match self {
            Self::Nothing => (false, false),
            Self::Always => (true, true),
            Self::Fallback => (true, !source_brings_patterns),
        };
        let first = version_control.then_some(VERSION_CONTROL).into_iter().flatten();
        let second = unused.then_some(UNUSED_BY_CLUSTERS).into_iter().flatten();
        first.chain(second)
    }
}
