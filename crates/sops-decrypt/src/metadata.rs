//! What sops says of a file: who can open it, what is encrypted, and its MAC.

mod fields;

use go_regex::Regex;
use yaml::commented::{Entry, Line, Mapping, Node};

use self::fields::{flag, items, number, text, texts};
use crate::data_key::DataKey;
use crate::error::{IntegrityError, LoadError};
use crate::unflatten::unflatten;
use crate::value::{self, Opened};

/// Each of them may cost the decryption of a key.
const MAX_RECIPIENTS: usize = 256;

/// What stands unencrypted where no rule says anything.
const DEFAULT_SUFFIX: &str = "_unencrypted";

/// Who can open a part of the key of a file, and that part, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Who has an age identity.
    Age {
        /// The public key.
        recipient: String,
        /// The part, as an armored age file.
        enc: String,
    },
    /// Who has a PGP key.
    Pgp {
        /// The fingerprint.
        fingerprint: String,
        /// The part, as an armored PGP message.
        enc: String,
    },
    /// Who may use a key of AWS KMS.
    AwsKms {
        /// The name of the key.
        arn: String,
        /// The role to assume.
        role: String,
        /// What the key is bound to.
        context: Vec<(String, String)>,
        /// The part, in base64.
        enc: String,
    },
    /// Who may use a key of GCP KMS.
    GcpKms {
        /// The name of the key.
        resource_id: String,
        /// The part, in base64.
        enc: String,
    },
    /// Who may use a key of an Azure Key Vault.
    AzureKeyVault {
        /// The vault.
        vault_url: String,
        /// The name of the key.
        name: String,
        /// The version of the key.
        version: String,
        /// The part, in base64 without padding, for URLs.
        enc: String,
    },
    /// Who may use a key of Vault or `OpenBao`.
    Vault {
        /// The server.
        address: String,
        /// Where its transit engine is mounted.
        engine_path: String,
        /// The name of the key.
        key_name: String,
        /// The part, as the engine has it.
        enc: String,
    },
    /// Who may use a key of Huawei Cloud, which nobody here can.
    Huawei {
        /// The name of the key.
        key_id: String,
    },
}

/// Where the metadata of a format stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Under the key `sops`.
    Nested,
    /// Under the key `sops`, flattened, with line ends escaped.
    Section,
    /// Flattened, each name with `sops_` before it.
    Flat,
}

/// What sops says of a file.
pub(crate) struct Metadata {
    /// Groups of recipients, in the order in which they are tried.
    pub(crate) groups: Vec<Vec<Recipient>>,
    /// How many groups must be opened, if there are several.
    pub(crate) threshold: usize,
    pub(crate) rule: Rule,
    pub(crate) mac_only_encrypted: bool,
    mac: String,
    last_modified: String,
}

/// What is encrypted.
pub(crate) enum Rule {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
    UnencryptedCommentRegex(Regex),
    EncryptedCommentRegex(Regex),
}

/// Takes the metadata out of the documents. That of the first one counts.
pub(crate) fn extract(documents: &mut [Mapping], layout: Layout) -> Result<Metadata, LoadError> {
    let entries = match layout {
        Layout::Nested => nested(documents)?,
        Layout::Section => {
            let mut section = nested(documents)?;
            for line in &mut section {
                if let Line::Value(Entry { value: Node::Text(text), .. }) = line {
                    *text = text.replace("\\n", "\n");
                }
            }
            unflatten(&section)?
        }
        Layout::Flat => unflatten(&flat(documents)?)?,
    };
    Metadata::of(&entries)
}

fn nested(documents: &mut [Mapping]) -> Result<Mapping, LoadError> {
    let mut found = None;
    for (index, document) in documents.iter_mut().enumerate() {
        let mut at = 0;
        while at < document.len() {
            if !is_entry(&document[at], |key| key == "sops") {
                at += 1;
                continue;
            }
            let line = document.remove(at);
            if index > 0 {
                continue;
            }
            let Line::Value(Entry { value: Node::Mapping(entries), .. }) = line else {
                return Err(LoadError::MetadataShape);
            };
            if found.replace(entries).is_some() {
                return Err(LoadError::MetadataShape);
            }
        }
    }
    found.ok_or(LoadError::NoMetadata)
}

fn flat(documents: &mut [Mapping]) -> Result<Mapping, LoadError> {
    let Some(document) = documents.first_mut() else { return Err(LoadError::NoMetadata) };
    let all = std::mem::take(document);
    let (ours, rest) =
        all.into_iter().partition(|line| is_entry(line, |key| key.starts_with("sops_")));
    *document = rest;
    let mut ours: Mapping = ours;
    for line in &mut ours {
        if let Line::Value(Entry { key: Node::Text(key), .. }) = line {
            key.drain(.."sops_".len());
        }
    }
    if ours.is_empty() { Err(LoadError::NoMetadata) } else { Ok(ours) }
}

fn is_entry(line: &Line<Entry>, is: impl Fn(&str) -> bool) -> bool {
    matches!(line, Line::Value(Entry { key: Node::Text(key), .. }) if is(key))
}

impl Metadata {
    fn of(entries: &Mapping) -> Result<Self, LoadError> {
        let last_modified = text(entries, "lastmodified")?;
        let top = group(entries)?;
        let groups = if top.is_empty() {
            items(entries, "key_groups")?.into_iter().map(group).collect::<Result<_, _>>()?
        } else {
            vec![top]
        };
        if groups.is_empty() {
            return Err(LoadError::NoKeys);
        }
        if groups.len() > 255 || groups.iter().map(Vec::len).sum::<usize>() > MAX_RECIPIENTS {
            return Err(LoadError::TooManyRecipients { limit: MAX_RECIPIENTS });
        }
        Ok(Self {
            groups,
            threshold: number(entries, "shamir_threshold")?,
            rule: Rule::of(entries)?,
            mac_only_encrypted: flag(entries, "mac_only_encrypted")?,
            mac: text(entries, "mac")?,
            last_modified: seconds(&last_modified).ok_or(LoadError::LastModified)?,
        })
    }

