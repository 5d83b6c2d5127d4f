//! What a registry says of an artifact.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A manifest of one artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// What the artifact is made of, in order.
    pub layers: Vec<Descriptor>,
    /// What is said of it.
    #[serde(deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    /// Manifests to choose from, if this one is an index of them.
    pub manifests: Vec<Descriptor>,
    /// The digest of the manifest itself, as `sha256:<hex>`.
    #[serde(skip)]
    pub digest: String,
}

/// What is known of a blob before it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest, as `sha256:<hex>`.
    pub digest: String,
    /// Its size, in bytes.
    pub size: u64,
}

fn or_default<'de, T, D>(input: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(input).map(Option::unwrap_or_default)
}
