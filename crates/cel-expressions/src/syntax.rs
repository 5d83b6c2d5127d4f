//! An expression read into its tree, within limits.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kube_cel::cel::common::ast::{EntryExpr, Expr, IdedExpr};
use kube_cel::cel::parser::Parser;

use crate::error::CompileError;

/// The longest expression, in bytes.
const MAX_BYTES: usize = 4096;
/// The most parts of an expression.
const MAX_PARTS: usize = 2000;
/// The deepest nesting of an expression. Each level of a tree is a call of the interpreter.
const MAX_LEVELS: usize = 96;
/// The deepest nesting that the parser follows.
const MAX_PARSER_LEVELS: u16 = 48;
/// The stack that parser and interpreter get: what the limits above can need, and as much again.
const STACK_BYTES: usize = 16 << 20;

/// Reads an expression.
pub(crate) fn parse(source: &str) -> Result<IdedExpr, CompileError> {
    let too_large = CompileError::TooLarge { parts: MAX_PARTS, levels: MAX_LEVELS };
    if source.len() > MAX_BYTES {
        return Err(CompileError::TooLong { bytes: source.len(), limit: MAX_BYTES });
    }
    if nesting(source) > usize::from(MAX_PARSER_LEVELS) {
        return Err(too_large);
    }
    let parser = Parser::new().enable_optional_syntax(true).max_recursion_depth(MAX_PARSER_LEVELS);
    // The parser is a stranger's: whatever it does with hostile input ends here.
    let parsed = on_large_stack(|| catch_unwind(AssertUnwindSafe(|| parser.parse(source))));
    let Ok(parsed) = parsed else { return Err(too_large) };
    let tree = parsed.map_err(|errors| CompileError::Syntax {
        expression: source.to_owned(),
        issues: errors
            .errors
            .iter()
            .map(|error| issue(source, error.pos, &error.msg))
            .collect::<Vec<_>>()
            .join("\n"),
    })?;
    let mut parts = 0;
    if !fits(&tree, MAX_LEVELS, &mut parts) {
        return Err(too_large);
    }
    match unsupported(&tree) {
        Some(feature) => Err(CompileError::Unsupported { expression: source.to_owned(), feature }),
        None => Ok(tree),
    }
}

/// Calls a function that may call itself as often as the limits allow.
pub(crate) fn on_large_stack<T>(call: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, call)
}

/// An issue as cel-go prints it: with its line, and a mark under the place. `line` counts from one,
/// `column` too.
pub(crate) fn issue(source: &str, (line, column): (isize, isize), message: &str) -> String {
    let text = format!("ERROR: <input>:{line}:{column}: {message}");
    let at = usize::try_from(line - 1).ok();
    let Some(snippet) = at.and_then(|at| source.lines().nth(at)) else { return text };
    let dots = ".".repeat(usize::try_from(column - 1).unwrap_or_default().min(MAX_BYTES));
    format!("{text}\n | {snippet}\n | {dots}^")
}

/// How deep brackets and signs nest, roughly: those in texts count, too. The parser has a limit of its
/// own, but gets there slowly.
fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest, mut signs) = (0_usize, 0, 0);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'?' => signs += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest + signs
}

fn fits(tree: &IdedExpr, levels: usize, parts: &mut usize) -> bool {
    *parts += 1;
    *parts <= MAX_PARTS
        && levels > 0
        && children(tree).into_iter().all(|child| fits(child, levels - 1, parts))
}

/// What the interpreter cannot do.
fn unsupported(tree: &IdedExpr) -> Option<&'static str> {
    match &tree.expr {
        Expr::Struct(_) => Some("a message literal"),
        Expr::Unspecified => Some("an empty expression"),
        Expr::Map(map)
            if map.entries.iter().any(|it| matches!(it.expr, EntryExpr::StructField(_))) =>
        {
            Some("a message literal")
        }
        Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Select(_) => children(tree).into_iter().find_map(unsupported),
    }
}

/// The parts that a part is made of.
pub(crate) fn children(tree: &IdedExpr) -> Vec<&IdedExpr> {
    match &tree.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(it) => {
            vec![&it.iter_range, &it.accu_init, &it.loop_cond, &it.loop_step, &it.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => entries(&map.entries),
        Expr::Struct(it) => entries(&it.entries),
        Expr::Select(select) => vec![&select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entries(entries: &[kube_cel::cel::common::ast::IdedEntryExpr]) -> Vec<&IdedExpr> {
    let parts = entries.iter().map(|entry| match &entry.expr {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    });
    parts.flatten().collect()
}
