//! The built-in fields, read from their table.

use std::sync::{Arc, LazyLock};

use manifest::Gvk;

use super::{Config, NameReference};
use crate::field_spec::FieldSpec;

pub(super) static BUILT_IN: LazyLock<Arc<Config>> =
    LazyLock::new(|| Arc::new(read(include_str!("field_specs.txt"))));

/// Reads the format that the head of `field_specs.txt` describes.
fn read(table: &str) -> Config {
    let mut config = Config::default();
    let mut section = "";
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = head;
            if let Some(target) = head.strip_prefix("nameReference ") {
                let Gvk { group, version, kind } = kind(target);
                config.name_reference.push(NameReference {
                    group,
                    version,
                    kind,
                    ..NameReference::default()
                });
            }
        } else if let Some(list) = list(&mut config, section) {
            specs(line, list);
        }
    }
    config.sort();
    config
}

fn list<'a>(config: &'a mut Config, section: &str) -> Option<&'a mut Vec<FieldSpec>> {
    Some(match section {
        "namePrefix" => &mut config.name_prefix,
        "nameSuffix" => &mut config.name_suffix,
        "namespace" => &mut config.namespace,
        "commonLabels" => &mut config.common_labels,
        "templateLabels" => &mut config.template_labels,
        "commonAnnotations" => &mut config.common_annotations,
        "images" => &mut config.images,
        "replicas" => &mut config.replicas,
        "varReference" => &mut config.var_reference,
        _ => &mut config.name_reference.last_mut()?.referrers,
    })
}

/// Reads a line: path, `+`, kinds.
fn specs(line: &str, list: &mut Vec<FieldSpec>) {
    let mut words = line.split(' ').peekable();
    let Some(path) = words.next() else { return };
    let create = words.next_if_eq(&"+").is_some();
    if words.peek().is_none() {
        list.push(FieldSpec::everywhere(path, create));
    }
    for word in words {
        let Gvk { group, version, kind } = kind(word);
        list.push(FieldSpec { group, version, kind, path: path.to_owned(), create });
    }
}

/// Reads `Kind[.version][@group]`.
fn kind(word: &str) -> Gvk {
    let (word, group) = word.split_once('@').unwrap_or((word, ""));
    let (kind, version) = word.split_once('.').unwrap_or((word, ""));
    Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        let config = Config::built_in();
        assert_eq!(config.name_prefix, [FieldSpec::everywhere("metadata/name", false)]);
        assert_eq!(config.replicas.len(), 4);
        assert!(config.replicas.iter().all(|spec| spec.create));
        let secret = config.name_reference.iter().find(|r| r.kind == "Secret").unwrap();
        assert_eq!(secret.version, "v1");
        assert!(secret.referrers.iter().any(|spec| spec.group == "serving.knative.dev"));
    }
}
