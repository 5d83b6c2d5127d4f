//! The kinds of receivers.

/// Who sends requests: `spec.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of the services")]
pub enum Kind {
    Generic,
    GenericHmac,
    GenericOidc,
    GitHub,
    GitLab,
    Bitbucket,
    Harbor,
    DockerHub,
    Quay,
    Gcr,
    Nexus,
    Acr,
    CdEvents,
}

const NAMES: [(&str, Kind); 13] = [
    ("acr", Kind::Acr),
    ("bitbucket", Kind::Bitbucket),
    ("cdevents", Kind::CdEvents),
    ("dockerhub", Kind::DockerHub),
    ("gcr", Kind::Gcr),
    ("generic", Kind::Generic),
    ("generic-hmac", Kind::GenericHmac),
    ("generic-oidc", Kind::GenericOidc),
    ("github", Kind::GitHub),
    ("gitlab", Kind::GitLab),
    ("harbor", Kind::Harbor),
    ("nexus", Kind::Nexus),
    ("quay", Kind::Quay),
];

impl Kind {
    /// The kind with that name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Every kind, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(_, kind)| *kind)
    }

    /// Whether the receiver has a Secret with a token.
    pub const fn has_token(self) -> bool {
        !matches!(self, Self::GenericOidc)
    }
}
