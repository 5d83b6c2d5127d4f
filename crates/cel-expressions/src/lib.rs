//! CEL expressions over Kubernetes objects, as Flux compiles and evaluates them (`fluxcd/pkg`,
//! `runtime/cel`): `dependsOn[].readyExpr`, `healthCheckExprs`.
//!
//! Expressions and objects are written by strangers. The length of an expression, how deep it nests,
//! and the steps of one evaluation are bounded, and no error shows a value of an object.

mod check;
mod error;
mod expression;
mod health;
mod ready;
mod syntax;
mod value;

pub use error::{Cause, CompileError, EvaluationError, HealthCheckError};
pub use expression::Expression;
pub use health::{Health, HealthExpressions};
pub use ready::{ReadyExpression, ReadyExpressions};
