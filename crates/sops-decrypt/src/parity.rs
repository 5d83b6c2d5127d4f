//! What sops made of the same files, compared with what we make of them.
//!
//! The layout of a table: `cases.json`, a list of cases with files besides it, and
//! `matrix/cases.json`, an object with `cases`.

use std::error::Error as StdError;
use std::fmt::{self, Display};

use serde::Deserialize;

use crate::{Decrypted, Encrypted, Error, Format, Integrity, Keys};

/// Reads a file of a table by its name; none if it is not there.
pub type Read<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// How many cases came out the same.
#[derive(Debug, Default)]
pub struct Report {
    /// Those that did.
    pub same: usize,
    /// Those that did not, and how they differ.
    pub differences: Vec<String>,
}

/// Why a table cannot be compared with.
#[derive(Debug, thiserror::Error)]
pub enum ParityError {
    /// A table is no list of cases.
    #[error("{name} is no table")]
    Table {
        /// The file.
        name: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Compares with every case of a folder.
///
/// # Errors
/// If a table cannot be read. What differs is in the report.
pub fn run(read: Read<'_>) -> Result<Report, ParityError> {
    let mut report = Report::default();
    let name = "cases.json";
    if let Some(table) = read(name) {
        let cases: Vec<Case> =
            serde_json::from_slice(&table).map_err(|source| ParityError::Table { name, source })?;
        let usual = ["age.key".to_owned(), "pgp-test.asc".to_owned()];
        for case in &cases {
            // What a file needs is said where it is whole, not where it was tampered with.
            let whole = cases.iter().find(|it| it.file == case.file && !it.needs.is_empty());
            let names = match (&case.key, whole) {
                (Some(key), _) => std::slice::from_ref(key),
                (None, Some(whole)) => &whole.needs,
                (None, None) => &usual,
            };
            report.compare(case, &keys(names, read), read);
        }
    }
    let name = "matrix/cases.json";
    if let Some(table) = read(name) {
        let matrix: Matrix =
            serde_json::from_slice(&table).map_err(|source| ParityError::Table { name, source })?;
        let read = |name: &str| read(&format!("matrix/{name}"));
        for case in matrix.cases.iter().filter(|case| case.encrypt_error.is_none()) {
            let keys = case.matrix_keys(&read);
            report.compare(case, &keys, &read);
        }
    }
    Ok(report)
}

#[derive(Deserialize)]
struct Matrix {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// The file before it was tampered with.
    #[serde(default)]
    file: String,
    #[serde(default)]
    encrypted: String,
    /// What it is read as, if that is not what it is printed as.
    input_type: Option<String>,
    format: String,
    decrypted: Option<String>,
    decrypted_json: Option<String>,
    decrypted_yaml: Option<String>,
    decrypted_dotenv: Option<String>,
    #[serde(alias = "decrypt_error")]
    error: Option<String>,
    encrypt_error: Option<String>,
    /// The keys without which the file cannot be opened.
    #[serde(default)]
    needs: Vec<String>,
    /// The key to try, if it is another than usual; in the matrix always.
    #[serde(alias = "keys")]
    key: Option<String>,
    note: Option<String>,
}

impl Case {
    fn matrix_keys(&self, read: Read<'_>) -> Keys {
        let age = self.key.iter().map(|name| format!("{name}.agekey"));
        let pgp = self.note.as_deref().and_then(|note| note.strip_prefix("pgp key keys/"));
        let names: Vec<_> = age.chain(pgp.map(ToOwned::to_owned)).collect();
        keys(&names, read)
    }

    fn input(&self) -> Format {
        // What is encrypted as one format and printed as another is stored as the other.
        let stored = self.encrypted.rsplit('.').next().unwrap_or_default();
        let kind = self.input_type.as_deref().unwrap_or(&self.format);
        match (kind, stored) {
            (kind, "yaml") if kind != "binary" => Format::Yaml,
            (kind, "json") if kind != "binary" => Format::Json,
            _ => format(kind),
        }
    }
}

fn keys(names: &[String], read: Read<'_>) -> Keys {
    let mut keys = Keys::default();
    for name in names {
        let Some(text) = read(&format!("keys/{name}")) else { continue };
        // A key of the other kind is no error here.
        _ = keys.import_age(&text);
        _ = keys.import_pgp(&text);
    }
    keys
}

impl Report {
    fn compare(&mut self, case: &Case, keys: &Keys, read: Read<'_>) {
        let name = &case.encrypted;
        let Some(data) = read(name) else {
            self.differences.push(format!("{name}: the file is missing"));
            return;
        };
        let ours = decrypt(&data, case.input(), keys);
        match (&ours, &case.error) {
            (Ok(_), Some(error)) => {
                self.differences.push(format!("{name}: should fail: {}", first_line(error)));
            }
            (Err(error), None) => {
                self.differences.push(format!("{name}: should not fail: {}", text(error)));
            }
            (Err(error), Some(wanted)) => {
                let (ours, theirs) = (comparable(&text(error)), comparable(wanted));
                if ours == theirs {
                    self.same += 1;
                } else {
                    self.differences.push(format!("{name}: says {ours:?}, should say {theirs:?}"));
                }
            }
            (Ok(decrypted), None) => {
                let outputs = [
                    (&case.decrypted, format(&case.format)),
                    (&case.decrypted_json, Format::Json),
                    (&case.decrypted_yaml, Format::Yaml),
                    (&case.decrypted_dotenv, Format::Dotenv),
                ];
                let differs = outputs.into_iter().find_map(|(file, format)| {
                    let wanted = read(file.as_deref()?)?;
                    let printed = decrypted.print(format);
                    let same = printed.is_ok_and(|printed| printed.bytes() == wanted);
                    (!same).then(|| format!("{name}: as {format} it differs"))
                });
                match differs {
                    None => self.same += 1,
                    Some(difference) => self.differences.push(difference),
                }
            }
        }
    }
}

fn decrypt(data: &[u8], format: Format, keys: &Keys) -> Result<Decrypted, Error> {
    let encrypted = Encrypted::read(data, format)?;
    let key = encrypted.data_key(keys)?;
    encrypted.decrypt(&key, Integrity::Verified)
}

fn format(name: &str) -> Format {
    match name {
        "yaml" => Format::Yaml,
        "json" => Format::Json,
        "dotenv" => Format::Dotenv,
        "ini" => Format::Ini,
        _ => Format::Binary,
    }
}

/// Our error in the words of the command, which are not Flux's for the step that failed.
fn text(error: &Error) -> String {
    match error {
        Error::Load { source, .. } => chain(source),
        Error::DataKey(source) => chain(source),
        Error::Walk(source) => format!("Error decrypting tree: {}", chain(source)),
        Error::Integrity(source) => chain(source),
        Error::Print { source, .. } => chain(source),
    }
}

fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// An error without what is secret, which we do not show, and without the places where the command
/// looks for keys.
fn comparable(error: &str) -> String {
    if error.starts_with("Failed to get the data key") {
        let groups = error.lines().filter(|line| line.starts_with("Group "));
        let end = error.rsplit("\n\n").next();
        return groups.chain(end).collect::<Vec<_>>().join("\n");
    }
    for start in ["MAC mismatch. File has no MAC", "MAC mismatch."] {
        if error.starts_with(start) {
            return start.to_owned();
        }
    }
    match (error.find("parsing \""), error.rfind("\": ")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}<redacted>{}", &error[..start + "parsing ".len()], &error[end + 1..])
        }
        _ => error.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sops: {} of {} the same", self.same, self.same + self.differences.len())?;
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        Ok(())
    }
}
