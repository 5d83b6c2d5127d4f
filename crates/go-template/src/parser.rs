//! Tokens to nodes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ast::{
    Arena, Command, Expr, ExprId, ExprKind, FunctionId, ListId, NodeRef, Pipe, PipeId, Put as _,
    Source, Stmt, StmtId, StmtKind, VarId,
};
use crate::builtins::Builtin;
use crate::error::{ParseError, ParseErrorKind};
use crate::functions::Functions;
use crate::lexer::{Kind, Lexer, Token};
use crate::number::Number;
use crate::quote;
use crate::stack;
use crate::templates::{Parsed, Template};
use crate::value::Str;

/// Go's limit for nested parentheses.
const MAX_EXPRESSION_DEPTH: usize = 10_000;
/// Ours for nested blocks.
const MAX_BLOCK_DEPTH: usize = 10_000;

/// Parses one text.
///
/// # Errors
/// [`ParseError`], worded as Go's.
pub(crate) fn parse(name: &str, text: &str, functions: &Functions) -> Result<Parsed, ParseError> {
    let text: Arc<str> = Arc::from(text);
    let shared = Arc::clone(&text);
    let mut parser = Parser::new(name, &shared, functions);
    let (root, defined) = parser.file()?;
    let parse_name = Arc::clone(&parser.parse_name);
    let arena = parser.arena;
    let source = Arc::new(Source { parse_name: Arc::clone(&parse_name), text, arena });
    let template = |name: Arc<str>, root: ListId| Template {
        is_empty: is_empty(&source, root),
        name,
        source: Arc::clone(&source),
        root,
    };
    Ok(Parsed {
        body: template(parse_name, root),
        defined: defined.into_iter().map(|(name, root)| template(name, root)).collect(),
    })
}

fn is_empty(source: &Source, root: ListId) -> bool {
    list_is_empty(&source.arena, &source.text, root)
}

fn list_is_empty(arena: &Arena, text: &str, list: ListId) -> bool {
    arena[list].iter().all(|stmt| match arena[*stmt].kind {
        StmtKind::Text { start, end } => {
            text.get(start..end).is_none_or(|text| text.trim().is_empty())
        }
        _ => false,
    })
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    text: &'t str,
    functions: &'t Functions,
    parse_name: Arc<str>,
    arena: Arena,
    interned: HashMap<Arc<str>, VarId>,
    /// Three tokens of look-ahead, the next one last.
    ahead: Vec<Token<'t>>,
    /// Line of the token that was last taken from the lexer; errors name it.
    line: usize,
    scope: Scope,
    definitions: HashMap<Arc<str>, ListId>,
    order: Vec<Arc<str>>,
    expression_depth: usize,
    block_depth: usize,
}

/// What a template definition starts afresh.
struct Scope {
    variables: Vec<VarId>,
    range_depth: usize,
    action_line: Option<usize>,
}

/// What ends a list of statements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminator {
    End,
    Else,
}

impl Terminator {
    fn name(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Stmt(StmtId),
    Terminator(Terminator),
}

/// Two alternative sections of a control structure.
struct Control {
    pos: usize,
    pipe: PipeId,
    then: ListId,
    otherwise: Option<ListId>,
}

type Defined = Vec<(Arc<str>, ListId)>;

impl<'t> Parser<'t> {
    fn new(name: &str, text: &'t str, functions: &'t Functions) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.break_is_keyword = !functions.contains("break");
        lexer.continue_is_keyword = !functions.contains("continue");
        let mut parser = Self {
            lexer,
            text,
            functions,
            parse_name: Arc::from(name),
            arena: Arena::default(),
            interned: HashMap::new(),
            ahead: Vec::with_capacity(3),
            line: 0,
            scope: Scope { variables: Vec::new(), range_depth: 0, action_line: None },
            definitions: HashMap::new(),
            order: Vec::new(),
            expression_depth: 0,
            block_depth: 0,
        };
        parser.scope = parser.fresh_scope();
        parser
    }

    fn fresh_scope(&mut self) -> Scope {
        // `$` is the first variable of every template, and so the arena's first name.
        let dollar = self.intern("$");
        Scope { variables: vec![dollar], range_depth: 0, action_line: None }
    }

    fn intern(&mut self, name: &str) -> VarId {
        if let Some(id) = self.interned.get(name) {
            return *id;
        }
        let name: Arc<str> = Arc::from(name);
        let id = self.arena.put(Arc::clone(&name));
        self.interned.insert(name, id);
        id
    }

    // Tokens.

