//! Which messages say the same of different objects.

use event_api::Event;
use sha2::{Digest as _, Sha256};

/// What a failure's message says, without what it says of its own object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The object's own names, numbers and long hexadecimal words do not count: a failure of the
    /// network differs in ports, revisions and durations for each of those that it hits.
    pub(crate) fn of(event: &Event) -> Self {
        let about = &event.involved_object;
        let own = [about.name.as_str(), about.namespace.as_str()];
        let mut digest = Sha256::new();
        let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        for word in event.message.split_inclusive(|c: char| !is_part(c)) {
            let (bare, separator) = match word.char_indices().next_back() {
                Some((at, last)) if !is_part(last) => word.split_at(at),
                _ => (word, ""),
            };
            if own.contains(&bare) {
                digest.update("=");
            } else if bare.len() >= 7 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                digest.update("#");
            } else {
                digest.update(without_numbers(bare));
            }
            digest.update(separator);
        }
        let digest = digest.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }

    /// A short name for people.
    pub(crate) fn short(self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }
}

/// `10s` and `250ms` become `0s` and `0ms`.
fn without_numbers(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for c in word.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if c != '0' || !text.ends_with('0') {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(name: &str, message: &str) -> Fingerprint {
        let about = json!({"kind": "K", "namespace": "apps", "name": name});
        let event = json!({"involvedObject": about, "message": message});
        Fingerprint::of(&serde_json::from_value(event).unwrap())
    }

    #[test]
    fn one_failure_says_the_same_of_all_that_it_hits() {
        let dns = |name: &str, port: u16, took: &str| {
            of(
                name,
                &format!(
                    "failed to fetch {name}: dial tcp 10.0.0.1:{port}: no such host ({took}) at \
                     1234abc{port:04}"
                ),
            )
        };
        assert_eq!(dns("web", 53, "10s"), dns("shop", 4711, "1s"));
        assert_ne!(of("web", "no such host"), of("web", "connection refused"));
        assert_ne!(of("web", "bad patch in a"), of("web", "bad patch in b"));
    }
}
