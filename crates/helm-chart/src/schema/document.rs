//! A schema document: its draft, and what its references name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::SchemaError;
use super::costs::Costs;

/// Deepest nesting that is searched for identifiers.
const MAX_DEPTH: usize = 128;
/// Longest base of a schema; it is kept with every identifier below it.
pub(super) const MAX_URL_BYTES: usize = 2048;

/// Steps for each identifier, which stays in memory.
const KEPT: usize = 10;

/// The URL that Helm gives every schema.
const BASE: &str = "file:///values.schema.json";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    D4,
    D6,
    D7,
    D2019,
    D2020,
}

impl Draft {
    /// The value of a keyword, if the draft knows it.
    pub(super) fn keyword<'s>(
        self,
        schema: &'s Map<String, Value>,
        keyword: &str,
    ) -> Option<&'s Value> {
        let since = match keyword {
            "const" | "contains" | "propertyNames" => Self::D6,
            "if" => Self::D7,
            "$recursiveRef"
            | "dependentRequired"
            | "dependentSchemas"
            | "maxContains"
            | "minContains"
            | "unevaluatedItems"
            | "unevaluatedProperties" => Self::D2019,
            "$dynamicRef" | "prefixItems" => Self::D2020,
            _ => Self::D4,
        };
        schema.get(keyword).filter(|_| self >= since)
    }
}

/// A schema at its place: references in it are relative to `base`.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) schema: &'a Value,
    pub(super) base: std::rc::Rc<str>,
}

pub(super) struct Document<'a> {
    root: &'a Value,
    pub(super) draft: Draft,
    /// Whether `format` is looked at: by old drafts, and of schemas themselves.
    pub(super) asserts_format: bool,
    /// Whether any schema asks what others have not looked at, which costs book-keeping.
    pub(super) asks_unevaluated: bool,
    /// Schemas by absolute URL, those with an anchor by `URL#anchor`.
    by_url: BTreeMap<String, Place<'a>>,
}

impl<'a> Document<'a> {
    /// # Errors
    /// If a URL is too long, or there are too many.
    pub(super) fn new(root: &'a Value, costs: &Costs) -> Result<Self, SchemaError> {
        let draft = draft(root);
        let mut document = Self {
            root,
            draft,
            asserts_format: draft < Draft::D2019,
            asks_unevaluated: false,
            by_url: BTreeMap::new(),
        };
        let place = document.place_of(root, BASE);
        for url in [BASE, &place.base] {
            document.by_url.insert(url.to_owned(), place.clone());
        }
        document.index(place.schema, &place.base, 0, costs)?;
        Ok(document)
    }

    /// Adds a schema that references may name by its identifier.
    ///
    /// # Errors
    /// As [`Document::new`].
    pub(super) fn with_resource(
        mut self,
        root: &'a Value,
        costs: &Costs,
    ) -> Result<Self, SchemaError> {
        let place = self.place_of(root, BASE);
        self.by_url.insert(place.base.to_string(), place.clone());
        self.index(root, &place.base, 0, costs)?;
        Ok(self)
    }

