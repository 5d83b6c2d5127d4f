//! What can be told of an expression before any object is there.

use kube_cel::cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use crate::error::CompileError;
use crate::syntax::{children, issue};

/// The functions that Flux declares: CEL's own, and the extensions for strings, sets, encodings and
/// optional values.
const FUNCTIONS: &[&str] = &[
    "base64.decode",
    "base64.encode",
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "format",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "or",
    "orValue",
    "replace",
    "reverse",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "size",
    "split",
    "startsWith",
    "string",
    "strings.quote",
    "substring",
    "timestamp",
    "trim",
    "uint",
    "upperAscii",
    "value",
];

/// Refuses variables and functions that are not declared, as cel-go's checker does.
pub(crate) fn declared(
    source: &str,
    tree: &IdedExpr,
    variables: &[&str],
) -> Result<(), CompileError> {
    let mut scope: Vec<&str> = variables.to_vec();
    let mut issues = Vec::new();
    visit(source, tree, &mut scope, &mut issues);
    if issues.is_empty() {
        return Ok(());
    }
    Err(CompileError::Syntax { expression: source.to_owned(), issues: issues.join("\n") })
}

fn visit<'a>(source: &str, tree: &'a IdedExpr, scope: &mut Vec<&'a str>, issues: &mut Vec<String>) {
    let mut undeclared = |name: &str, place: usize| {
        let line = source[..place].matches('\n').count() + 1;
        let column = place - source[..place].rfind('\n').map_or(0, |end| end + 1) + 1;
        let at = (line.cast_signed(), column.cast_signed());
        let message = format!("undeclared reference to '{name}' (in container '')");
        issues.push(issue(source, at, &message));
    };
    match &tree.expr {
        Expr::Ident(name) if !scope.contains(&name.as_str()) && !is_type(name) => {
            undeclared(name, place(source, name));
        }
        Expr::Call(call) if is_word(&call.func_name) => {
            let qualified = match call.target.as_deref().map(|target| &target.expr) {
                Some(Expr::Ident(prefix)) => Some(format!("{prefix}.{}", call.func_name)),
                _ => None,
            };
            if qualified.is_some_and(|name| FUNCTIONS.contains(&name.as_str())) {
                for part in &call.args {
                    visit(source, part, scope, issues);
                }
                return;
            }
            if !FUNCTIONS.contains(&call.func_name.as_str()) {
                let name = &call.func_name;
                // cel-go means a call by its bracket.
                undeclared(name, (place(source, name) + name.len()).min(source.len()));
            }
            for part in children(tree) {
                visit(source, part, scope, issues);
            }
        }
        Expr::Comprehension(it) => {
            visit(source, &it.iter_range, scope, issues);
            visit(source, &it.accu_init, scope, issues);
            let outside = scope.len();
            scope.extend([it.iter_var.as_str(), it.accu_var.as_str()]);
            scope.extend(it.iter_var2.as_deref());
            for part in [&it.loop_cond, &it.loop_step, &it.result] {
                visit(source, part, scope, issues);
            }
            scope.truncate(outside);
        }
        _ => {
            for part in children(tree) {
                visit(source, part, scope, issues);
            }
        }
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.contains("__")
        && !(name.starts_with('_') && name.ends_with('_'))
}

fn is_type(name: &str) -> bool {
    let types = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"];
    types.contains(&name)
}

/// Where a name first stands as a word of its own. The parser keeps no places.
fn place(source: &str, name: &str) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let whole = |&(at, _): &(usize, &str)| {
        let (before, after) = (&source.as_bytes()[..at], &source.as_bytes()[at + name.len()..]);
        !before.last().is_some_and(is_part) && !after.first().is_some_and(is_part)
    };
    source.match_indices(name).find(whole).map_or(0, |(at, _)| at)
}

/// Refuses what answers anything else than true or false, as far as that can be told: what comes
/// out of an object may be anything, which Flux refuses, too.
pub(crate) fn is_boolean(tree: &IdedExpr) -> Result<(), CompileError> {
    answers(tree, "bool")
}

/// The same for what answers anything else than text.
pub(crate) fn is_text(tree: &IdedExpr) -> Result<(), CompileError> {
    answers(tree, "string")
}

fn answers(tree: &IdedExpr, wanted: &'static str) -> Result<(), CompileError> {
    match output(tree) {
        Some(found) if found != wanted => Err(CompileError::OutputType { wanted, found }),
        Some(_) | None => Ok(()),
    }
}

/// The type of the answer, if it can be told.
fn output(tree: &IdedExpr) -> Option<&'static str> {
    Some(match &tree.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => "bool",
        Expr::Literal(LiteralValue::String(_)) => "string",
        Expr::Literal(LiteralValue::Int(_)) => "int",
        Expr::Literal(LiteralValue::UInt(_)) => "uint",
        Expr::Literal(LiteralValue::Double(_)) => "double",
        Expr::Literal(LiteralValue::Bytes(_)) => "bytes",
        Expr::Literal(LiteralValue::Null) => "null",
        Expr::Select(select) if select.test => "bool",
        Expr::Select(_) => "dyn",
        Expr::Call(call) => match call.func_name.as_str() {
            operators::CONDITIONAL => {
                let [_, yes, no] = call.args.as_slice() else { return None };
                let (yes, no) = (output(yes)?, output(no)?);
                if yes == no { yes } else { "dyn" }
            }
            operators::INDEX => "dyn",
            "size" | "indexOf" | "lastIndexOf" | "int" => "int",
            "string" | "lowerAscii" | "upperAscii" | "trim" | "replace" | "join" => "string",
            _ => return None,
        },
        _ => return None,
    })
}