    /// Compares the MAC of the file with that of its values.
    pub(crate) fn verify(&self, computed: &str, key: &DataKey) -> Result<(), IntegrityError> {
        let opened =
            value::open(&self.mac, key, &self.last_modified).map_err(IntegrityError::Cipher)?;
        match opened {
            Opened::Text(mac) if mac.is_empty() => Err(IntegrityError::Missing),
            // It was authenticated, so comparing need not take constant time.
            Opened::Text(mac) if mac.as_slice() == computed.as_bytes() => Ok(()),
            _ => Err(IntegrityError::Mismatch),
        }
    }
}

impl Rule {
    fn of(entries: &Mapping) -> Result<Self, LoadError> {
        let mut rules = Vec::new();
        let mut add = |field: &'static str, make: fn(Regex) -> Self| {
            let pattern = text(entries, field)?;
            if !pattern.is_empty() {
                // Flux: a pattern that is none matches nothing; here it is an error.
                let regex = Regex::new(&pattern).map_err(|_pattern| LoadError::Rule { field })?;
                rules.push(make(regex));
            }
            Ok(())
        };
        add("unencrypted_regex", Self::UnencryptedRegex)?;
        add("encrypted_regex", Self::EncryptedRegex)?;
        add("unencrypted_comment_regex", Self::UnencryptedCommentRegex)?;
        add("encrypted_comment_regex", Self::EncryptedCommentRegex)?;
        let given = |field| Ok(Some(text(entries, field)?).filter(|suffix| !suffix.is_empty()));
        rules.extend(given("unencrypted_suffix")?.map(Self::UnencryptedSuffix));
        rules.extend(given("encrypted_suffix")?.map(Self::EncryptedSuffix));
        match (rules.pop(), rules.is_empty()) {
            (None, _) => Ok(Self::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned())),
            (Some(rule), true) => Ok(rule),
            (Some(_), false) => Err(LoadError::Rules),
        }
    }
}

/// The recipients of a group: age first, then PGP, then the others as sops orders them.
fn group(entries: &Mapping) -> Result<Vec<Recipient>, LoadError> {
    let mut group = Vec::new();
    for entry in items(entries, "age")? {
        group.push(Recipient::Age {
            recipient: text(entry, "recipient")?,
            enc: text(entry, "enc")?,
        });
    }
    for entry in items(entries, "pgp")? {
        group.push(Recipient::Pgp { fingerprint: text(entry, "fp")?, enc: text(entry, "enc")? });
    }
    for entry in items(entries, "kms")? {
        group.push(Recipient::AwsKms {
            arn: text(entry, "arn")?,
            role: text(entry, "role")?,
            context: texts(entry, "context")?,
            enc: text(entry, "enc")?,
        });
    }
    for entry in items(entries, "gcp_kms")? {
        let resource_id = text(entry, "resource_id")?;
        group.push(Recipient::GcpKms { resource_id, enc: text(entry, "enc")? });
    }
    for entry in items(entries, "hckms")? {
        group.push(Recipient::Huawei { key_id: text(entry, "key_id")? });
    }
    for entry in items(entries, "azure_kv")? {
        group.push(Recipient::AzureKeyVault {
            vault_url: text(entry, "vault_url")?,
            name: text(entry, "name")?,
            version: text(entry, "version")?,
            enc: text(entry, "enc")?,
        });
    }
    for entry in items(entries, "hc_vault")? {
        group.push(Recipient::Vault {
            address: text(entry, "vault_address")?,
            engine_path: text(entry, "engine_path")?,
            key_name: text(entry, "key_name")?,
            enc: text(entry, "enc")?,
        });
    }
    Ok(group)
}

/// A time of RFC 3339 as Go prints it: without fractions of seconds, UTC as `Z`.
fn seconds(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let is = |at: usize, wanted: u8| bytes.get(at) == Some(&wanted);
    let dated = digits(0..4) && is(4, b'-') && digits(5..7) && is(7, b'-') && digits(8..10);
    let timed = is(10, b'T')
        && digits(11..13)
        && is(13, b':')
        && digits(14..16)
        && is(16, b':')
        && digits(17..19);
    if !(dated && timed) {
        return None;
    }
    let zone = text[19..].trim_start_matches(['.', ',']);
    let zone = if zone.len() == text.len() - 19 {
        zone
    } else {
        zone.trim_start_matches(|c: char| c.is_ascii_digit())
    };
    let offset = zone.strip_prefix(['+', '-']).map(str::as_bytes);
    let zone = match (zone, offset) {
        ("Z" | "+00:00" | "-00:00", _) => "Z",
        (_, Some([a, b, b':', c, d])) if [a, b, c, d].iter().all(|d| d.is_ascii_digit()) => zone,
        _ => return None,
    };
    Some(format!("{}{zone}", &text[..19]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_go_prints_them() {
        for (text, wanted) in [
            ("2026-11-21T03:41:01Z", Some("2026-11-21T03:41:01Z")),
            ("2026-11-21T03:41:01.25+02:00", Some("2026-11-21T03:41:01+02:00")),
            ("2026-11-21T03:41:01+00:00", Some("2026-11-21T03:41:01Z")),
            ("2026-11-21T03:41:01", None),
            ("2026-11-21", None),
            ("ab", None),
            ("2026-11-21T03:41:0é", None),
        ] {
            assert_eq!(seconds(text).as_deref(), wanted, "{text}");
        }
    }
}
