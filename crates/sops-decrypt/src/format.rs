//! The formats of files, and how an encrypted file is told from another.

use std::fmt::{self, Display};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Lines of `NAME=value`.
    Dotenv,
    /// Sections of `name = value`.
    Ini,
    /// Anything. Encrypted, it is JSON with one value.
    Binary,
}

impl Format {
    /// The format that a path or the key of a Secret names by its end.
    pub fn of_path(path: &str) -> Self {
        let has = |suffix: &str| path.ends_with(suffix);
        if has(".dockerconfigjson") || has(".json") {
            Self::Json
        } else if has(".yaml") || has(".yml") {
            Self::Yaml
        } else if has(".env") {
            Self::Dotenv
        } else if has(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// The format of an encrypted text; none if sops has not encrypted it.
    ///
    /// Flux: JSON and binary have the same mark and Flux takes one of them by chance, which comes to
    /// the same: both are read as JSON.
    pub fn of_encrypted(data: &[u8]) -> Option<Self> {
        let all = [Self::Json, Self::Yaml, Self::Dotenv, Self::Ini];
        all.into_iter().find(|format| format.marks(data))
    }

    /// Whether a text of this format bears the mark of sops.
    pub fn marks(self, data: &[u8]) -> bool {
        let mark: &[u8] = match self {
            Self::Yaml => b"mac: ENC[",
            Self::Json | Self::Binary => b"\"mac\": \"ENC[",
            Self::Dotenv => b"sops_mac=ENC[",
            Self::Ini => b"[sops]",
        };
        data.windows(mark.len()).any(|window| window == mark)
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Binary => "binary",
        })
    }
}
