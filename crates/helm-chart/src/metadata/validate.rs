//! What Helm refuses in a `Chart.yaml`.

use semver_range::Version;

use super::{Dependency, Maintainer, Metadata, RawMetadata};
use crate::quote::{quoted, sanitized};

/// Why metadata is not accepted. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each field holds the text that its message shows")]
pub enum ValidationError {
    /// A field that every chart has is empty.
    #[error("validation: chart.metadata.{field} is required")]
    Missing { field: &'static str },
    /// The name is `.` or `..`.
    #[error("validation: chart.metadata.name {} is not allowed", quoted(.name))]
    NameNotAllowed { name: String },
    /// The name holds a slash.
    #[error("validation: chart.metadata.name {} is invalid", quoted(.name))]
    InvalidName { name: String },
    /// The version is no semantic version.
    #[error("validation: chart.metadata.version {} is invalid", quoted(.version))]
    InvalidVersion { version: String },
    /// The type is a word of its own.
    #[error("validation: chart.metadata.type must be application or library")]
    InvalidType,
    /// A maintainer is null.
    #[error("validation: maintainers must not contain empty or null nodes")]
    NullMaintainer,
    /// A dependency is null.
    #[error("validation: dependencies must not contain empty or null nodes")]
    NullDependency,
    /// An alias holds more than letters, digits, `_` and `-`.
    #[error("validation: dependency {} has disallowed characters in the alias", quoted(.name))]
    InvalidAlias { name: String },
    /// Two dependencies go by one name.
    #[error("validation: more than one dependency with name or alias {}", quoted(.name))]
    DuplicateDependency { name: String },
}

impl RawMetadata {
    /// Checks the metadata and cleans its texts of what cannot be printed.
    pub(crate) fn validated(self) -> Result<Metadata, ValidationError> {
        let mut md = self.fields;
        for text in [
            &mut md.name,
            &mut md.description,
            &mut md.home,
            &mut md.icon,
            &mut md.condition,
            &mut md.tags,
            &mut md.app_version,
            &mut md.kube_version,
        ] {
            *text = sanitized(text);
        }
        md.sources.iter_mut().chain(&mut md.keywords).for_each(|text| *text = sanitized(text));
        if md.api_version.is_empty() {
            return Err(ValidationError::Missing { field: "apiVersion" });
        }
        check_name(&md.name)?;
        if md.version.is_empty() {
            return Err(ValidationError::Missing { field: "version" });
        }
        if Version::parse(&md.version).is_err() {
            return Err(ValidationError::InvalidVersion { version: md.version });
        }
        if !matches!(md.kind.as_str(), "" | "application" | "library") {
            return Err(ValidationError::InvalidType);
        }
        for maintainer in self.maintainers {
            let Some(m) = maintainer else { return Err(ValidationError::NullMaintainer) };
            md.maintainers.push(Maintainer {
                name: sanitized(&m.name),
                email: sanitized(&m.email),
                url: sanitized(&m.url),
            });
        }
        md.dependencies = self.dependencies.map(validated_dependencies).transpose()?;
        Ok(md)
    }
}

fn check_name(name: &str) -> Result<(), ValidationError> {
    let name = || name.to_owned();
    match name().as_str() {
        "" => Err(ValidationError::Missing { field: "name" }),
        "." | ".." => Err(ValidationError::NameNotAllowed { name: name() }),
        text if text.contains('/') => Err(ValidationError::InvalidName { name: name() }),
        _ => Ok(()),
    }
}

fn validated_dependencies(
    list: Vec<Option<Dependency>>,
) -> Result<Vec<Dependency>, ValidationError> {
    let mut names = std::collections::BTreeSet::new();
    let mut dependencies = Vec::with_capacity(list.len());
    for dependency in list {
        let mut d = dependency.ok_or(ValidationError::NullDependency)?;
        for text in [&mut d.name, &mut d.version, &mut d.repository, &mut d.condition] {
            *text = sanitized(text);
        }
        d.tags.iter_mut().for_each(|tag| *tag = sanitized(tag));
        if !d.alias.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(ValidationError::InvalidAlias { name: d.name });
        }
        let name = if d.alias.is_empty() { &d.name } else { &d.alias };
        if !names.insert(name.clone()) {
            return Err(ValidationError::DuplicateDependency { name: name.clone() });
        }
        dependencies.push(d);
    }
    Ok(dependencies)
}