    /// The whole schema, if a reference that looks at the way it was come by leads there.
    ///
    /// Limit: such an anchor is looked for in the outermost schema and beside the reference, not
    /// in those between.
    pub(super) fn dynamic_root(
        &self,
        keyword: &str,
        reference: &str,
        base: &str,
    ) -> Option<Place<'a>> {
        let root = self.root();
        if keyword == "$recursiveRef" {
            let recurs = |place: &Place<'_>| {
                place.schema.get("$recursiveAnchor") == Some(&Value::Bool(true))
            };
            let own = self.by_url.get(base)?;
            return (reference == "#" && recurs(own) && recurs(&root)).then_some(root);
        }
        let name = reference.strip_prefix('#')?;
        let anchored = |base: &str| {
            let place = self.by_url.get(&format!("{base}#{name}"))?;
            let is_dynamic = place.schema.get("$dynamicAnchor").and_then(Value::as_str);
            (is_dynamic == Some(name)).then(|| place.clone())
        };
        anchored(base).and_then(|_beside| anchored(&root.base))
    }

    pub(super) fn root(&self) -> Place<'a> {
        self.place_of(self.root, BASE)
    }

    /// A schema within one whose base is `base`: an identifier of its own changes the base.
    pub(super) fn place_of(&self, schema: &'a Value, base: &str) -> Place<'a> {
        let key = if self.draft == Draft::D4 { "id" } else { "$id" };
        let own = schema.get(key).and_then(Value::as_str).map(|id| id.trim_end_matches('#'));
        match own.filter(|id| !id.is_empty() && !id.starts_with('#')) {
            Some(id) => Place { schema, base: join(base, id).into() },
            None => Place { schema, base: base.into() },
        }
    }

    /// What a reference names; none stands for a schema that everything meets.
    pub(super) fn resolve(
        &self,
        reference: &str,
        base: &str,
    ) -> Result<Option<Place<'a>>, SchemaError> {
        let (url, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let url = if url.is_empty() { base.to_owned() } else { join(base, url) };
        let not_found = || SchemaError::NotFound { url: format!("{url}#{fragment}") };
        let no_anchor = || SchemaError::NoAnchor { url: format!("{url}#{fragment}"), schema: BASE };
        let Some(resource) = self.by_url.get(&url) else {
            // Helm knows the drafts' own schemas, and lets unknown names pass.
            if url.contains("://json-schema.org/") || url.starts_with("urn:") {
                return Ok(None);
            }
            return Err(unloadable(url));
        };
        if fragment.is_empty() {
            return Ok(Some(resource.clone()));
        }
        if !fragment.starts_with('/') {
            let anchored = self.by_url.get(&format!("{url}#{fragment}"));
            return anchored.cloned().map(Some).ok_or_else(no_anchor);
        }
        let mut place = resource.clone();
        for token in fragment[1..].split('/') {
            let token = percent_decoded(token).replace("~1", "/").replace("~0", "~");
            let inner = match place.schema {
                Value::Object(members) => members.get(&token),
                Value::Array(items) => token.parse().ok().and_then(|i: usize| items.get(i)),
                _ => None,
            };
            place = self.place_of(inner.ok_or_else(not_found)?, &place.base);
        }
        Ok(Some(place))
    }

    /// Whether all references lead somewhere, also those of schemas that no value will meet.
    pub(super) fn check_references(&self, costs: &Costs) -> Result<(), SchemaError> {
        let mut pending = vec![self.root()];
        let mut seen = BTreeSet::new();
        while let Some(place) = pending.pop() {
            let Value::Object(members) = place.schema else { continue };
            if !seen.insert(std::ptr::from_ref(members).addr()) {
                continue;
            }
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(reference) = reference {
                costs.spend(1 + (reference.len() >> 4))?;
                pending.extend(self.resolve(reference, &place.base)?);
            }
            // In old drafts nothing counts beside a reference.
            if reference.is_some() && self.draft < Draft::D2019 {
                continue;
            }
            for (keyword, value) in members {
                let within = inner_schemas(keyword, value);
                pending.extend(within.map(|schema| self.place_of(schema, &place.base)));
            }
        }
        Ok(())
    }

    fn index(
        &mut self,
        value: &'a Value,
        base: &str,
        depth: usize,
        costs: &Costs,
    ) -> Result<(), SchemaError> {
        if depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        if base.len() > MAX_URL_BYTES {
            return Err(SchemaError::LongUrl);
        }
        match value {
            Value::Array(items) => {
                for item in items {
                    self.index(item, base, depth + 1, costs)?;
                }
            }
            Value::Object(members) => {
                let place = self.place_of(value, base);
                if *place.base != *base {
                    costs.spend(KEPT + (place.base.len() >> 4))?;
                    self.by_url.insert(place.base.to_string(), place.clone());
                }
                for anchor in ["$anchor", "$dynamicAnchor", "$id", "id"] {
                    let Some(name) = members.get(anchor).and_then(Value::as_str) else { continue };
                    // Before `$anchor` there was an identifier that is a fragment.
                    let name = match (anchor.ends_with("id"), name.strip_prefix('#')) {
                        (true, Some(name)) => name,
                        (true, None) => continue,
                        (false, _) => name,
                    };
                    costs.spend(KEPT + ((place.base.len() + name.len()) >> 4))?;
                    self.by_url.insert(format!("{}#{name}", place.base), place.clone());
                }
                self.asks_unevaluated |= members.contains_key("unevaluatedProperties")
                    || members.contains_key("unevaluatedItems");
                for member in members.values() {
                    self.index(member, &place.base, depth + 1, costs)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The schemas that a keyword applies to values.
fn inner_schemas<'a>(keyword: &str, value: &'a Value) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
    match (keyword, value) {
        (
            "properties" | "patternProperties" | "dependentSchemas" | "dependencies",
            Value::Object(schemas),
        ) => Box::new(schemas.values()),
        ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(schemas)) => {
            Box::new(schemas.iter())
        }
        (
            "additionalProperties"
            | "additionalItems"
            | "items"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties",
            schema,
        ) => Box::new(std::iter::once(schema)),
        _ => Box::new(std::iter::empty()),
    }
}

/// The draft of a schema; the newest one, if it names none that is known.
fn draft(root: &Value) -> Draft {
    schema_url(root).and_then(known_draft).unwrap_or(Draft::D2020)
}

/// Whether a schema is of a draft that is known.
pub(super) fn check_draft(root: &Value) -> Result<(), SchemaError> {
    match schema_url(root).filter(|url| known_draft(url).is_none()) {
        // Such a name stands for a schema that everything meets.
        Some(url) if !url.starts_with("urn:") => Err(unloadable(url.to_owned())),
        _ => Ok(()),
    }
}

fn schema_url(root: &Value) -> Option<&str> {
    let url = root.get("$schema").and_then(Value::as_str)?;
    Some(url.split_once('#').map_or(url, |(url, _fragment)| url))
}

fn known_draft(url: &str) -> Option<Draft> {
    let without_scheme =
        url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or(url);
    Some(match without_scheme {
        "json-schema.org/draft-04/schema" => Draft::D4,
        "json-schema.org/draft-06/schema" => Draft::D6,
        "json-schema.org/draft-07/schema" => Draft::D7,
        "json-schema.org/draft/2019-09/schema" => Draft::D2019,
        "json-schema.org/draft/2020-12/schema" | "json-schema.org/schema" => Draft::D2020,
        _ => return None,
    })
}

/// Why a URL is not loaded: Helm has loaders for a few schemes.
fn unloadable(url: String) -> SchemaError {
    let known = ["file:", "http:", "https:", "urn:"];
    if known.iter().any(|scheme| url.starts_with(scheme)) {
        SchemaError::Remote { url }
    } else {
        SchemaError::NoLoader { url }
    }
}

/// A URL relative to another one.
fn join(base: &str, url: &str) -> String {
    let has_scheme = url
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.is_empty() && !scheme.contains(['/', '?']));
    if has_scheme {
        return url.to_owned();
    }
    let authority = base.find("://").map_or(0, |at| at + 3);
    let path = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    if url.starts_with('/') {
        return format!("{}{url}", &base[..path]);
    }
    let folder = base[path..].rfind('/').map_or(path, |at| path + at);
    format!("{}/{}", &base[..folder], url.trim_start_matches("./"))
}

fn percent_decoded(text: &str) -> String {
    let digit = |b: u8| char::from(b).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let escaped = match (byte, tail) {
            (b'%', [high, low, ..]) => {
                digit(*high).zip(digit(*low)).and_then(|(h, l)| u8::try_from(h * 16 + l).ok())
            }
            _ => None,
        };
        if escaped.is_some() {
            rest = &tail[2..];
        }
        out.push(escaped.unwrap_or(*byte));
    }
    String::from_utf8_lossy(&out).into_owned()
}
