//! The types of the built-in kinds, read once from a table.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::error::MergeError;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("types.txt")));

struct Table {
    kinds: HashMap<(&'static str, &'static str), &'static str>,
    types: HashMap<&'static str, Fields>,
}

type Fields = HashMap<&'static str, &'static str>;

/// A Go type, as the table writes it: `core.v1.Pod`, `*core.v1.PodSpec`, `[]core.v1.Container`, `map`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type(&'static str);

/// How a field merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Maps merge, lists are replaced.
    Usual,
    Merge,
    Replace,
}

/// What is known of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its type; that of the items for a list.
    pub(crate) below: Type,
    pub(crate) strategy: Strategy,
    /// Empty for a list of scalars.
    pub(crate) key: &'static str,
    /// Whether a patch says which fields stay: only one of them may be there at once.
    pub(crate) retains: bool,
}

impl Type {
    /// The type of a kind, such as `apps/v1` `Deployment`; none if it is not built in.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        TABLE.kinds.get(&(api_version, kind)).copied().map(Type)
    }

    /// What is known of a field that holds an object.
    pub(crate) fn field(self, name: &str) -> Result<Field, MergeError> {
        let own = self.0.strip_prefix('*').unwrap_or(self.0);
        let kind = Self(own).kind();
        if kind != "struct" {
            return Err(MergeError::NotAStruct { kind });
        }
        let short = own.rsplit('.').next().unwrap_or(own);
        let unknown = || MergeError::UnknownField { name: short, field: name.to_owned() };
        let fields = TABLE.types.get(own).ok_or_else(unknown)?;
        // Flux: names are compared as Go's decoder does, in any case if none is equal.
        let found = fields.get(name).or_else(|| {
            fields
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, found)| found)
        });
        let mut parts = found.ok_or_else(unknown)?.split('@');
        let below = Self(parts.next().unwrap_or_default());
        let strategies = parts.next().unwrap_or_default();
        let strategy = match strategies.split(',').next() {
            Some("merge") => Strategy::Merge,
            Some("replace") => Strategy::Replace,
            _ => Strategy::Usual,
        };
        let retains = strategies.split(',').any(|strategy| strategy == "retainKeys");
        Ok(Field { below, strategy, key: parts.next().unwrap_or_default(), retains })
    }

    /// What is known of a field that holds a list.
    pub(crate) fn list(self, name: &str) -> Result<Field, MergeError> {
        let field = self.field(name)?;
        let list = field.below.0.strip_prefix('*');
        let items = match (list, field.below.0.strip_prefix("[]")) {
            (_, Some(items)) if items.starts_with("[]") => return Err(MergeError::SliceOfSlice),
            (_, Some(items)) => items,
            (Some(pointee), None) => pointee.strip_prefix("[]").unwrap_or(pointee),
            (None, None) => return Err(MergeError::NotASlice { kind: self.kind() }),
        };
        Ok(Field { below: Self(items), ..field })
    }

    /// Go's kind.
    pub(crate) fn kind(self) -> &'static str {
        match self.0 {
            pointer if pointer.starts_with('*') => "ptr",
            slice if slice.starts_with("[]") => "slice",
            name if name.contains('.') => "struct",
            kind => kind,
        }
    }
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self { kinds: HashMap::new(), types: HashMap::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let Some(first) = words.next() else { continue };
            if let Some(api_version) = first.strip_prefix('!') {
                if let (Some(kind), Some(name)) = (words.next(), words.next()) {
                    table.kinds.insert((api_version, kind), name);
                }
            } else {
                table.types.insert(first, words.filter_map(|word| word.split_once('=')).collect());
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_through_pointers_and_lists() {
        let pod = Type::of("v1", "Pod").unwrap();
        let spec = pod.field("spec").unwrap().below;
        let containers = spec.list("containers").unwrap();
        assert_eq!((containers.strategy, containers.key), (Strategy::Merge, "name"));
        assert_eq!(containers.below.list("ports").unwrap().key, "containerPort");
        assert!(Type::of("example.com/v1", "Pod").is_none());
    }

    #[test]
    fn what_a_type_lacks_is_named() {
        let pod = Type::of("v1", "Pod").unwrap();
        let error = |field: Result<Field, MergeError>| field.unwrap_err().to_string();
        let unknown = "unable to find api field in struct Pod for the json field \"x\"";
        assert_eq!(error(pod.field("x")), unknown);
        assert_eq!(error(pod.list("spec")), "expected slice or array type, but got: struct");
        let labels = pod.field("metadata").unwrap().below.field("labels").unwrap().below;
        let none = "merging an object in json but data type is not struct, instead is: map";
        assert_eq!(error(labels.field("x")), none);
    }
}
