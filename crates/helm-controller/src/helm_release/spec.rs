//! What the specification means once defaults are filled in.

use std::fmt::Write as _;
use std::time::Duration;

use crd_types::GoDuration;
use crd_types::helm::HelmRelease;
use kube::ResourceExt as _;
use sha2::{Digest as _, Sha256};

/// Longest name of a release that Helm accepts, in bytes.
const NAME_BYTES: usize = 53;
/// What an interval that cannot be read counts as. The schema refuses such intervals, so this is
/// for objects that were stored before it did.
const FALLBACK_INTERVAL: Duration = Duration::from_mins(10);
/// How long a Helm action may take unless the object says.
const TIMEOUT: Duration = Duration::from_mins(5);
/// How many revisions are kept unless the object says.
const MAX_HISTORY: i64 = 5;

/// The name of the release.
///
/// Flux: a name that is too long is cut and gets a digest, whether it was composed or given; bytes
/// are counted, and what a cut leaves at the end is not looked at (`release.ShortenName`).
pub(crate) fn release_name(hr: &HelmRelease) -> String {
    let name = hr.name_any();
    let full = match (&hr.spec.release_name, &hr.spec.target_namespace) {
        (Some(given), _) if !given.is_empty() => given.clone(),
        (_, Some(namespace)) if !namespace.is_empty() => format!("{namespace}-{name}"),
        _ => name,
    };
    shortened(full)
}

fn shortened(name: String) -> String {
    if name.len() <= NAME_BYTES {
        return name;
    }
    let digest = Sha256::digest(&name);
    let mut hex = String::with_capacity(12);
    for byte in &digest[..6] {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
    }
    // Names are ASCII by their schema; one that is not is no name either way.
    let head: String = name.chars().take(NAME_BYTES - 13).collect();
    format!("{head}-{hex}")
}

/// The namespace that the chart is installed to.
pub(crate) fn release_namespace(hr: &HelmRelease) -> String {
    given(hr.spec.target_namespace.as_ref()).unwrap_or_else(|| hr.namespace().unwrap_or_default())
}

/// The namespace of Helm's own records.
pub(crate) fn storage_namespace(hr: &HelmRelease) -> String {
    given(hr.spec.storage_namespace.as_ref()).unwrap_or_else(|| hr.namespace().unwrap_or_default())
}

/// The interval of reconciliation.
pub(crate) fn interval(hr: &HelmRelease) -> Duration {
    read(Some(&hr.spec.interval)).unwrap_or(FALLBACK_INTERVAL)
}

/// How long an action may take; `own` is what the object says of this action.
pub(crate) fn timeout(hr: &HelmRelease, own: Option<&GoDuration>) -> Duration {
    read(own).or_else(|| read(hr.spec.timeout.as_ref())).unwrap_or(TIMEOUT)
}

/// How many revisions of the release are kept; none for all of them.
pub(crate) fn max_history(hr: &HelmRelease) -> Option<usize> {
    let most = hr.spec.max_history.unwrap_or(MAX_HISTORY);
    usize::try_from(most).ok().filter(|most| *most > 0)
}

/// Reads a duration; none if there is none or if it cannot be read.
pub(crate) fn read(duration: Option<&GoDuration>) -> Option<Duration> {
    let nanoseconds = go_duration::parse(duration?.as_str()).ok()?;
    Duration::try_from(nanoseconds).ok()
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use crd_types::helm::HelmReleaseSpec;

    use super::*;

    #[test]
    fn names_are_composed_and_shortened_as_by_flux() {
        let mut hr = HelmRelease::new("app", HelmReleaseSpec::default());
        assert_eq!(release_name(&hr), "app");
        hr.spec.target_namespace = Some("prod".to_owned());
        assert_eq!(release_name(&hr), "prod-app");
        hr.spec.release_name =
            Some("release-name-with-very-long-name-which-is-longer-than-53-characters".to_owned());
        assert_eq!(release_name(&hr), "release-name-with-very-long-name-which-i-788ca0d0d7b0");
    }
}
