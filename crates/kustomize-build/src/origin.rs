//! Where a resource comes from, for `buildMetadata: [originAnnotations, transformerAnnotations]`.

use std::fmt;

/// The file that a resource was read from, or the plugin that made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Relative to the directory that is built.
    pub(crate) path: String,
    pub(crate) configured_in: String,
    pub(crate) configured_by: Option<ConfiguredBy>,
}

/// The plugin that made or changed a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfiguredBy {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Origin {
    /// The origin of what `path` names, seen from here.
    pub(crate) fn append(&self, path: &str) -> Self {
        Self { path: clean(&format!("{}/{path}", self.path)), ..self.clone() }
    }

    /// The origin of what a field of this kustomization made.
    pub(crate) fn of_field(&self, file_name: &str, kind: &str) -> Self {
        Self {
            path: String::new(),
            configured_in: clean(&format!("{}/{file_name}", self.path)),
            configured_by: Some(ConfiguredBy {
                api_version: "builtin".to_owned(),
                kind: kind.to_owned(),
                ..ConfiguredBy::default()
            }),
        }
    }

    /// The origin of what a plugin made whose configuration came from here.
    pub(crate) fn of_plugin(&self, configured_by: ConfiguredBy) -> Self {
        Self {
            path: String::new(),
            configured_in: self.path.clone(),
            configured_by: Some(configured_by),
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let by = self.configured_by.as_ref();
        let by = by.map_or(0, |by| {
            by.api_version.len() + by.kind.len() + by.name.len() + by.namespace.len()
        });
        size_of::<Self>() + self.path.len() + self.configured_in.len() + by
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = |indent: &str, key: &str, value: &str| {
            if !value.is_empty() {
                lines.push(format!("{indent}{key}: {value}"));
            }
        };
        line("", "path", &self.path);
        line("", "configuredIn", &self.configured_in);
        if let Some(by) = &self.configured_by {
            line("", "configuredBy", "\n");
            line("  ", "apiVersion", &by.api_version);
            line("  ", "kind", &by.kind);
            line("  ", "name", &by.name);
            line("  ", "namespace", &by.namespace);
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// As the annotation holds it: a YAML document.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Several origins as the annotation holds them: a YAML list.
pub(crate) fn list_text(origins: &[Origin]) -> String {
    let mut text = String::new();
    for origin in origins {
        for (number, line) in origin.lines().iter().enumerate() {
            text.push_str(if number == 0 { "- " } else { "  " });
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Resolves `.` and `..` in a relative path as far as that is possible.
pub(crate) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_yaml_document() {
        let here = Origin::default().append("../base");
        assert_eq!(here.append("a.yaml").to_string(), "path: ../base/a.yaml\n");
        let made = here.of_field("kustomization.yaml", "ConfigMapGenerator");
        assert_eq!(
            list_text(&[made]),
            "- configuredIn: ../base/kustomization.yaml\n  configuredBy:\n    apiVersion: builtin\n    \
             kind: ConfigMapGenerator\n"
        );
    }
}
