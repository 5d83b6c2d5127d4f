//! Names of releases and objects.

/// Longest name of a release, in bytes: names of objects made from it need room for more.
const MAX_RELEASE_NAME_BYTES: usize = 53;

/// Why a text cannot name a release. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("no name provided")]
    Missing,
    /// The text is no DNS subdomain, or is longer than 53 bytes.
    #[error(
        "invalid release name, must match regex \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ \
         and the length must not be longer than {MAX_RELEASE_NAME_BYTES}"
    )]
    Invalid,
}

/// Checks the name of a release.
///
/// # Errors
/// If the name is empty, too long, or no DNS subdomain.
pub fn check_release_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Missing);
    }
    if name.len() > MAX_RELEASE_NAME_BYTES || !name.split('.').all(is_dns_label) {
        return Err(NameError::Invalid);
    }
    Ok(())
}

fn is_dns_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_as_a_dns_subdomain() {
        for name in ["a", "a-b", "a.b-c.d", "0", &"x".repeat(53)] {
            assert_eq!(check_release_name(name), Ok(()), "{name}");
        }
        assert_eq!(check_release_name(""), Err(NameError::Missing));
        for name in ["A", "a_b", "-a", "a-", "a..b", ".a", "a\n", "é", &"x".repeat(54)] {
            assert_eq!(check_release_name(name), Err(NameError::Invalid), "{name}");
        }
    }
}
