//! Parsed templates, kept from one rendering to the next.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use go_template::Templates;

use crate::exec_error::TemplateError;

/// Sets of parsed templates by the texts they were parsed from. May be shared between threads.
///
/// A chart is rendered again whenever its values change, and its templates hardly ever do. Entries
/// are found by content, so a new version of a chart needs no invalidation, and two tenants with
/// one chart share it.
#[derive(Debug)]
pub struct TemplateCache {
    most_bytes: usize,
    entries: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    texts: Vec<(String, Bytes)>,
    bytes: usize,
    templates: Templates,
}

impl TemplateCache {
    /// A cache that holds templates parsed from up to `most_bytes` of text.
    pub const fn new(most_bytes: usize) -> Self {
        Self { most_bytes, entries: Mutex::new(Vec::new()) }
    }

    /// The templates of these texts, parsed by `parse` if they are not there.
    pub(crate) fn get(
        &self,
        texts: &[(&str, &Bytes)],
        parse: impl FnOnce() -> Result<Templates, TemplateError>,
    ) -> Result<Templates, TemplateError> {
        let hash = hash(texts);
        if let Some(found) = self.find(hash, texts) {
            return Ok(found);
        }
        let templates = parse()?;
        let bytes = texts.iter().map(|(name, text)| name.len() + text.len()).sum();
        if bytes <= self.most_bytes {
            let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).clone()));
            let texts = texts.collect();
            self.put(Entry { hash, texts, bytes, templates: templates.clone() });
        }
        Ok(templates)
    }

    /// The entry found moves to the end: the front is what has not been used for longest.
    fn find(&self, hash: u64, texts: &[(&str, &Bytes)]) -> Option<Templates> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().rposition(|entry| entry.hash == hash && entry.is_for(texts))?;
        let entry = entries.remove(at);
        let templates = entry.templates.clone();
        entries.push(entry);
        Some(templates)
    }

    fn put(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total: usize = entry.bytes + entries.iter().map(|e| e.bytes).sum::<usize>();
        let mut drop_first = 0;
        for old in entries.iter() {
            if total <= self.most_bytes {
                break;
            }
            total -= old.bytes;
            drop_first += 1;
        }
        entries.drain(..drop_first);
        entries.push(entry);
    }
}

impl Entry {
    /// Texts are compared as a whole: a hash alone could be made to collide.
    fn is_for(&self, texts: &[(&str, &Bytes)]) -> bool {
        let same =
            |a: &Bytes, b: &Bytes| (a.as_ptr() == b.as_ptr() && a.len() == b.len()) || a == b;
        self.texts.len() == texts.len()
            && self.texts.iter().zip(texts).all(|(a, b)| a.0 == b.0 && same(&a.1, b.1))
    }
}

/// Names, lengths and the first bytes tell charts apart; equality does the rest.
fn hash(texts: &[(&str, &Bytes)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, text) in texts {
        name.hash(&mut hasher);
        text.len().hash(&mut hasher);
        text.get(..64).unwrap_or(text).hash(&mut hasher);
    }
    hasher.finish()
}
