//! How large a record is, known before anything is changed.

use crate::record::Record;

/// How many bytes the data of a Secret may have.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
/// What is kept free for what is still to come: the words of a failure.
const RESERVE_BYTES: usize = 4 << 10;
/// The same for each hook: when it began and how it ended.
const RESERVE_BYTES_PER_HOOK: usize = 256;
/// How many files are named.
const NAMED: usize = 10;

/// A record that no Secret can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "release {release} is too large to be stored: its record has {bytes} bytes, a Secret holds {MAX_RECORD_BYTES}; \
     the largest parts are {} (list what the release does not need in .helmignore)",
    listed(.largest)
)]
pub struct TooLarge {
    /// The release.
    pub release: String,
    /// Size of the record as stored.
    pub bytes: usize,
    /// Parts and their sizes as they are, the largest first.
    pub largest: Vec<(String, usize)>,
}

/// Checks whether an encoded record can be stored.
///
/// # Errors
/// If not; the error names what makes it large.
pub fn check_size(record: &Record, encoded: &str) -> Result<(), TooLarge> {
    check(record, encoded, 0)
}

/// Checks whether an encoded record can be stored, and can still be when its action has ended: then
/// it says how its hooks went and why it failed.
///
/// # Errors
/// As [`check_size`].
pub fn check_room(record: &Record, encoded: &str) -> Result<(), TooLarge> {
    let hooks = record.hooks.len().saturating_mul(RESERVE_BYTES_PER_HOOK);
    check(record, encoded, RESERVE_BYTES.saturating_add(hooks))
}

fn check(record: &Record, encoded: &str, reserve: usize) -> Result<(), TooLarge> {
    if encoded.len().saturating_add(reserve) <= MAX_RECORD_BYTES {
        return Ok(());
    }
    let chart = record.chart.iter().flat_map(|chart| chart.templates.iter().chain(&chart.files));
    let mut parts: Vec<(String, usize)> =
        chart.map(|file| (file.name.clone(), decoded_bytes(file.data.as_deref()))).collect();
    parts.push(("the rendered manifest".to_owned(), record.manifest.len()));
    parts.push(("the notes".to_owned(), record.info.notes.len()));
    let schema = record.chart.as_ref().and_then(|chart| chart.schema.as_deref());
    parts.push(("values.schema.json".to_owned(), decoded_bytes(schema)));
    parts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    parts.truncate(NAMED);
    parts.retain(|(_, bytes)| *bytes > 0);
    Err(TooLarge { release: record.full_name(), bytes: encoded.len(), largest: parts })
}

/// How many bytes a text in base64 stands for.
fn decoded_bytes(base64: Option<&str>) -> usize {
    let text = base64.unwrap_or_default().trim_end_matches('=');
    text.len() * 3 / 4
}

fn listed(parts: &[(String, usize)]) -> String {
    let each = parts.iter().map(|(name, bytes)| format!("`{name}` ({bytes} bytes)"));
    each.collect::<Vec<_>>().join(", ")
}
