//! What a Receiver asks of the tokens of identity providers.

use std::collections::HashSet;

use cel_expressions::{CompileError, EvaluationError, Expression};
use crd_types::notification::{OidcProvider, ReceiverSpec};
use serde_json::{Map, Value, json};
use webhook_request::Kind;

/// What is wrong with the identity providers of a Receiver. The words are Flux's.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("generic-oidc receiver requires at least one oidcProvider")]
    None,
    #[error("oidcProviders can only be set when type is generic-oidc")]
    OtherType,
    #[error("secretRef cannot be set when type is generic-oidc")]
    Secret,
    #[error("secretRef is required when type is not generic-oidc")]
    NoSecret,
    #[error("oidcProviders[{index}]: issuerURL is required")]
    NoIssuer { index: usize },
    #[error("oidcProviders[{index}]: issuerURL {url:?} must start with http:// or https://")]
    Scheme { index: usize, url: String },
    #[error("oidcProviders[{index}]: duplicate issuerURL {url:?}")]
    Duplicate { index: usize, url: String },
    #[error(
        "oidcProviders[{index}] (issuerURL={url:?}): at least one validation is required; without \
         validations any caller able to obtain a token from this issuer can trigger the Receiver"
    )]
    NoValidation { index: usize, url: String },
    #[error("oidcProviders[{index}] (issuerURL={url:?}): {field} is required")]
    Field { index: usize, url: String, field: String },
    #[error("oidcProviders[{index}] (issuerURL={url:?}): {error}")]
    Expression { index: usize, url: String, error: InvalidExpression },
}

/// An expression over claims that cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidExpression {
    #[error("invalid expression for variable {name:?}: {error}")]
    Variable { name: String, error: CompileError },
    #[error("invalid expression for validation {message:?}: {error}")]
    Validation { message: String, error: CompileError },
}

/// Why the claims of a token do not suffice.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Insufficient {
    #[error(transparent)]
    Invalid(#[from] InvalidExpression),
    #[error("failed to evaluate variable {name:?}")]
    Variable { name: String, source: EvaluationError },
    #[error("failed to evaluate validation")]
    Validation(#[source] EvaluationError),
    #[error("token validation failed: {failures}")]
    Failed { failures: String },
}

impl Invalid {
    /// The reason of the condition.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Expression { .. } => "InvalidCELExpression",
            Self::None
            | Self::OtherType
            | Self::Secret
            | Self::NoSecret
            | Self::NoIssuer { .. }
            | Self::Scheme { .. }
            | Self::Duplicate { .. }
            | Self::NoValidation { .. }
            | Self::Field { .. } => "ValidationFailed",
        }
    }
}

/// Whether a Receiver can know who sends requests to it.
///
/// # Errors
/// What it lacks.
pub(super) fn check(spec: &ReceiverSpec) -> Result<(), Invalid> {
    let is_oidc = Kind::named(&spec.type_) == Some(Kind::GenericOidc);
    match (is_oidc, spec.oidc_providers.is_empty(), &spec.secret_ref) {
        (true, true, _) => return Err(Invalid::None),
        (false, false, _) => return Err(Invalid::OtherType),
        (true, false, Some(_)) => return Err(Invalid::Secret),
        (false, true, None) => return Err(Invalid::NoSecret),
        (true, false, None) | (false, true, Some(_)) => {}
    }
    let mut seen = HashSet::new();
    for (index, provider) in spec.oidc_providers.iter().enumerate() {
        let url = provider.issuer_url.clone();
        if url.is_empty() {
            return Err(Invalid::NoIssuer { index });
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Invalid::Scheme { index, url });
        }
        if !seen.insert(&provider.issuer_url) {
            return Err(Invalid::Duplicate { index, url });
        }
        if provider.validations.is_empty() {
            return Err(Invalid::NoValidation { index, url });
        }
        if let Some(field) = missing(provider) {
            return Err(Invalid::Field { index, url, field });
        }
    }
    for (index, provider) in spec.oidc_providers.iter().enumerate() {
        let url = provider.issuer_url.clone();
        compile(provider).map_err(|error| Invalid::Expression { index, url, error })?;
    }
    Ok(())
}

/// The first field that is there and empty.
fn missing(provider: &OidcProvider) -> Option<String> {
    let variables = provider.variables.iter().enumerate().find_map(|(j, variable)| {
        if variable.name.is_empty() {
            return Some(format!("variables[{j}]: name"));
        }
        let name = &variable.name;
        variable
            .expression
            .is_empty()
            .then(|| format!("variables[{j}] (name={name:?}): expression"))
    });
    variables.or_else(|| {
        provider.validations.iter().enumerate().find_map(|(j, validation)| {
            if validation.expression.is_empty() {
                return Some(format!("validations[{j}]: expression"));
            }
            validation.message.is_empty().then(|| format!("validations[{j}]: message"))
        })
    })
}

