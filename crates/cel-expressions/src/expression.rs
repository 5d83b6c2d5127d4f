//! One expression, compiled once and evaluated often.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kube_cel::KubeCelExt as _;
use kube_cel::cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, operators};
use kube_cel::cel::{Context, ExecutionError, Value};

use crate::check;
use crate::error::{Cause, CompileError, EvaluationError};
use crate::syntax::{on_large_stack, parse};
use crate::value;

/// What one evaluation may cost: a turn of a loop costs one, and a sixteenth of the list it builds,
/// which is copied at each turn.
const MAX_COST: usize = 100_000;
// The functions that count. No expression can name them.
const STEP: &str = "@step";
const GROW: &str = "@grow";

/// A CEL expression. Most are true or false; some answer text, or anything.
#[derive(Clone)]
pub struct Expression {
    source: String,
    tree: Arc<IdedExpr>,
}

/// By its source.
impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl Expression {
    /// Reads an expression whose variables are not known beforehand.
    ///
    /// # Errors
    /// If it is no CEL, or too large.
    pub fn parse(source: &str) -> Result<Self, CompileError> {
        Ok(Self::counted(source, parse(source)?))
    }

    /// Reads an expression over objects with these names, which must answer true or false.
    ///
    /// # Errors
    /// If it is no CEL, or too large, or uses other names, or cannot answer true or false.
    pub fn compile(source: &str, variables: &[&str]) -> Result<Self, CompileError> {
        let tree = parse(source)?;
        check::declared(source, &tree, variables)?;
        check::is_boolean(&tree)?;
        Ok(Self::counted(source, tree))
    }

    /// Reads an expression over objects with these names, which must answer text.
    ///
    /// # Errors
    /// If it is no CEL, or too large, or uses other names, or cannot answer text.
    pub fn compile_text(source: &str, variables: &[&str]) -> Result<Self, CompileError> {
        let tree = parse(source)?;
        check::declared(source, &tree, variables)?;
        check::is_text(&tree)?;
        Ok(Self::counted(source, tree))
    }

    /// Reads an expression over objects with these names, which may answer anything.
    ///
    /// # Errors
    /// If it is no CEL, or too large, or uses other names.
    pub fn compile_any(source: &str, variables: &[&str]) -> Result<Self, CompileError> {
        let tree = parse(source)?;
        check::declared(source, &tree, variables)?;
        Ok(Self::counted(source, tree))
    }

    fn counted(source: &str, mut tree: IdedExpr) -> Self {
        count(&mut tree);
        Self { source: source.to_owned(), tree: Arc::new(tree) }
    }

    /// Whether the expression is true for these variables.
    ///
    /// # Errors
    /// If something it needs is missing, or it takes too long, or its answer is neither true nor
    /// false. No error shows a value.
    pub fn is_true<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a serde_json::Value)>,
    ) -> Result<bool, EvaluationError> {
        match self.answer(variables)? {
            Value::Bool(answer) => Ok(answer),
            _ => Err(EvaluationError::NotBoolean { expression: self.source.clone() }),
        }
    }

    /// The text that the expression answers for these variables.
    ///
    /// # Errors
    /// As for [`Expression::is_true`], and if the answer is no text.
    pub fn text<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a serde_json::Value)>,
    ) -> Result<String, EvaluationError> {
        match self.answer(variables)? {
            Value::String(answer) => Ok(answer.to_string()),
            _ => Err(EvaluationError::NotText { expression: self.source.clone() }),
        }
    }

    /// What the expression answers for these variables, as JSON.
    ///
    /// # Errors
    /// As for [`Expression::is_true`], and if the answer has no JSON form.
    pub fn value<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a serde_json::Value)>,
    ) -> Result<serde_json::Value, EvaluationError> {
        let no_json = || EvaluationError::NoJson { expression: self.source.clone() };
        value::to_json(&self.answer(variables)?).ok_or_else(no_json)
    }

    fn answer<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a serde_json::Value)>,
    ) -> Result<Value, EvaluationError> {
        let spent = Arc::new(AtomicUsize::new(0));
        let mut context = Context::default();
        context.register_all();
        let counter = Arc::clone(&spent);
        context.add_function(STEP, move || spend(&counter, 1));
        let counter = Arc::clone(&spent);
        context
            .add_function(GROW, move |list: Arc<Vec<Value>>| spend(&counter, 1 + list.len() / 16));
        for (name, value) in variables {
            context.add_variable_from_value(name, value::of(value));
        }
        // The interpreter is a stranger's: whatever it does with hostile input ends here.
        let answer = on_large_stack(|| {
            catch_unwind(AssertUnwindSafe(|| Value::resolve(&self.tree, &context)))
        });
        let failed = |cause| EvaluationError::Failed { expression: self.source.clone(), cause };
        if spent.load(Ordering::Relaxed) > MAX_COST {
            return Err(failed(Cause::TooManySteps));
        }
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failed(cause(error))),
            Err(_panic) => Err(failed(Cause::Internal)),
        }
    }
}