    fn next(&mut self) -> Token<'t> {
        if let Some(token) = self.ahead.pop() {
            return token;
        }
        let token = self.lexer.next_token();
        self.line = token.line;
        token
    }

    fn back(&mut self, token: Token<'t>) {
        self.ahead.push(token);
    }

    fn peek(&mut self) -> &Token<'t> {
        if self.ahead.is_empty() {
            let token = self.lexer.next_token();
            self.line = token.line;
            self.ahead.push(token);
        }
        self.ahead.last().unwrap_or_else(|| unreachable!("just filled"))
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> &Token<'t> {
        let token = self.next_non_space();
        self.back(token);
        self.peek()
    }

    // Errors.

    fn error(&self, kind: impl Into<ParseErrorKind>) -> ParseError {
        ParseError { parse_name: Arc::clone(&self.parse_name), line: self.line, kind: kind.into() }
    }

    fn unexpected(&self, token: &Token<'_>, context: &'static str) -> ParseError {
        if token.kind == Kind::Error {
            let started = self
                .scope
                .action_line
                .filter(|line| *line != token.line)
                .map(|line| (Arc::clone(&self.parse_name), line));
            return self
                .error(ParseErrorKind::Lexical { message: token.text.to_string(), started });
        }
        self.error(ParseErrorKind::UnexpectedToken { token: token.quoted(), context })
    }

    fn expect(&mut self, kind: Kind, context: &'static str) -> Result<Token<'t>, ParseError> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    // Statements.

    fn file(&mut self) -> Result<(ListId, Defined), ParseError> {
        let mut stmts = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delim = self.next();
                let word = self.next_non_space();
                if word.kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.back(word);
                self.back(delim);
            }
            match self.text_or_action()? {
                Item::Stmt(stmt) => stmts.push(stmt),
                Item::Terminator(found) => {
                    return Err(self.error(ParseErrorKind::UnexpectedNode { node: found.name() }));
                }
            }
        }
        let root = self.arena.put(stmts);
        let name = Arc::clone(&self.parse_name);
        // The body is a definition like any other: it clashes with a `define` of its own name.
        self.define(Arc::clone(&name), root)?;
        let body = self.definitions.get(&name).copied().unwrap_or(root);
        let defined = std::mem::take(&mut self.order)
            .into_iter()
            .filter(|defined| *defined != name)
            .filter_map(|name| self.definitions.get(&name).map(|root| (Arc::clone(&name), *root)))
            .collect();
        Ok((body, defined))
    }

    /// The `define` keyword has been read.
    fn definition(&mut self) -> Result<(), ParseError> {
        const CONTEXT: &str = "define clause";
        let outer = self.fresh_scope();
        let outer = std::mem::replace(&mut self.scope, outer);
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        self.definition_body(name, CONTEXT)?;
        self.scope = outer;
        Ok(())
    }

    fn definition_body(&mut self, name: Arc<str>, context: &'static str) -> Result<(), ParseError> {
        let (root, terminator) = self.item_list()?;
        if terminator != Terminator::End {
            let node = terminator.name();
            return Err(self.error(ParseErrorKind::UnexpectedNodeIn { node, context }));
        }
        self.define(name, root)
    }

    fn define(&mut self, name: Arc<str>, root: ListId) -> Result<(), ParseError> {
        let taken = self.definitions.get(&name).copied();
        match taken {
            Some(old) if !list_is_empty(&self.arena, self.text, old) => {
                if !list_is_empty(&self.arena, self.text, root) {
                    let name = name.to_string();
                    return Err(self.error(ParseErrorKind::MultipleDefinition { name }));
                }
            }
            _ => {
                self.definitions.insert(Arc::clone(&name), root);
                if taken.is_none() {
                    self.order.push(name);
                }
            }
        }
        Ok(())
    }

    fn template_name(
        &mut self,
        token: &Token<'t>,
        context: &'static str,
    ) -> Result<Arc<str>, ParseError> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(token, context));
        }
        let name = quote::unquote(&token.text).map_err(|e| self.error(e))?;
        Ok(Arc::from(crate::value::lossy(&name)))
    }

    /// Statements up to `{{end}}` or `{{else}}`.
    fn item_list(&mut self) -> Result<(ListId, Terminator), ParseError> {
        if self.block_depth >= MAX_BLOCK_DEPTH {
            return Err(self.error(ParseErrorKind::BlockDepth { limit: MAX_BLOCK_DEPTH }));
        }
        self.block_depth += 1;
        let mut stmts = Vec::new();
        while self.peek_non_space().kind != Kind::Eof {
            match stack::grow(|| self.text_or_action())? {
                Item::Stmt(stmt) => stmts.push(stmt),
                Item::Terminator(found) => {
                    self.block_depth -= 1;
                    return Ok((self.arena.put(stmts), found));
                }
            }
        }
        Err(self.error(ParseErrorKind::UnexpectedEof))
    }

    fn text_or_action(&mut self) -> Result<Item, ParseError> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => {
                let end = token.pos + token.text.len();
                let kind = StmtKind::Text { start: token.pos, end };
                Ok(Item::Stmt(self.arena.put(Stmt { pos: token.pos, kind })))
            }
            Kind::LeftDelim => {
                self.scope.action_line = Some(token.line);
                let item = self.action();
                self.scope.action_line = None;
                item
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    /// The left delimiter has been read.
    fn action(&mut self) -> Result<Item, ParseError> {
        let token = self.next_non_space();
        let (pos, kind) = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => (token.pos, self.loop_exit("break", "{{break}}", StmtKind::Break)?),
            Kind::Continue => {
                (token.pos, self.loop_exit("continue", "{{continue}}", StmtKind::Continue)?)
            }
            Kind::Else => {
                // `else if` and `else with`: the keyword is left for the structure around.
                if !matches!(self.peek_non_space().kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::Terminator(Terminator::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Terminator(Terminator::End));
            }
            Kind::If | Kind::Range | Kind::With => self.control(token.kind)?,
            Kind::Template => self.template()?,
            _ => {
                let pos = token.pos;
                self.back(token);
                // Variables it declares live on until the end of the block.
                (pos, StmtKind::Action(self.pipeline("command", Kind::RightDelim)?))
            }
        };
        Ok(Item::Stmt(self.arena.put(Stmt { pos, kind })))
    }

    fn loop_exit(
        &mut self,
        word: &'static str,
        context: &'static str,
        kind: StmtKind,
    ) -> Result<StmtKind, ParseError> {
        self.expect(Kind::RightDelim, context)?;
        if self.scope.range_depth == 0 {
            return Err(self.error(ParseErrorKind::OutsideRange { word }));
        }
        Ok(kind)
    }

    /// `if`, `range` or `with`, the keyword read.
    fn control(&mut self, keyword: Kind) -> Result<(usize, StmtKind), ParseError> {
        let visible = self.scope.variables.len();
        let Control { pos, pipe, then, otherwise } = self.sections(keyword)?;
        self.scope.variables.truncate(visible);
        let kind = match keyword {
            Kind::Range => StmtKind::Range { pipe, body: then, otherwise },
            Kind::With => StmtKind::With { pipe, then, otherwise },
            _ => StmtKind::If { pipe, then, otherwise },
        };
        Ok((pos, kind))
    }

    fn sections(&mut self, keyword: Kind) -> Result<Control, ParseError> {
        let context = match keyword {
            Kind::Range => "range",
            Kind::With => "with",
            _ => "if",
        };
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let in_range = usize::from(keyword == Kind::Range);
        self.scope.range_depth += in_range;
        let (then, terminator) = self.item_list()?;
        self.scope.range_depth -= in_range;
        let otherwise = match terminator {
            Terminator::End => None,
            Terminator::Else if keyword != Kind::Range && self.peek().kind == keyword => {
                self.next();
                // The `{{end}}` of the inner structure ends the outer one too.
                Some(self.else_chain(keyword)?)
            }
            Terminator::Else => {
                let (list, terminator) = self.item_list()?;
                if terminator != Terminator::End {
                    let node = terminator.name();
                    return Err(self.error(ParseErrorKind::ExpectedEnd { node }));
                }
                Some(list)
            }
        };
        Ok(Control { pos: self.arena[pipe].pos, pipe, then, otherwise })
    }

    fn else_chain(&mut self, keyword: Kind) -> Result<ListId, ParseError> {
        if self.block_depth >= MAX_BLOCK_DEPTH {
            return Err(self.error(ParseErrorKind::BlockDepth { limit: MAX_BLOCK_DEPTH }));
        }
        self.block_depth += 1;
        let (pos, kind) = stack::grow(|| self.control(keyword))?;
        self.block_depth -= 1;
        let stmt = self.arena.put(Stmt { pos, kind });
        Ok(self.arena.put(vec![stmt]))
    }

    fn block(&mut self) -> Result<(usize, StmtKind), ParseError> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let outer = self.fresh_scope();
        let outer = std::mem::replace(&mut self.scope, outer);
        self.definition_body(Arc::clone(&name), CONTEXT)?;
        self.scope = outer;
        Ok((token.pos, StmtKind::Template { name, pipe: Some(pipe) }))
    }

    fn template(&mut self) -> Result<(usize, StmtKind), ParseError> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let next = self.next_non_space();
        let pipe = if next.kind == Kind::RightDelim {
            None
        } else {
            self.back(next);
            Some(self.pipeline(CONTEXT, Kind::RightDelim)?)
        };
        Ok((token.pos, StmtKind::Template { name, pipe }))
    }

    // Pipelines.

    fn pipeline(&mut self, context: &'static str, end: Kind) -> Result<PipeId, ParseError> {
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
                let value = quote::unquote(&token.text).map_err(|e| self.error(e))?;
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
