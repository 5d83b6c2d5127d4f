//! Refusals of Secrets without the values that the API server quotes in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use manifest::Object;
use serde_json::Value;

use crate::api::{ApiError, Refusal};

/// What stands in the place of a value.
const MASK: &str = "***";
/// How deep values are looked for.
const MAX_DEPTH: usize = 192;

/// The error as it may be shown: if it is about a Secret, reduced to the paths of fields.
///
/// Differs: Flux shows what the API server said, values and all.
pub(crate) fn redacted(error: ApiError, object: &Object) -> ApiError {
    let is_secret = object.kind() == "Secret" && object.gvk().group.is_empty();
    match error {
        ApiError::Refused(refusal) if is_secret => {
            ApiError::Refused(Box::new(redacted_refusal(*refusal, object)))
        }
        other => other,
    }
}

fn redacted_refusal(mut refusal: Refusal, secret: &Object) -> Refusal {
    if !refusal.details.causes.is_empty() {
        for cause in &mut refusal.details.causes {
            cause.message = String::new();
        }
        let causes = refusal.details.causes.iter();
        let fields: Vec<_> = causes.map(|c| format!("{}: {}", c.field, c.reason)).collect();
        let head = refusal.message.split_once(" is invalid").map_or("Secret", |(head, _)| head);
        refusal.message = format!("{head} is invalid: {}", fields.join(", "));
    }
    let mut values = Vec::new();
    for field in ["data", "stringData"] {
        leaves(secret.fields().get(field).unwrap_or(&Value::Null), &mut values, MAX_DEPTH);
    }
    // What a schema check has found stands behind this; its Go notation is not ours to search.
    while let Some((before, after)) = refusal.message.split_once(", got ") {
        let rest = after.split_once('\n').map_or("", |(_, rest)| rest);
        refusal.message = format!("{before}{}{rest}", if rest.is_empty() { "" } else { "\n" });
    }
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        // A value that short is guessed, not leaked; masking it would garble every word.
        if value.len() > 2 {
            refusal.message = refusal.message.replace(&value, MASK);
        }
    }
    refusal
}

/// Every value under this one, as it stands there and as it was before it was encoded.
fn leaves(value: &Value, into: &mut Vec<String>, depth: usize) {
    if depth == 0 {
        return;
    }
    match value {
        Value::String(text) => {
            let decoded = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            into.extend(decoded.into_iter().chain([text.clone()]));
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into, depth - 1)),
        Value::Object(fields) => fields.values().for_each(|item| leaves(item, into, depth - 1)),
        Value::Number(number) => into.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Cause, Details};

    fn shown(kind: &str, refusal: Refusal) -> String {
        let secret = Object::new(json!({
            "apiVersion": "v1", "kind": kind, "metadata": {"name": "s"},
            "data": {"token": "aHVudGVyMg=="}, "stringData": {"password": ["swordfish"]},
        }));
        redacted(ApiError::Refused(Box::new(refusal)), &secret.unwrap()).to_string()
    }

    fn saying(message: &str) -> Refusal {
        Refusal { message: message.to_owned(), ..Refusal::default() }
    }

    #[test]
    fn a_schema_error_ends_before_the_value() {
        let message = "failed to create typed patch object (n/s; /v1, Kind=Secret): \
            .stringData.password: expected string, got \
            &value.valueUnstructured{Value:[]interface {}{\"swordfish\"}}";
        assert_eq!(
            shown("Secret", saying(message)),
            "failed to create typed patch object (n/s; /v1, Kind=Secret): \
             .stringData.password: expected string"
        );
        assert_eq!(shown("ConfigMap", saying(message)), message);
    }

    #[test]
    fn an_invalid_field_is_named_without_its_value() {
        let cause = Cause {
            reason: "FieldValueInvalid".to_owned(),
            message: "Invalid value: \"hunter2\": no".to_owned(),
            field: "data[token]".to_owned(),
        };
        let refusal = Refusal {
            message: "Secret \"s\" is invalid: data[token]: Invalid value: \"hunter2\": no"
                .to_owned(),
            details: Details { causes: vec![cause] },
            ..Refusal::default()
        };
        assert_eq!(
            shown("Secret", refusal),
            "Secret \"s\" is invalid: data[token]: FieldValueInvalid"
        );
    }

    #[test]
    fn a_webhook_cannot_echo_a_value() {
        let refusal = saying("denied: hunter2 (aHVudGVyMg==) is weak");
        assert_eq!(shown("Secret", refusal), "denied: *** (***) is weak");
    }
}
