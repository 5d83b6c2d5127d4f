//! Follows the new names of resources into the fields that refer to them by name.
//!
//! Names are looked up in an index of all earlier names, so the cost grows with the references and
//! not with the square of the resources.

use std::collections::{BTreeSet, HashMap, HashSet};

use manifest::Gvk;
use serde_json::{Map, Value};

use crate::budget::{Budget, Overspent};
use crate::config::Config;
use crate::field_spec::{FieldError, FieldSpec, visit_map};
use crate::identity::{ResId, gvk_selected};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::value::{borrowed_text, text};

/// Why references could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameReferenceError {
    /// A field could not be followed.
    #[error(
        "updating name reference in '{path}' field of '{referrer}': considering field '{path}' of \
         object {referrer}"
    )]
    Field {
        /// The field that refers.
        path: String,
        /// The object that refers.
        referrer: String,
        /// What is wrong.
        source: FieldError,
    },
    /// The build writes more than it may.
    #[error(transparent)]
    Overspent(#[from] Overspent),
}

/// What may be referred to: a resource that was renamed or moved.
struct Candidate {
    id: ResId,
    previous: Vec<ResId>,
    original_namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// All candidates, found by the names that they had.
struct Candidates<'a> {
    budget: &'a Budget,
    all: Vec<Candidate>,
    by_name: HashMap<String, Vec<usize>>,
    /// The namespaces of resources, by the namespace that they were in at first.
    by_original_namespace: HashMap<String, HashSet<(bool, String, String)>>,
}

/// A field that may refer to objects of a kind.
struct Rule<'a> {
    target: Gvk,
    spec: &'a FieldSpec,
    path: Vec<String>,
}

/// The resource that refers.
struct Referrer {
    id: ResId,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    /// The role that a role binding names.
    role: Option<Gvk>,
    /// The namespaces of the service accounts that a role binding names.
    subject_namespaces: BTreeSet<String>,
}

/// Gives all references the names that their targets have now.
///
/// # Errors
/// If a name may mean several resources, or a field is no reference.
pub(crate) fn fix(
    resources: &mut Resources,
    config: &Config,
    budget: &Budget,
) -> Result<(), NameReferenceError> {
    let candidates = Candidates::new(resources, budget);
    if candidates.by_name.is_empty() {
        return Ok(());
    }
    let rules: Vec<Rule<'_>> = config
        .name_reference
        .iter()
        .flat_map(|reference| {
            let target = reference.gvk();
            reference.referrers.iter().map(move |spec| Rule {
                target: target.clone(),
                spec,
                path: spec.segments(),
            })
        })
        .collect();
    let mut by_kind: HashMap<Gvk, Vec<&Rule<'_>>> = HashMap::new();
    for place in 0..resources.len() {
        let Some(resource) = resources.body_mut(place) else { break };
        let original = resource.original_id().gvk;
        let rules = by_kind
            .entry(original)
            .or_insert_with_key(|gvk| rules.iter().filter(|rule| rule.spec.selects(gvk)).collect());
        if rules.is_empty() {
            continue;
        }
        let referrer = Referrer::new(resource);
        for rule in rules.iter() {
            let mut set = |field: &mut Value| candidates.set(field, rule, &referrer);
            visit_map(&mut resource.fields, &rule.path, None, &mut set).map_err(|source| {
                match source.root() {
                    FieldError::Overspent(overspent) => (*overspent).into(),
                    _ => NameReferenceError::Field {
                        path: rule.spec.path.clone(),
                        referrer: referrer.id.to_string(),
                        source,
                    },
                }
            })?;
        }
    }
    Ok(())
}

impl Referrer {
    fn new(resource: &Resource) -> Self {
        let id = resource.id();
        let role_ref = resource.fields.get("roleRef").and_then(Value::as_object);
        let role = role_ref.and_then(|role| {
            let (group, kind) = (text(role.get("apiGroup")?), text(role.get("kind")?));
            Some(Gvk { group, version: String::new(), kind })
        });
        let mut subject_namespaces = BTreeSet::new();
        if id.gvk.kind == "RoleBinding"
            && let Some(Value::Array(subjects)) = resource.fields.get("subjects")
        {
            for subject in subjects {
                if borrowed_text(subject.get("kind")) == "ServiceAccount"
                    && let Some(Value::String(namespace)) = subject.get("namespace")
                {
                    subject_namespaces.insert(namespace.clone());
                }
            }
        }
        let (prefixes, suffixes) =
            (resource.notes.prefixes.clone(), resource.notes.suffixes.clone());
        Self { id, prefixes, suffixes, role, subject_namespaces }
    }

    /// Whether it can refer to something that lives there at all.
    fn reaches(&self, cluster_scoped: bool, effective: &str, written: &str) -> bool {
        self.id.cluster_scoped
            || cluster_scoped
            || self.id.effective_namespace() == effective
            || self.subject_namespaces.contains(written)
    }
}

