//! Which of its resources a request to a Receiver is about.

use cel_expressions::{CompileError, EvaluationError, Expression};
use crd_types::notification::ReceiverSpec;
use serde_json::{Map, Value};
use webhook_request::{InvalidJson, Kind, Payload};

/// What is wrong with the filters of a Receiver.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidFilter {
    #[error("invalid resourceFilter expression: {0}")]
    OfAll(CompileError),
    #[error(
        "invalid filter expression for resources[{index}] (kind={kind:?}, name={name:?}): {error}"
    )]
    OfOne { index: usize, kind: String, name: String, error: CompileError },
}

/// The filters of a Receiver.
#[derive(Debug)]
pub(super) struct Filters {
    of_all: Option<Expression>,
    of_each: Vec<Option<Expression>>,
}

/// The filters of a Receiver, and what a request says.
#[derive(Debug)]
pub(super) struct Judge<'f> {
    filters: &'f Filters,
    request: Value,
    /// What an identity provider says of the sender.
    claims: Option<Value>,
}

impl Filters {
    /// The filters of a Receiver.
    ///
    /// # Errors
    /// The first one that cannot be compiled.
    pub(super) fn of(spec: &ReceiverSpec) -> Result<Self, InvalidFilter> {
        let has_claims = Kind::named(&spec.type_) == Some(Kind::GenericOidc);
        let variables: &[&str] =
            if has_claims { &["res", "req", "claims"] } else { &["res", "req"] };
        let one = |source: &Option<String>| {
            let source = source.as_deref().filter(|source| !source.is_empty());
            source.map(|source| Expression::compile(source, variables)).transpose()
        };
        let of_all = one(&spec.resource_filter).map_err(InvalidFilter::OfAll)?;
        let of_each = spec.resources.iter().enumerate().map(|(index, resource)| {
            one(&resource.filter).map_err(|error| {
                let (kind, name) = (resource.kind.clone(), resource.name.clone());
                InvalidFilter::OfOne { index, kind, name, error }
            })
        });
        Ok(Self { of_all, of_each: of_each.collect::<Result<_, _>>()? })
    }

    /// The filters for a request, whose body is looked at only if there are any.
    ///
    /// # Errors
    /// If the body claims to be JSON and is not.
    pub(super) fn judge(
        &self,
        payload: &Payload,
        body: &[u8],
        claims: Option<Map<String, Value>>,
    ) -> Result<Judge<'_>, InvalidJson> {
        let are_none = self.of_all.is_none() && self.of_each.iter().all(Option::is_none);
        let request = if are_none { Value::Null } else { payload.json(body)? };
        Ok(Judge { filters: self, request, claims: claims.map(Value::Object) })
    }

    fn of_resource(&self, index: usize) -> impl Iterator<Item = &Expression> {
        let of_one = self.of_each.get(index).and_then(Option::as_ref);
        self.of_all.iter().chain(of_one)
    }
}

impl Judge<'_> {
    /// Whether objects of a resource are looked at.
    pub(super) fn look_at(&self, index: usize) -> bool {
        self.filters.of_resource(index).next().is_some()
    }

    /// Whether the request is about an object of a resource.
    ///
    /// # Errors
    /// If a filter has no answer.
    pub(super) fn admit(&self, index: usize, object: &Value) -> Result<bool, EvaluationError> {
        let claims = self.claims.iter().map(|claims| ("claims", claims));
        let variables = [("res", object), ("req", &self.request)].into_iter().chain(claims);
        for filter in self.filters.of_resource(index) {
            if !filter.is_true(variables.clone())? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use fuzz_input::{Values, check, soon};
    use serde_json::json;

    use super::*;

    fn spec(spec: &Value) -> ReceiverSpec {
        let mut whole = json!({"type": "generic", "resources": [
            {"kind": "GitRepository", "name": "a", "filter": "req.n == 1"},
            {"kind": "GitRepository", "name": "b"},
        ]});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn all_filters_must_admit_an_object() {
        let spec = spec(&json!({"resourceFilter": "res.metadata.name == req.name"}));
        let body = br#"{"n": 1, "name": "a"}"#;
        let filters = Filters::of(&spec).unwrap();
        let judge = filters.judge(&Payload::Body, body, None).unwrap();
        let named = |name: &str| json!({"metadata": {"name": name}});
        assert!(judge.look_at(0) && judge.look_at(1));
        assert_eq!(judge.admit(0, &named("a")), Ok(true));
        assert_eq!(judge.admit(0, &named("b")), Ok(false));
        assert_eq!(judge.admit(1, &named("a")), Ok(true));
        let opaque = filters.judge(&Payload::Opaque, b"?", None).unwrap();
        assert!(opaque.admit(0, &named("a")).is_err());
        assert!(filters.judge(&Payload::Body, b"?", None).is_err());
    }

    #[test]
    fn claims_are_there_for_identities_only() {
        let claims = json!({"resourceFilter": "claims.sub == 'x'"});
        let error = Filters::of(&spec(&claims)).unwrap_err().to_string();
        assert!(error.starts_with("invalid resourceFilter expression: failed to parse"), "{error}");
        let mut oidc = spec(&claims);
        oidc.type_ = "generic-oidc".to_owned();
        Filters::of(&oidc).unwrap();
        let bad = spec(&json!({"resources": [{"kind": "K", "name": "n", "filter": "("}]}));
        let error = Filters::of(&bad).unwrap_err().to_string();
        let wanted = "invalid filter expression for resources[0] (kind=\"K\", name=\"n\"): ";
        assert!(error.starts_with(wanted), "{error}");
    }

    #[test]
    fn any_payload_is_filtered_soon() {
        let spec = spec(&json!({"resourceFilter": "req.image.contains(res.metadata.name) || \
            has(req.tags) && req.tags.exists(t, t.startsWith('v')) || req.n > 1 || req.map.all(k, k != '')"}));
        let filters = Filters::of(&spec).unwrap();
        let bodies = [
            json!({"image": "registry.example/o/app", "tags": ["v1", "latest"], "n": 1, "map": {"a": 1}}),
            json!({"n": 1.5, "map": [], "tags": {}}),
        ];
        let object =
            json!({"metadata": {"name": "app", "namespace": "apps", "labels": {"a": "b"}}});
        check(300).with_generator(Values::of(bodies).value()).for_each(|body| {
            soon(|| {
                let body = body.to_string();
                let Ok(judge) = filters.judge(&Payload::Body, body.as_bytes(), None) else {
                    assert!(!body.starts_with('{'), "{body}");
                    return;
                };
                // An answer or none, for both resources.
                (0..2).for_each(|index| drop(judge.admit(index, &object)));
            });
        });
    }
}
