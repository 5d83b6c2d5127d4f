//! `dependsOn[].readyExpr`: whether a dependency is ready, by an expression over both objects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::error::{CompileError, EvaluationError};
use crate::expression::Expression;

/// The most expressions that are kept. One more and all are compiled anew.
const MAX_KEPT: usize = 4096;

/// Expressions over `self` and `dep`, each compiled once.
#[derive(Debug, Default)]
pub struct ReadyExpressions(Mutex<HashMap<String, Result<Arc<Expression>, CompileError>>>);

impl ReadyExpressions {
    /// The compiled expression.
    ///
    /// # Errors
    /// If it is no CEL over `self` and `dep`, or cannot answer true or false: only another
    /// expression helps. Flux prints `failed to evaluate dependency <name>: <error>`.
    pub fn compile(&self, source: &str) -> Result<ReadyExpression, CompileError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(source) {
            return known.clone().map(ReadyExpression);
        }
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let compiled = Expression::compile(source, &["self", "dep"]).map(Arc::new);
        kept.insert(source.to_owned(), compiled.clone());
        compiled.map(ReadyExpression)
    }
}

/// An expression over an object and what it depends on.
#[derive(Clone, Debug)]
pub struct ReadyExpression(Arc<Expression>);

impl ReadyExpression {
    /// Whether the dependency is ready for the object. Both are whole objects.
    ///
    /// # Errors
    /// If the expression has no answer for them as they are now.
    pub fn is_ready(&self, object: &Value, dependency: &Value) -> Result<bool, EvaluationError> {
        self.0.is_true([("self", object), ("dep", dependency)])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(source: &str) -> String {
        ReadyExpressions::default().compile(source).unwrap_err().to_string()
    }

    #[test]
    fn a_dependency_is_ready_by_an_expression() {
        let all = ReadyExpressions::default();
        let (me, dep) = (
            json!({"metadata": {"labels": {"v": "1"}}}),
            json!({"metadata":
            {"labels": {"v": "2"}}, "status": {"n": 3, "conditions": [{"type": "Ready"}]}}),
        );
        for (source, wanted) in [
            ("dep.metadata.labels['v'] == '2'", Ok(true)),
            ("self.metadata.labels.v == dep.metadata.labels.v", Ok(false)),
            ("dep.status.conditions.exists(c, c.type == 'Ready') && dep.status.n >= 3", Ok(true)),
            ("dep.status.conditions.filter(c, c.type == 'Ready').size() == 1", Ok(true)),
            ("has(dep.status.nope) ? true : dep.?status.?n.orValue(0) == 3", Ok(true)),
            ("dep.status.n < 3.5", Ok(true)),
            ("sets.contains(['a'], ['a']) && 'x,y'.split(',').join('-') == 'x-y'", Ok(true)),
            ("dep.status.nope == 1", Err("no such key: nope")),
            ("dep.status.n / 0 == 1", Err("division by zero")),
        ] {
            let found = all.compile(source).unwrap().is_ready(&me, &dep);
            let found = found.map_err(|error| error.to_string());
            let prefix = format!("failed to evaluate the CEL expression '{source}': ");
            assert_eq!(found, wanted.map_err(|cause| prefix + cause), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_told_as_flux_tells_it() {
        assert_eq!(
            error("dep.metadata +"),
            "failed to parse the CEL expression 'dep.metadata +': ERROR: <input>:1:15: Syntax \
             error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', \
             'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n \
             | dep.metadata +\n | ..............^"
        );
        assert_eq!(
            error("true && other.x == 1"),
            "failed to parse the CEL expression 'true && other.x == 1': ERROR: <input>:1:9: \
             undeclared reference to 'other' (in container '')\n | true && other.x == 1\n \
             | ........^"
        );
        assert_eq!(
            error("dep.metadata.name"),
            "CEL expression output type mismatch: expected bool, got dyn"
        );
        assert!(error("nope(1) == 2").contains(":1:5: undeclared reference to 'nope'"));
    }

    #[test]
    fn hostile_expressions_end() {
        let big = json!({"l": (0..3000).collect::<Vec<_>>()});
        let all = ReadyExpressions::default();
        let slow = all.compile("dep.l.all(a, dep.l.all(b, dep.l.all(c, a + b + c >= 0)))");
        let answer = slow.unwrap().is_ready(&big, &big).unwrap_err().to_string();
        assert!(answer.ends_with("cost limit exceeded"), "{answer}");
        let copying = all.compile("dep.l.map(a, dep.l.map(b, a)).size() == 0").unwrap();
        assert!(copying.is_ready(&big, &big).is_err());
        let (open, close) = ("(".repeat(2000), ")".repeat(2000));
        for source in [
            format!("{open}true{close}"),
            "(')' + ".repeat(500),
            format!("{}true", "!".repeat(4000)),
            format!("{}1 == 1", "-".repeat(4000)),
            format!("{}1 == 1", "1+".repeat(2000)),
            format!("{}true", "true ? true : ".repeat(250)),
            format!("dep{} == 1", ".a".repeat(2000)),
            format!("dep{} == 1", "[0]".repeat(1300)),
            "true && ".repeat(500) + "true",
            "[".repeat(4000),
            "x".repeat(5000),
            "Message{a: 1} == 1".to_owned(),
            "\u{0}\u{ffff}'".to_owned(),
            "'\\u12".to_owned(),
            String::new(),
        ] {
            drop(all.compile(&source).map(|it| drop(it.is_ready(&big, &big))));
        }
    }

    #[test]
    fn no_error_shows_a_value() {
        let secret = json!({"data": "hunter2"});
        let all = ReadyExpressions::default();
        for source in
            ["dep.data + 1 == 2", "dep.data['x'] == 1", "int(dep.data) == 1", "dep.data < 1"]
        {
            let error = all.compile(source).unwrap().is_ready(&secret, &secret).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
