//! Why a file could not be decrypted. No variant holds anything that was encrypted.

use crate::Format;
use crate::data_key::DataKeyError;

/// Why a file could not be decrypted, by step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no encrypted file.
    #[error("failed to load encrypted {format} data")]
    Load {
        /// The format it was read as.
        format: Format,
        /// What is wrong with it.
        #[source]
        source: LoadError,
    },
    /// No key opens it.
    #[error("cannot get sops data key")]
    DataKey(#[from] DataKeyError),
    /// A value cannot be opened.
    #[error("error decrypting sops tree")]
    Walk(#[from] WalkError),
    /// The file was changed after sops wrote it.
    #[error("failed to verify sops data integrity")]
    Integrity(#[from] IntegrityError),
    /// It cannot be printed in the format that is asked for.
    #[error("failed to emit encrypted {input} file as decrypted {output}")]
    Print {
        /// The format it was read as.
        input: Format,
        /// The format to print.
        output: Format,
        /// What does not fit.
        #[source]
        source: PrintError,
    },
}

/// Why a text is no encrypted file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is too long.
    #[error("cannot decrypt file with size ({bytes} bytes) exceeding limit ({limit_bytes})")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit_bytes: usize,
    },
    /// It is no YAML that is accepted.
    #[error("Error unmarshaling input YAML")]
    Yaml(#[source] yaml::Error),
    /// It is no JSON object.
    #[error("Could not unmarshal input data: {problem} at byte {at}")]
    Json {
        /// What is wrong.
        problem: &'static str,
        /// Where, counted from 0.
        at: usize,
    },
    /// A line of a dotenv file without `=`. The line may be secret.
    #[error("invalid dotenv input line: line {line} has no '='")]
    DotenvLine {
        /// Counted from 1.
        line: usize,
    },
    /// A line of an INI file that is none.
    #[error("Could not unmarshal input data: line {line}: {problem}")]
    IniLine {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// It is not UTF-8.
    #[error("the file is no text")]
    NotText,
    /// sops has not encrypted it.
    #[error("sops metadata not found")]
    NoMetadata,
    /// What sops says of the file is not a mapping, or stands there twice.
    #[error("Found sops entry that is not a mapping, or twice")]
    MetadataShape,
    /// A part of what sops says of the file has the wrong type.
    #[error("sops metadata: `{field}` has the wrong type")]
    MetadataField {
        /// The part.
        field: &'static str,
    },
    /// The time of the last change cannot be read.
    #[error("sops metadata: `lastmodified` is no time")]
    LastModified,
    /// More than one rule says what is encrypted.
    #[error(
        "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, \
         unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file"
    )]
    Rules,
    /// The rule is no expression.
    #[error("sops metadata: `{field}` is no regular expression")]
    Rule {
        /// Which rule.
        field: &'static str,
    },
    /// Nobody can decrypt it.
    #[error("No keys found in file")]
    NoKeys,
    /// It has too many recipients to try.
    #[error("sops metadata has more than {limit} recipients")]
    TooManyRecipients {
        /// How many it may have.
        limit: usize,
    },
    /// Flattened metadata contradicts itself.
    #[error("Error while unflattening sops metadata")]
    Unflatten,
}

/// Why the values of a file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("Error walking tree")]
pub struct WalkError(#[source] pub ValueError);

/// Why a value cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It cannot be decrypted.
    #[error("Could not decrypt value: {0}")]
    Value(CipherError),
    /// It should be encrypted and is of a type that cannot be.
    #[error("Expected encrypted value as string, but got {found}")]
    NotEncrypted {
        /// Its type, as Go names it.
        found: &'static str,
    },
    /// A key that is no text.
    #[error("Tree contains a non-string key. Only string keys are supported")]
    Key,
    /// A number that sops does not know.
    #[error("Cannot walk value, unknown type: uint64")]
    Unsigned,
    /// A comment where a value must be.
    #[error("a value was encrypted as a comment")]
    Comment,
}

/// Why an encrypted text cannot be decrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// It has not the form of one. It may have been plaintext, so it is not shown.
    #[error("Input string <redacted> does not match sops' data format")]
    Form,
    /// A part is no base64.
    #[error("Error base64-decoding {part}")]
    Base64 {
        /// Which part.
        part: &'static str,
    },
    /// The data key is not one of AES-256.
    #[error("crypto/aes: invalid key size {bytes}")]
    KeySize {
        /// Its length.
        bytes: usize,
    },
    /// It was changed, moved, or encrypted by another key.
    #[error("Could not decrypt with AES_GCM: cipher: message authentication failed")]
    Authentication,
    /// The plaintext is not of the type that it should have.
    #[error("{reader}: parsing <redacted>: invalid syntax")]
    Type {
        /// What reads the type in Go.
        reader: &'static str,
    },
    /// A type that is not known.
    #[error("Unknown datatype")]
    UnknownType,
}

/// Why the MAC of a file is not right. The MACs are digests of secrets, so they are not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// The MAC cannot be decrypted.
    #[error("Cannot decrypt MAC: {0}")]
    Cipher(CipherError),
    /// The file has no MAC.
    #[error("MAC mismatch. File has no MAC")]
    Missing,
    /// The values are not those that sops saw.
    #[error(
        "MAC mismatch. The file was changed without sops; write it anew with `sops edit \
         --ignore-mac`"
    )]
    Mismatch,
}

/// Why a file cannot be printed in a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// Lines hold no collections.
    #[error("cannot use complex value in {format} file")]
    Complex {
        /// The format.
        format: Format,
    },
    /// An INI file holds sections only.
    #[error("Error encoding section: Section values should always be TreeBranches")]
    Section,
    /// A binary file holds one text named `data` only.
    #[error("error emitting binary store: no binary data found in tree")]
    NoData,
    /// There is nothing to print.
    #[error("there is no document")]
    NoDocument,
    /// A key that is no text.
    #[error("a key is no text")]
    Key,
}
