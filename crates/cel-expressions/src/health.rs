//! `healthCheckExprs`: the health of kinds that tell it in their own way.

use std::collections::HashMap;

use crd_types::appliers::CustomHealthCheck;
use manifest::{GroupKind, Gvk, Object};
use serde_json::Value;

use crate::error::{CompileError, EvaluationError, HealthCheckError};
use crate::expression::{Expression, fields};

/// How an object does by its expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is what it should be.
    Current,
    /// It is on its way.
    InProgress,
    /// It has failed.
    Failed,
}

/// Compiled expressions by kind.
#[derive(Debug, Default)]
pub struct HealthExpressions(HashMap<GroupKind, Check>);

#[derive(Debug)]
struct Check {
    current: Expression,
    failed: Option<Expression>,
    in_progress: Option<Expression>,
}

impl HealthExpressions {
    /// Compiles what an object specifies. Flux: their variables are the top-level fields of
    /// whatever object comes, so nothing but the syntax is checked.
    ///
    /// # Errors
    /// If an expression is no CEL, or a kind has two sets of them: only an edit helps.
    pub fn compile(checks: &[CustomHealthCheck]) -> Result<Self, HealthCheckError> {
        let mut compiled = HashMap::new();
        for (index, check) in checks.iter().enumerate() {
            let kind = check.kind.as_deref().unwrap_or_default();
            let key = Gvk::new(&check.api_version, kind).group_kind();
            if compiled.contains_key(&key) {
                let group_kind = go_string(&key);
                return Err(HealthCheckError::Duplicate { group_kind, index });
            }
            compiled.insert(key, Check::compile(check, index)?);
        }
        Ok(Self(compiled))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The health of an object; none if there is no expression for its kind. A check of the kind
    /// goes before one of the whole group.
    ///
    /// # Errors
    /// If an expression has no answer for the object as it is now.
    pub fn health(&self, object: &Object) -> Option<Result<Health, EvaluationError>> {
        let kind = object.gvk().group_kind();
        let group = GroupKind { kind: String::new(), ..kind.clone() };
        let check = self.0.get(&kind).or_else(|| self.0.get(&group))?;
        Some(check.health(object))
    }
}

impl Check {
    fn compile(check: &CustomHealthCheck, index: usize) -> Result<Self, HealthCheckError> {
        if check.current.is_empty() {
            return Err(HealthCheckError::NoCurrent { index });
        }
        let parse = |field, source: &str| {
            let fault = |error: CompileError| HealthCheckError::Expression { index, field, error };
            Expression::parse(source).map_err(fault)
        };
        let given = |field, source: &Option<String>| {
            let source = source.as_deref().filter(|source| !source.is_empty());
            source.map(|source| parse(field, source)).transpose()
        };
        Ok(Self {
            current: parse("Current", &check.current)?,
            failed: given("Failed", &check.failed)?,
            in_progress: given("InProgress", &check.in_progress)?,
        })
    }

    /// Flux: a status that is of an older generation counts for nothing.
    fn health(&self, object: &Object) -> Result<Health, EvaluationError> {
        let observed = object.fields().get("status").and_then(|it| it.get("observedGeneration"));
        let generation = object.metadata().and_then(|metadata| metadata.get("generation"));
        let (observed, generation) =
            (observed.and_then(Value::as_i64), generation.and_then(Value::as_i64));
        if observed.is_some() && generation.is_some() && observed != generation {
            return Ok(Health::InProgress);
        }
        let holds = |expression: &Option<Expression>| {
            expression.as_ref().map_or(Ok(false), |it| it.is_true(fields(object)))
        };
        if holds(&self.in_progress)? {
            return Ok(Health::InProgress);
        }
        if holds(&self.failed)? {
            return Ok(Health::Failed);
        }
        let current = self.current.is_true(fields(object))?;
        Ok(if current { Health::Current } else { Health::InProgress })
    }
}

/// As Go prints a kind with its group.
fn go_string(key: &GroupKind) -> String {
    if key.group.is_empty() { key.kind.clone() } else { format!("{}.{}", key.kind, key.group) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(api_version: &str, kind: &str, current: &str) -> CustomHealthCheck {
        CustomHealthCheck {
            api_version: api_version.to_owned(),
            kind: Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
            current: current.to_owned(),
            failed: Some("status.phase == 'bad'".to_owned()),
            in_progress: Some("status.phase == 'busy'".to_owned()),
        }
    }

    fn object(status: Value) -> Object {
        let mut value = json!({"apiVersion": "x.io/v2", "kind": "A",
            "metadata": {"name": "a", "generation": 2}});
        value["status"] = status;
        Object::new(value).unwrap()
    }

    #[test]
    fn health_is_what_the_expressions_say_in_order() {
        let all = HealthExpressions::compile(&[
            check("x.io/v1", "", "false"),
            check("x.io/v1", "A", "status.phase == 'good'"),
        ]);
        let health = |status| all.as_ref().unwrap().health(&object(status)).unwrap();
        assert_eq!(health(json!({"phase": "good"})), Ok(Health::Current));
        assert_eq!(health(json!({"phase": "other"})), Ok(Health::InProgress));
        assert_eq!(health(json!({"phase": "busy"})), Ok(Health::InProgress));
        assert_eq!(health(json!({"phase": "bad"})), Ok(Health::Failed));
        let stale = json!({"phase": "good", "observedGeneration": 1});
        assert_eq!(health(stale), Ok(Health::InProgress));
        let missing = health(json!({})).unwrap_err().to_string();
        assert_eq!(
            missing,
            "failed to evaluate the CEL expression 'status.phase == 'busy'': no such key: phase"
        );
        let other =
            Object::new(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}));
        assert!(all.as_ref().unwrap().health(&other.unwrap()).is_none());
    }

    #[test]
    fn wrong_checks_are_told_as_flux_tells_them() {
        let error = |checks: &[_]| HealthExpressions::compile(checks).unwrap_err().to_string();
        assert_eq!(
            error(&[check("x.io/v1", "A", "true"), check("x.io/v2", "A", "true")]),
            "duplicate custom health check for GroupKind A.x.io at healthchecks[1]"
        );
        assert!(error(&[check("v1", "A", "x +")]).starts_with(
            "failed to create custom status evaluator for healthchecks[0]: failed to parse the \
             expression Current: failed to parse the CEL expression 'x +': ERROR: <input>:1:4: "
        ));
    }
}
