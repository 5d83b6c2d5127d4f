//! Pipelines, commands and operands.

use std::sync::Arc;

use super::{MAX_EXPRESSION_DEPTH, Parser};
use crate::ast::{Command, Expr, ExprId, ExprKind, FunctionId, NodeRef, Pipe, PipeId, Put as _};
use crate::builtins::Builtin;
use crate::error::{ParseError, ParseErrorKind};
use crate::lexer::{Kind, Token};
use crate::number::Number;
use crate::stack;
use crate::value::Str;

impl Parser<'_> {
    pub(super) fn pipeline(
        &mut self,
        context: &'static str,
        end: Kind,
    ) -> Result<PipeId, ParseError> {
        let mut pipe = Pipe {
            pos: self.peek_non_space().pos,
            is_assign: false,
            decls: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(self.arena.put(pipe));
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back(token);
                    let command = self.command()?;
                    pipe.commands.push(self.arena.put(command));
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &'static str) -> Result<(), ParseError> {
        while self.peek_non_space().kind == Kind::Variable {
            let variable = self.next();
            let after = self.next();
            let next =
                if after.kind == Kind::Space { self.next_non_space() } else { after.clone() };
            let is_comma = next.kind == Kind::Char && next.text == ",";
            if !is_comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                // No declaration: the tokens go back, spaces too, which part arguments.
                if after.kind == Kind::Space {
                    self.back(next);
                }
                self.back(after);
                self.back(variable);
                return Ok(());
            }
            let id = self.intern(&variable.text);
            pipe.decls.push(id);
            self.scope.variables.push(id);
            if !is_comma {
                pipe.is_assign = next.kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.decls.len() >= 2 {
                return Err(self.error(ParseErrorKind::TooManyDeclarations { context }));
            }
            if !matches!(
                self.peek_non_space().kind,
                Kind::Variable | Kind::RightDelim | Kind::RightParen
            ) {
                return Err(self.error(ParseErrorKind::RangeInitializesOnlyVariables));
            }
        }
        Ok(())
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &'static str) -> Result<(), ParseError> {
        if pipe.commands.is_empty() {
            return Err(self.error(ParseErrorKind::MissingValue { context }));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = self.arena[*command].args.first().map(|arg| &self.arena[*arg].kind);
            if matches!(
                first,
                Some(
                    ExprKind::Bool(_)
                        | ExprKind::Dot
                        | ExprKind::Nil
                        | ExprKind::Number(_)
                        | ExprKind::Text { .. }
                )
            ) {
                return Err(self.error(ParseErrorKind::NotExecutable { stage: i + 1 }));
            }
        }
        Ok(())
    }

    /// Operands up to a `|`, which is consumed, or a closing delimiter, which is not.
    fn command(&mut self) -> Result<Command, ParseError> {
        let mut command = Command { pos: self.peek_non_space().pos, args: Vec::new() };
        loop {
            self.check_nodes()?;
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                command.args.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.back(token),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&token, "operand")),
            }
            break;
        }
        if command.args.is_empty() {
            return Err(self.error(ParseErrorKind::EmptyCommand));
        }
        Ok(command)
    }

    /// A term, possibly followed by field accesses.
    fn operand(&mut self) -> Result<Option<ExprId>, ParseError> {
        let Some(expr) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(self.arena.put(expr)));
        }
        let pos = self.peek().pos;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field_name(&self.next()));
        }
        let kind = match expr.kind {
            ExprKind::Field(mut names) => {
                names.append(&mut fields);
                ExprKind::Field(names)
            }
            ExprKind::Variable(name, mut names) => {
                names.append(&mut fields);
                ExprKind::Variable(name, names)
            }
            ExprKind::Bool(_)
            | ExprKind::Text { .. }
            | ExprKind::Number(_)
            | ExprKind::Nil
            | ExprKind::Dot => {
                let id = self.arena.put(expr);
                let term = self.arena.print(NodeRef::Expr(id));
                return Err(self.error(ParseErrorKind::FieldAfterTerm { term }));
            }
            _ => ExprKind::Chain(self.arena.put(expr), fields),
        };
        Ok(Some(self.arena.put(Expr { pos, kind })))
    }

    fn term(&mut self) -> Result<Option<Expr>, ParseError> {
        let token = self.next_non_space();
        let kind = match token.kind {
            Kind::Identifier => self.function(&token.text)?,
            Kind::Dot => ExprKind::Dot,
            Kind::Nil => ExprKind::Nil,
            Kind::Variable => self.variable(&token.text)?,
            Kind::Field => ExprKind::Field(vec![field_name(&token)]),
            Kind::Bool => ExprKind::Bool(token.text == "true"),
            Kind::CharConstant => self.number(Number::character(&token.text))?,
            Kind::Complex => self.number(Number::complex(&token.text))?,
            Kind::Number => self.number(Number::plain(&token.text))?,
            Kind::LeftParen => {
                if self.expression_depth >= MAX_EXPRESSION_DEPTH {
                    return Err(self.error(ParseErrorKind::ExpressionDepth));
                }
                self.expression_depth += 1;
                let pipe =
                    stack::grow(|| self.pipeline("parenthesized pipeline", Kind::RightParen))?;
                self.expression_depth -= 1;
                // A pipeline's place is its first token, not the parenthesis.
                return Ok(Some(Expr { pos: self.arena[pipe].pos, kind: ExprKind::Pipe(pipe) }));
            }
            Kind::String | Kind::RawString => {
                let value = go_quote::unquote(&token.text).map_err(|e| self.error(e))?;
                ExprKind::Text { quoted: token.text.as_ref().into(), value: Str::from(value) }
            }
            _ => {
                self.back(token);
                return Ok(None);
            }
        };
        Ok(Some(Expr { pos: token.pos, kind }))
    }

    fn function(&self, name: &str) -> Result<ExprKind, ParseError> {
        let id = match self.functions.place(name) {
            Some(place) => FunctionId::Listed(place),
            None => FunctionId::Builtin(Builtin::by_name(name).ok_or_else(|| {
                self.error(ParseErrorKind::UndefinedFunction { name: name.to_owned() })
            })?),
        };
        Ok(ExprKind::Function { name: Arc::from(name), id })
    }

    fn variable(&mut self, name: &str) -> Result<ExprKind, ParseError> {
        let known = self.interned.get(name).filter(|id| self.scope.variables.contains(id));
        match known {
            Some(id) => Ok(ExprKind::Variable(*id, Vec::new())),
            None => Err(self.error(ParseErrorKind::UndefinedVariable { name: name.to_owned() })),
        }
    }

    fn number(
        &self,
        number: Result<Number, crate::number::NumberError>,
    ) -> Result<ExprKind, ParseError> {
        number.map(|number| ExprKind::Number(Box::new(number))).map_err(|e| self.error(e))
    }
}

/// The name after the dot.
fn field_name(token: &Token<'_>) -> Str {
    Str::from(token.text.get(1..).unwrap_or_default())
}