type Compiled<'p> = (Vec<(&'p str, Expression)>, Vec<(&'p str, Expression)>);

fn compile(provider: &OidcProvider) -> Result<Compiled<'_>, InvalidExpression> {
    const NAMES: [&str; 2] = ["claims", "vars"];
    let variables = provider.variables.iter().map(|variable| {
        let compiled = Expression::compile_any(&variable.expression, &NAMES);
        let compiled = compiled
            .map_err(|error| InvalidExpression::Variable { name: variable.name.clone(), error })?;
        Ok((variable.name.as_str(), compiled))
    });
    let variables = variables.collect::<Result<_, _>>()?;
    let validations = provider.validations.iter().map(|validation| {
        let compiled = Expression::compile(&validation.expression, &NAMES);
        let compiled = compiled.map_err(|error| InvalidExpression::Validation {
            message: validation.message.clone(),
            error,
        })?;
        Ok((validation.message.as_str(), compiled))
    });
    Ok((variables, validations.collect::<Result<_, _>>()?))
}

/// Whether the claims of a token, whose signature was found right, say what they must.
///
/// # Errors
/// What they do not say.
pub(super) fn suffice(
    claims: &Map<String, Value>,
    provider: &OidcProvider,
) -> Result<(), Insufficient> {
    let (variables, validations) = compile(provider)?;
    let claims = Value::Object(claims.clone());
    let mut values = json!({});
    for (name, expression) in variables {
        let value = expression.value([("claims", &claims), ("vars", &values)]);
        let value =
            value.map_err(|source| Insufficient::Variable { name: name.to_owned(), source })?;
        values[name] = value;
    }
    let mut failures = Vec::new();
    for (message, expression) in validations {
        let holds = expression.is_true([("claims", &claims), ("vars", &values)]);
        if !holds.map_err(Insufficient::Validation)? {
            failures.push(message);
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Insufficient::Failed { failures: failures.join("; ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(providers: &Value) -> ReceiverSpec {
        let spec = json!({"type": "generic-oidc", "resources": [], "oidcProviders": providers});
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn a_receiver_must_say_whom_it_believes_what() {
        let valid = json!([{"expression": "true", "message": "m"}]);
        for (providers, wanted) in [
            (json!([]), "generic-oidc receiver requires at least one oidcProvider"),
            (
                json!([{"issuerURL": "ftp://x", "validations": valid}]),
                "oidcProviders[0]: issuerURL \"ftp://x\" must start with http:// or https://",
            ),
            (
                json!([{"issuerURL": "https://x", "validations": [{"expression": "", "message": "m"}]}]),
                "oidcProviders[0] (issuerURL=\"https://x\"): validations[0]: expression is required",
            ),
            (
                json!([{"issuerURL": "https://x", "validations": valid},
                       {"issuerURL": "https://x", "validations": valid}]),
                "oidcProviders[1]: duplicate issuerURL \"https://x\"",
            ),
        ] {
            let error = check(&spec(&providers)).unwrap_err();
            assert_eq!((error.reason(), error.to_string().as_str()), ("ValidationFailed", wanted));
        }
        let bad = json!([{"issuerURL": "https://x", "validations": [
            {"expression": "nope", "message": "m"},
        ]}]);
        assert_eq!(check(&spec(&bad)).unwrap_err().reason(), "InvalidCELExpression");
    }

    #[test]
    fn claims_are_judged_by_variables_and_validations() {
        let provider: OidcProvider = serde_json::from_value(json!({
            "issuerURL": "https://x",
            "variables": [{"name": "repo", "expression": "claims.sub.split(':')[1]"}],
            "validations": [
                {"expression": "vars.repo == 'acme/fleet'", "message": "wrong repository"},
                {"expression": "claims.ref == 'main'", "message": "wrong branch"},
            ],
        }))
        .unwrap();
        let judge = |sub: &str, branch: &str| {
            let claims = json!({"sub": sub, "ref": branch});
            suffice(claims.as_object().unwrap(), &provider).map_err(|error| error.to_string())
        };
        assert_eq!(judge("repo:acme/fleet", "main"), Ok(()));
        assert_eq!(
            judge("repo:acme/other", "dev"),
            Err("token validation failed: wrong repository; wrong branch".to_owned())
        );
        assert_eq!(judge("none", "main"), Err("failed to evaluate variable \"repo\"".to_owned()));
    }
}
