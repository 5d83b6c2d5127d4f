//! The one place that takes secrets out of text before a person or a log sees it.

use std::borrow::Cow;

const MASK: &str = "*****";

/// The text without credentials: the user part of URLs, bearer and basic tokens, signed queries.
///
/// Every message goes through here before it becomes a condition, an event or a log line.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = Cow::Borrowed(text);
    for rule in [mask_userinfo, mask_authorization, mask_signature] {
        if let Some(masked) = rule(&redacted) {
            redacted = Cow::Owned(masked);
        }
    }
    redacted
}

/// `https://user:pass@host` becomes `https://*****@host`.
fn mask_userinfo(text: &str) -> Option<String> {
    mask_after(text, "://", |rest| {
        let end = rest.find(|c: char| c == '/' || c == '?' || c == '#' || breaks_url(c));
        rest[..end.unwrap_or(rest.len())].rfind('@')
    })
}

/// `Bearer abc` becomes `Bearer *****`; likewise for `Basic`.
fn mask_authorization(text: &str) -> Option<String> {
    let token = |rest: &str| {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','));
        Some(end.unwrap_or(rest.len())).filter(|length| *length >= 8)
    };
    let bearer = mask_after(text, "Bearer ", token);
    mask_after(bearer.as_deref().unwrap_or(text), "Basic ", token).or(bearer)
}

/// The signature of a shared access URL, `sig=…`, becomes `sig=*****`.
fn mask_signature(text: &str) -> Option<String> {
    let value = |rest: &str| {
        let end = rest.find(|c: char| c == '&' || breaks_url(c));
        Some(end.unwrap_or(rest.len())).filter(|length| *length > 0)
    };
    let first = mask_after(text, "?sig=", value);
    mask_after(first.as_deref().unwrap_or(text), "&sig=", value).or(first)
}

fn breaks_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// Masks what follows every `marker`, as far as `length` says; nothing if it never says so.
fn mask_after(text: &str, marker: &str, length: impl Fn(&str) -> Option<usize>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find(marker) {
        let (head, tail) = rest.split_at(at + marker.len());
        out.push_str(head);
        rest = tail;
        if let Some(secret) = length(tail) {
            out.push_str(MASK);
            rest = &tail[secret..];
            found = true;
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_wherever_they_stand() {
        for (text, want) in [
            ("clone 'https://bob:s3cret@host/x'", "clone 'https://*****@host/x'"),
            ("https://token@host and ssh://git:pw@b/c", "https://*****@host and ssh://*****@b/c"),
            ("Authorization: Bearer abcdefghijk", "Authorization: Bearer *****"),
            ("Basic dXNlcjpwYXNz, next", "Basic *****, next"),
            ("https://a.blob/x?sv=1&sig=abc%3D&se=2", "https://a.blob/x?sv=1&sig=*****&se=2"),
            ("p@ss://a:b@c@d/e", "p@ss://*****@d/e"),
        ] {
            assert_eq!(redact(text), want);
        }
    }

    #[test]
    fn other_text_is_not_touched() {
        for text in ["https://host/a@b", "main@sha1:abc", "Basic auth", "", "a ? b"] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
