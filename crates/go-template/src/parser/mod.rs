//! Tokens to nodes: what is common to both halves, `statements` and `pipelines`.

mod pipelines;
mod statements;

use std::collections::HashMap;
use std::sync::Arc;

use crate::ast::{Arena, ListId, PipeId, Put as _, Source, StmtId, StmtKind, VarId};
use crate::error::{ParseError, ParseErrorKind};
use crate::functions::Functions;
use crate::lexer::{Kind, Lexer, Token};
use crate::templates::{Parsed, Template};

/// Go's limit for nested parentheses.
const MAX_EXPRESSION_DEPTH: usize = 10_000;
/// Ours for nested blocks.
const MAX_BLOCK_DEPTH: usize = 10_000;
/// Statements, commands and operands of one text.
const MAX_NODES: usize = 300_000;

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

    /// To be called for whatever there may be any number of.
    fn check_nodes(&self) -> Result<(), ParseError> {
        if self.arena.nodes() > MAX_NODES {
            return Err(self.error(ParseErrorKind::Nodes { limit: MAX_NODES }));
        }
        Ok(())
    }

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
}
