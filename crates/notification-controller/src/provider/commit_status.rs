//! The id of the commit status that an event sets.

use cel_expressions::{CompileError, EvaluationError, Expression};
use crd_types::notification::{Alert, Provider};
use event_api::Event;
use kube::ResourceExt as _;
use serde_json::json;

/// Why there is no id.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "failed to create commit status: failed to evaluate the spec.commitStatusExpr CEL \
         expression for the event: failed to compile expression"
    )]
    Compile(#[source] CompileError),
    #[error(
        "failed to create commit status: failed to evaluate the spec.commitStatusExpr CEL \
         expression for the event"
    )]
    Evaluate(#[source] EvaluationError),
}

/// What the Provider says by an expression; else one that differs between clusters, because the
/// identity of the Provider does.
pub(crate) fn id(provider: &Provider, alert: &Alert, event: &Event) -> Result<String, Error> {
    let given = provider.spec.commit_status_expr.as_deref().filter(|source| !source.is_empty());
    let Some(source) = given else {
        let about = &event.involved_object;
        let uid = provider.uid().unwrap_or_default();
        let cluster = uid.split('-').next().unwrap_or_default();
        return Ok(format!("{}/{}/{cluster}", about.kind, about.name).to_lowercase());
    };
    let expression = Expression::compile_text(source, &["event", "alert", "provider"]);
    let (event, alert, provider) = (json!(event), json!(alert), json!(provider));
    let variables = [("event", &event), ("alert", &alert), ("provider", &provider)];
    expression.map_err(Error::Compile)?.text(variables).map_err(Error::Evaluate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_the_provider_or_of_an_expression() {
        let mut provider = Provider::new("p", crd_types::notification::ProviderSpec::default());
        provider.metadata.uid = Some("0C9C2E41-d2f9".to_owned());
        let alert = Alert::new("a", crd_types::notification::AlertSpec::default());
        let event: Event = serde_json::from_value(json!({
            "involvedObject": {"kind": "Kustomization", "name": "Web"}, "metadata": {"env": "prod"},
        }))
        .unwrap();
        assert_eq!(id(&provider, &alert, &event).unwrap(), "kustomization/web/0c9c2e41");
        let mut given = |source: &str| {
            provider.spec.commit_status_expr = Some(source.to_owned());
            id(&provider, &alert, &event)
        };
        let id = given("event.metadata.env + '/' + alert.metadata.name + provider.metadata.name");
        assert_eq!(id.unwrap(), "prod/ap");
        assert!(matches!(given("nope.x"), Err(Error::Compile(_))));
        assert!(matches!(given("1 == 1"), Err(Error::Compile(_) | Error::Evaluate(_))));
        assert!(matches!(
            given("event.metadata.nope"),
            Err(Error::Compile(_) | Error::Evaluate(_))
        ));
    }
}
