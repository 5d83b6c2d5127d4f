//! The key of a file, from those who have parts of it.

use std::error::Error as _;
use std::fmt::{self, Display};

use zeroize::Zeroizing;

use crate::Recipient;
use crate::keys::KeyError;
use crate::shamir::{self, ShamirError};
use crate::wrap::{prefix, wrap};

/// The key of a file. It cannot be printed, and is wiped when it goes.
pub struct DataKey(Part);

/// A part of the key of a file, or all of it.
pub type Part = Zeroizing<Vec<u8>>;

/// Who holds keys.
pub trait KeyService {
    /// Opens the part of a key that is encrypted for a recipient.
    ///
    /// # Errors
    /// If the service has not the key of the recipient, or the part was not encrypted by it.
    fn open(&self, recipient: &Recipient) -> Result<Part, KeyError>;
}

impl DataKey {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// Why there is no key. Prints as sops does, attempt by attempt.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// Too few groups were opened.
    #[error("{0}")]
    Groups(Report),
    /// The parts do not fit together.
    #[error("could not get data key from shamir parts")]
    Shamir(#[from] ShamirError),
}

/// What each recipient's key said.
#[derive(Debug)]
pub struct Report {
    threshold: usize,
    groups: Vec<Result<(), Vec<(String, KeyError)>>>,
}

/// The key of which these groups have parts. Of each group, the first recipient that succeeds counts.
pub(crate) fn recover(
    groups: &[Vec<Recipient>],
    threshold: usize,
    keys: &dyn KeyService,
) -> Result<DataKey, DataKeyError> {
    let mut parts = Vec::new();
    let mut report = Report { threshold, groups: Vec::new() };
    for group in groups {
        let mut failures = Vec::new();
        let opened = group.iter().find_map(|recipient| match keys.open(recipient) {
            Ok(part) => Some(part),
            Err(error) => {
                failures.push((recipient.name(), error));
                None
            }
        });
        report.groups.push(if opened.is_some() { Ok(()) } else { Err(failures) });
        parts.extend(opened);
    }
    if groups.len() > 1 {
        if parts.len() < threshold {
            return Err(DataKeyError::Groups(report));
        }
        return Ok(DataKey(shamir::combine(&parts)?));
    }
    parts.pop().map(DataKey).ok_or(DataKeyError::Groups(report))
}

impl Recipient {
    /// What sops calls the recipient.
    fn name(&self) -> String {
        match self {
            Self::Age { recipient, .. } => recipient.clone(),
            Self::Pgp { fingerprint, .. } => fingerprint.clone(),
            Self::AwsKms { arn, .. } => arn.clone(),
            Self::GcpKms { resource_id, .. } => resource_id.clone(),
            Self::AzureKeyVault { vault_url, name, version, .. } => {
                format!("{vault_url}/keys/{name}/{version}")
            }
            Self::Vault { address, engine_path, key_name, .. } => {
                format!("{address}/v1/{engine_path}/keys/{key_name}")
            }
            Self::Huawei { key_id } => key_id.clone(),
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failed to get the data key required to decrypt the SOPS file.\n\n")?;
        for (index, group) in self.groups.iter().enumerate() {
            let Err(failures) = group else {
                write!(f, "Group {index}: SUCCESS\n\n")?;
                continue;
            };
            let failures: Vec<_> =
                failures.iter().map(|(name, error)| failure(name, error)).collect();
            write!(f, "Group {index}: FAILED\n{}\n\n", prefix(&failures.join("\n\n"), "  "))?;
        }
        f.write_str(&wrap(&self.trailer(), 75))
    }
}

impl Report {
    fn trailer(&self) -> String {
        let threshold = self.threshold;
        if threshold == 0 {
            return "Recovery failed because no master key was able to decrypt the file. In order \
                    for SOPS to recover the file, at least one key has to be successful, but none \
                    were."
                .to_owned();
        }
        let successes = self.groups.iter().filter(|group| group.is_ok()).count();
        format!(
            "Recovery failed because the file was encrypted with a Shamir threshold of {threshold}, \
             but only {successes} part(s) were successfully recovered, one for each successful key \
             group. In order for SOPS to recover the file, at least {threshold} groups have to be \
             successful. In order for a group to be successful, decryption has to succeed with any \
             of the keys in that key group."
        )
    }
}

fn failure(name: &str, error: &KeyError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let text = prefix(&wrap(&text, 60), "  | ");
    let text = text.strip_prefix(' ').map_or_else(String::new, |rest| format!("-{rest}"));
    format!("{name}: FAILED\n{}", prefix(&text, "  "))
}
