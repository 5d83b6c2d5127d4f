//! Nodes back to text, as error messages quote them.

use std::fmt::{self, Write as _};

use crate::ast::{Arena, CommandId, ExprId, ExprKind, NodeRef, PipeId, StmtKind};
use crate::value::Str;

/// Limit: an expression nested deeper than this prints as `…`; Go would print megabytes of
/// parentheses.
const MAX_DEPTH: usize = 200;

impl Arena {
    pub(crate) fn position(&self, node: NodeRef) -> usize {
        match node {
            NodeRef::Stmt(id) => self[id].pos,
            NodeRef::Pipe(id) => self[id].pos,
            NodeRef::Command(id) => self[id].pos,
            NodeRef::Expr(id) => self[id].pos,
        }
    }

    pub(crate) fn print(&self, node: NodeRef) -> String {
        let mut out = String::new();
        let printer = Printer { arena: self, out: &mut out };
        // Writing to a string cannot fail.
        let _ = printer.node(node);
        out
    }
}

struct Printer<'a> {
    arena: &'a Arena,
    out: &'a mut String,
}

impl Printer<'_> {
    fn node(mut self, node: NodeRef) -> fmt::Result {
        match node {
            NodeRef::Pipe(id) => self.pipe(id, 0),
            NodeRef::Command(id) => self.command(id, 0),
            NodeRef::Expr(id) => self.expr(id, 0),
            NodeRef::Stmt(id) => match &self.arena[id].kind {
                StmtKind::Action(pipe) => {
                    self.out.push_str("{{");
                    self.pipe(*pipe, 0)?;
                    self.out.push_str("}}");
                    Ok(())
                }
                StmtKind::Template { name, pipe } => {
                    write!(self.out, "{{{{template {}", go_quote::double(name.as_bytes()))?;
                    if let Some(pipe) = pipe {
                        self.out.push(' ');
                        self.pipe(*pipe, 0)?;
                    }
                    self.out.push_str("}}");
                    Ok(())
                }
                StmtKind::Text { .. } => Ok(()),
                StmtKind::If { .. } => self.out.write_str("{{if}}"),
                StmtKind::With { .. } => self.out.write_str("{{with}}"),
                StmtKind::Range { .. } => self.out.write_str("{{range}}"),
                StmtKind::Break => self.out.write_str("{{break}}"),
                StmtKind::Continue => self.out.write_str("{{continue}}"),
            },
        }
    }

    fn pipe(&mut self, id: PipeId, depth: usize) -> fmt::Result {
        let pipe = &self.arena[id];
        for (i, decl) in pipe.decls.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(&self.arena[*decl]);
        }
        if !pipe.decls.is_empty() {
            self.out.push_str(if pipe.is_assign { " = " } else { " := " });
        }
        for (i, command) in pipe.commands.iter().enumerate() {
            if i > 0 {
                self.out.push_str(" | ");
            }
            self.command(*command, depth)?;
        }
        Ok(())
    }

    fn command(&mut self, id: CommandId, depth: usize) -> fmt::Result {
        for (i, arg) in self.arena[id].args.iter().enumerate() {
            if i > 0 {
                self.out.push(' ');
            }
            self.bracketed(*arg, depth)?;
        }
        Ok(())
    }

    /// A pipeline within something larger stands in parentheses.
    fn bracketed(&mut self, id: ExprId, depth: usize) -> fmt::Result {
        if matches!(self.arena[id].kind, ExprKind::Pipe(_)) {
            self.out.push('(');
            self.expr(id, depth + 1)?;
            self.out.push(')');
            return Ok(());
        }
        self.expr(id, depth + 1)
    }

    fn expr(&mut self, id: ExprId, depth: usize) -> fmt::Result {
        if depth > MAX_DEPTH {
            return self.out.write_str("…");
        }
        match &self.arena[id].kind {
            ExprKind::Dot => self.out.write_str("."),
            ExprKind::Nil => self.out.write_str("nil"),
            ExprKind::Bool(b) => write!(self.out, "{b}"),
            ExprKind::Number(number) => self.out.write_str(&number.text),
            ExprKind::Text { quoted, .. } => self.out.write_str(quoted),
            ExprKind::Field(names) => self.fields(names),
            ExprKind::Variable(name, fields) => {
                self.out.push_str(&self.arena[*name]);
                self.fields(fields)
            }
            ExprKind::Chain(base, fields) => {
                self.bracketed(*base, depth)?;
                self.fields(fields)
            }
            ExprKind::Function { name, .. } => self.out.write_str(name),
            ExprKind::Pipe(pipe) => self.pipe(*pipe, depth),
        }
    }

    fn fields(&mut self, names: &[Str]) -> fmt::Result {
        names.iter().try_for_each(|name| write!(self.out, ".{name}"))
    }
}
