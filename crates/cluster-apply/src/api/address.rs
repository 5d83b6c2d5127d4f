//! Addresses of requests: paths and queries out of names that strangers gave.

use crate::discovery::Resource;

/// A name that cannot be part of an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid resource name {name:?}: {why}")]
pub struct NameError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Accepts what may stand between two slashes of an address (as the API machinery does).
fn check_name(name: &str) -> Result<(), NameError> {
    let why = match name {
        "" => "may not be empty",
        "." => "may not be '.'",
        ".." => "may not be '..'",
        _ if name.contains('/') => "may not contain '/'",
        _ if name.contains('%') => "may not contain '%'",
        _ => return Ok(()),
    };
    Err(NameError { name: name.to_owned(), why })
}

/// The parameters of a request, written as a query.
#[derive(Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(key);
        self.0.push('=');
        push_escaped(&mut self.0, value);
        self
    }

    /// The whole address.
    pub(crate) fn after(self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

/// Appends `text` with all but unreserved characters escaped.
fn push_escaped(to: &mut String, text: &str) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            _ = write!(to, "%{byte:02X}");
        }
    }
}

impl Resource {
    /// The address of one object, or of all of a namespace (empty name), or of all (both empty).
    pub(crate) fn path(&self, namespace: &str, name: &str) -> Result<String, NameError> {
        let mut path = self.group_version_path();
        let mut segments = Vec::with_capacity(4);
        if self.namespaced && !namespace.is_empty() {
            segments.extend(["namespaces", namespace]);
        }
        segments.push(&self.plural);
        if !name.is_empty() {
            segments.push(name);
        }
        for segment in segments {
            check_name(segment)?;
            path.push('/');
            push_escaped(&mut path, segment);
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_address() {
        let resource = Resource::new("", "v1", "ConfigMap", "configmaps", true);
        assert_eq!(
            resource.path("shop", "a:b c?d").unwrap(),
            "/api/v1/namespaces/shop/configmaps/a%3Ab%20c%3Fd"
        );
        assert_eq!(resource.path("", "").unwrap(), "/api/v1/configmaps");
        for (namespace, name) in [("..", "a"), ("shop", "../../secrets/x"), ("a/b", "c")] {
            assert!(resource.path(namespace, name).is_err(), "{namespace} {name}");
        }
        assert_eq!(
            resource.path("shop", "a/b").unwrap_err().to_string(),
            r#"invalid resource name "a/b": may not contain '/'"#
        );
    }
}