impl<'a> Candidates<'a> {
    fn new(resources: &Resources, budget: &'a Budget) -> Self {
        let mut found = Self {
            budget,
            all: Vec::new(),
            by_name: HashMap::new(),
            by_original_namespace: HashMap::new(),
        };
        for resource in resources.iter() {
            let id = resource.id();
            let original_namespace = resource.original_id().effective_namespace().to_owned();
            let lives =
                (id.cluster_scoped, id.effective_namespace().to_owned(), id.namespace.clone());
            let namespaces = &mut found.by_original_namespace;
            namespaces.entry(original_namespace.clone()).or_default().insert(lives);
            let previous: Vec<ResId> = resource.previous_ids().collect();
            if previous.is_empty() {
                continue;
            }
            let place = found.all.len();
            for earlier in &previous {
                let places = found.by_name.entry(earlier.name.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            found.all.push(Candidate {
                id,
                previous,
                original_namespace,
                prefixes: resource.notes.prefixes.clone(),
                suffixes: resource.notes.suffixes.clone(),
            });
        }
        found
    }

    fn set(
        &self,
        field: &mut Value,
        rule: &Rule<'_>,
        referrer: &Referrer,
    ) -> Result<(), FieldError> {
        match field {
            Value::Null => Ok(()),
            Value::Object(fields) => self.set_map(fields, rule, referrer),
            Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
                Value::Null => Ok(()),
                Value::Object(fields) => self.set_map(fields, rule, referrer),
                Value::Array(_) => Err(FieldError::Refused {
                    message: format!("{item} is expected to be either a string or a map of string"),
                }),
                scalar => self.set_scalar(scalar, rule, referrer),
            }),
            scalar => self.set_scalar(scalar, rule, referrer),
        }
    }

    fn set_scalar(
        &self,
        field: &mut Value,
        rule: &Rule<'_>,
        referrer: &Referrer,
    ) -> Result<(), FieldError> {
        let old = text(field);
        let same = |one: &Candidate, other: &Candidate| one.id.name == other.id.name;
        if let Some(target) = self.find(&old, rule, referrer, |_| true, same)?
            && target.id.name != old
        {
            self.budget.spend(target.id.name.len())?;
            *field = Value::from(target.id.name.as_str());
        }
        Ok(())
    }

    fn set_map(
        &self,
        fields: &mut Map<String, Value>,
        rule: &Rule<'_>,
        referrer: &Referrer,
    ) -> Result<(), FieldError> {
        let Some(name) = fields.get("name") else {
            let message = "path config error; no 'name' field in node".to_owned();
            return Err(FieldError::Refused { message });
        };
        let old = text(name);
        let namespace = fields.get("namespace").map(text);
        // A namespace means the one in which things were at first, if any was there.
        let was_there = namespace.as_ref().is_some_and(|namespace| {
            let lives = self.by_original_namespace.get(namespace);
            lives.is_some_and(|lives| {
                lives.iter().any(|(cluster, effective, written)| {
                    referrer.reaches(*cluster, effective, written)
                })
            })
        });
        let in_namespace = |candidate: &Candidate| match &namespace {
            None => true,
            Some(namespace) if was_there => &candidate.original_namespace == namespace,
            Some(namespace) => candidate.id.effective_namespace() == namespace,
        };
        let same = |one: &Candidate, other: &Candidate| {
            one.id.name == other.id.name && one.id.namespace == other.id.namespace
        };
        let Some(target) = self.find(&old, rule, referrer, in_namespace, same)? else {
            return Ok(());
        };
        if target.id.name == old && target.id.namespace.is_empty() {
            return Ok(());
        }
        self.budget.spend(target.id.name.len() + target.id.namespace.len())?;
        fields.insert("name".to_owned(), Value::from(target.id.name.as_str()));
        if !target.id.namespace.is_empty() {
            fields.insert("namespace".to_owned(), Value::from(target.id.namespace.as_str()));
        }
        Ok(())
    }

    /// The resource that a name means, if it means one.
    fn find(
        &self,
        name: &str,
        rule: &Rule<'_>,
        referrer: &Referrer,
        in_namespace: impl Fn(&Candidate) -> bool,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&Candidate>, FieldError> {
        let Some(places) = self.by_name.get(name) else { return Ok(None) };
        let had = |candidate: &Candidate, gvk: &Gvk| {
            candidate.previous.iter().any(|id| gvk_selected(&id.gvk, gvk))
        };
        let bound = referrer.role.as_ref().filter(|_| rule.spec.path.ends_with("roleRef/name"));
        let mut found: Vec<&Candidate> = places
            .iter()
            .filter_map(|place| self.all.get(*place))
            .filter(|candidate| {
                let id = &candidate.id;
                referrer.reaches(id.cluster_scoped, id.effective_namespace(), &id.namespace)
                    && in_namespace(candidate)
                    && had(candidate, &rule.target)
                    && bound.is_none_or(|role| had(candidate, role))
                    && (referrer.id.cluster_scoped
                        || id.cluster_scoped
                        || id.gvk.kind == "ServiceAccount"
                        || referrer.id.same_namespace(id))
            })
            .collect();
        if found.len() != 1 {
            found.retain(|candidate| candidate.shares_affixes(referrer, true));
        }
        if found.len() > 1 {
            found.retain(|candidate| candidate.shares_affixes(referrer, false));
        }
        let Some((first, rest)) = found.split_first() else { return Ok(None) };
        if rest.iter().all(|other| same(first, other)) {
            return Ok(Some(first));
        }
        let ids: Vec<String> = found.iter().map(|candidate| candidate.id.to_string()).collect();
        let message = format!("found multiple possible referrals: {}", ids.join(", "));
        Err(FieldError::Refused { message })
    }
}

impl Candidate {
    /// Whether the same prefixes and suffixes were added last; `lenient` also where one has none.
    fn shares_affixes(&self, referrer: &Referrer, lenient: bool) -> bool {
        let shares = |one: &[String], other: &[String]| {
            lenient && (one.is_empty() || other.is_empty()) || same_ending(one, other)
        };
        shares(&self.prefixes, &referrer.prefixes) && shares(&self.suffixes, &referrer.suffixes)
    }
}

/// Whether the shorter list is the end of the longer; an empty one only of an empty one.
fn same_ending(one: &[String], other: &[String]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
}