fn spend(spent: &AtomicUsize, cost: usize) -> Result<bool, ExecutionError> {
    if spent.fetch_add(cost, Ordering::Relaxed) + cost > MAX_COST {
        return Err(ExecutionError::function_error(STEP, "too many steps"));
    }
    Ok(true)
}

/// Makes every turn of a loop count.
fn count(tree: &mut IdedExpr) {
    match &mut tree.expr {
        Expr::Call(call) => {
            call.target.as_deref_mut().into_iter().chain(&mut call.args).for_each(count);
        }
        Expr::Comprehension(it) => {
            for part in [
                &mut it.iter_range,
                &mut it.accu_init,
                &mut it.loop_cond,
                &mut it.loop_step,
                &mut it.result,
            ] {
                count(part);
            }
            let builds_list = matches!(it.accu_init.expr, Expr::List(_));
            let counter = if builds_list {
                call(GROW, vec![IdedExpr { id: 0, expr: Expr::Ident(it.accu_var.clone()) }])
            } else {
                call(STEP, Vec::new())
            };
            // An error beside `false` counts as `false`, by which the loop ends all the same.
            let condition = std::mem::take(&mut it.loop_cond);
            it.loop_cond = call(operators::LOGICAL_AND, vec![counter, condition]);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(count),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    count(&mut entry.key);
                    count(&mut entry.value);
                }
            }
        }
        Expr::Select(select) => count(&mut select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

fn call(function: &str, args: Vec<IdedExpr>) -> IdedExpr {
    let call = CallExpr { func_name: function.to_owned(), target: None, args };
    IdedExpr { id: 0, expr: Expr::Call(call) }
}

/// What went wrong, without the values that the interpreter's own words show.
fn cause(error: ExecutionError) -> Cause {
    match error {
        ExecutionError::NoSuchKey(key) => Cause::NoSuchKey(key.to_string()),
        ExecutionError::UndeclaredReference(name) => Cause::NoSuchAttribute(name.to_string()),
        ExecutionError::IndexOutOfBounds(_) => Cause::OutOfBounds,
        ExecutionError::DivisionByZero(_) => Cause::DivisionByZero,
        ExecutionError::RemainderByZero(_) => Cause::ModulusByZero,
        ExecutionError::Overflow(..) => Cause::Overflow,
        ExecutionError::FunctionError { function, .. } => Cause::Function(function),
        // The rest is about types that do not go together, and new kinds of it may come.
        _ => Cause::NoSuchOverload,
    }
}

/// The top-level fields of an object as variables.
pub(crate) fn fields(
    object: &manifest::Object,
) -> impl Iterator<Item = (&str, &serde_json::Value)> {
    object.fields().iter().map(|(name, value)| (name.as_str(), value))
}
