//! Text, actions, blocks and definitions.

use std::sync::Arc;

use super::{Control, Defined, Item, MAX_BLOCK_DEPTH, Parser, Terminator, list_is_empty};
use crate::ast::{ListId, Put as _, Stmt, StmtKind};
use crate::error::{ParseError, ParseErrorKind};
use crate::lexer::{Kind, Token};
use crate::stack;

impl<'t> Parser<'t> {
    pub(super) fn file(&mut self) -> Result<(ListId, Defined), ParseError> {
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
        let name = go_quote::unquote(&token.text).map_err(|e| self.error(e))?;
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
        self.check_nodes()?;
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
}
