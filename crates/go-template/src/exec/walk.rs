//! Statements, on an explicit stack.

use std::sync::Arc;

use super::{Exec, Fault, MAX_TEMPLATE_DEPTH, Slot};
use crate::ast::{ListId, NodeRef, Pipe, PipeId, StmtId, StmtKind, VarId};
use crate::error::{ExecCause, Exhausted};
use crate::format;
use crate::templates::Template;
use crate::value::{Elem, IntKind, Str, Value};

/// What is under way, innermost last.
enum Frame<'t> {
    /// Statements still to be executed.
    List {
        stmts: &'t [StmtId],
        next: usize,
        dot: Slot,
    },
    /// Ends an `if` or `with`: its variables go.
    Scope {
        vars: usize,
    },
    Range(Range<'t>),
    /// Returns to the calling template.
    Return {
        template: &'t Template,
        base: usize,
    },
}

struct Range<'t> {
    pipe: &'t Pipe,
    body: &'t [StmtId],
    items: Items,
    /// Variables before the loop, and before each turn.
    outer: usize,
    inner: usize,
}

/// What a statement asks for next.
enum Step<'t> {
    Next,
    /// A section of an `if` or `with`.
    Enter {
        vars: usize,
        section: ListId,
        dot: Slot,
    },
    Loop(Range<'t>),
    Call {
        template: &'t Template,
        dot: Slot,
    },
    Break,
    Continue,
}

/// What a loop runs over, fixed when it starts.
enum Items {
    Count { next: i64, end: i64, kind: IntKind },
    List { list: crate::value::List, next: usize },
    Bytes { bytes: Arc<[u8]>, next: usize },
    Map { pairs: std::vec::IntoIter<(Str, Value)>, boxed: bool },
}

impl Items {
    /// The next index or key, and element.
    fn advance(&mut self) -> Option<(Slot, Slot)> {
        match self {
            Self::Count { next, end, kind } => {
                let turn = *next;
                if turn >= *end {
                    return None;
                }
                *next += 1;
                Some((Slot::INVALID, Slot::plain(Value::Int(turn, *kind))))
            }
            Self::List { list, next } => {
                let item = list.get(*next)?.clone();
                let index = i64::try_from(*next).unwrap_or(i64::MAX);
                *next += 1;
                let slot = Slot { value: item, boxed: list.elem() == Elem::Any };
                Some((Slot::plain(Value::int(index)), slot))
            }
            Self::Bytes { bytes, next } => {
                let byte = *bytes.get(*next)?;
                let index = i64::try_from(*next).unwrap_or(i64::MAX);
                *next += 1;
                let value = Value::Int(i64::from(byte), IntKind::Uint8);
                Some((Slot::plain(Value::int(index)), Slot::plain(value)))
            }
            Self::Map { pairs, boxed } => {
                let (key, value) = pairs.next()?;
                Some((Slot::plain(Value::Str(key)), Slot { value, boxed: *boxed }))
            }
        }
    }
}

impl<'t> Exec<'_, 't> {
    pub(super) fn run(&mut self, dot: Slot) -> Result<(), Fault> {
        let arena = self.arena();
        self.declare_dollar(&dot);
        let mut stack = vec![Frame::List { stmts: &arena[self.template.root], next: 0, dot }];
        while let Some(frame) = stack.last_mut() {
            let step = match frame {
                Frame::List { stmts, next, dot } => {
                    let Some(stmt) = stmts.get(*next) else {
                        stack.pop();
                        continue;
                    };
                    *next += 1;
                    self.statement(*stmt, dot)?
                }
                Frame::Scope { vars } => {
                    self.session.variables.truncate(*vars);
                    stack.pop();
                    continue;
                }
                Frame::Range(range) => {
                    match self.turn(range)? {
                        Some(dot) => {
                            let stmts = range.body;
                            stack.push(Frame::List { stmts, next: 0, dot });
                        }
                        None => {
                            stack.pop();
                        }
                    }
                    continue;
                }
                Frame::Return { template, base } => {
                    self.session.variables.truncate(self.base);
                    self.template = template;
                    self.base = *base;
                    self.depth -= 1;
                    stack.pop();
                    continue;
                }
            };
            self.follow(step, &mut stack);
        }
        Ok(())
    }

    fn follow(&mut self, step: Step<'t>, stack: &mut Vec<Frame<'t>>) {
        match step {
            Step::Next => {}
            Step::Enter { vars, section, dot } => {
                stack.push(Frame::Scope { vars });
                stack.push(Frame::List { stmts: &self.arena()[section], next: 0, dot });
            }
            Step::Loop(range) => stack.push(Frame::Range(range)),
            Step::Call { template, dot } => {
                stack.push(Frame::Return { template: self.template, base: self.base });
                self.template = template;
                self.base = self.session.variables.len();
                self.depth += 1;
                self.declare_dollar(&dot);
                let stmts = &self.arena()[template.root];
                stack.push(Frame::List { stmts, next: 0, dot });
            }
            Step::Break => {
                while let Some(frame) = stack.pop() {
                    if let Frame::Range(range) = frame {
                        self.session.variables.truncate(range.outer);
                        break;
                    }
                }
            }
            Step::Continue => {
                while !matches!(stack.last(), None | Some(Frame::Range(_))) {
                    stack.pop();
                }
            }
        }
    }

    /// No dynamic scoping: a template sees its own `$` and no variable of its caller.
    fn declare_dollar(&mut self, dot: &Slot) {
        self.session.variables.push((VarId::DOLLAR, dot.clone()));
    }

    fn statement(&mut self, id: StmtId, dot: &Slot) -> Result<Step<'t>, Fault> {
        let stmt = &self.arena()[id];
        self.at = Some(NodeRef::Stmt(id));
        match &stmt.kind {
            StmtKind::Text { start, end } => {
                let text = self.template.source.text.as_bytes();
                self.write(text.get(*start..*end).unwrap_or_default())?;
                Ok(Step::Next)
            }
            StmtKind::Action(pipe) => {
                let value = self.pipeline(dot, *pipe)?;
                if self.arena()[*pipe].decls.is_empty() {
                    self.at = Some(NodeRef::Stmt(id));
                    self.print(&value.value)?;
                }
                Ok(Step::Next)
            }
            StmtKind::If { pipe, then, otherwise } => {
                let vars = self.session.variables.len();
                let value = self.pipeline(dot, *pipe)?;
                let section = if value.value.truth() { Some(*then) } else { *otherwise };
                Ok(self.section(vars, section, dot))
            }
            StmtKind::With { pipe, then, otherwise } => {
                let vars = self.session.variables.len();
                let value = self.pipeline(dot, *pipe)?;
                Ok(if value.value.truth() {
                    self.session.variables.push((VarId::UNNAMED, value.clone()));
                    self.section(vars, Some(*then), &value)
                } else {
                    self.section(vars, *otherwise, dot)
                })
            }
            StmtKind::Range { pipe, body, otherwise } => self.range(dot, *pipe, *body, *otherwise),
            StmtKind::Template { name, pipe } => {
                let Some(template) = self.templates.get(name) else {
                    return self.fail(ExecCause::NoTemplate { name: name.to_string() });
                };
                if self.depth == MAX_TEMPLATE_DEPTH {
                    return self.fail(ExecCause::TemplateDepth { limit: MAX_TEMPLATE_DEPTH });
                }
                self.spend(1)?;
                let dot = match pipe {
                    Some(pipe) => self.pipeline(dot, *pipe)?,
                    None => Slot::INVALID,
                };
                Ok(Step::Call { template, dot })
            }
            StmtKind::Break => Ok(Step::Break),
            StmtKind::Continue => Ok(Step::Continue),
        }
    }

    fn section(&mut self, vars: usize, section: Option<ListId>, dot: &Slot) -> Step<'t> {
        let Some(section) = section else {
            self.session.variables.truncate(vars);
            return Step::Next;
        };
        Step::Enter { vars, section, dot: dot.clone() }
    }

    fn range(
        &mut self,
        dot: &Slot,
        pipe: PipeId,
        body: ListId,
        otherwise: Option<ListId>,
    ) -> Result<Step<'t>, Fault> {
        let outer = self.session.variables.len();
        let slot = self.pipeline(dot, pipe)?;
        let value = &slot.value;
        let arena = self.arena();
        let pipe = &arena[pipe];
        let Some(items) = self.items(value, pipe)? else {
            return Ok(self.section(outer, otherwise, dot));
        };
        self.session.variables.insert(outer, (VarId::UNNAMED, slot));
        let inner = self.session.variables.len();
        Ok(Step::Loop(Range { pipe, body: &arena[body], items, outer, inner }))
    }

    /// `None` if there is nothing to run over.
    fn items(&mut self, value: &Value, pipe: &Pipe) -> Result<Option<Items>, Fault> {
        let items = match value {
            Value::Nil => return Ok(None),
            Value::Int(end, kind) => {
                if pipe.decls.len() > 1 {
                    return self.fail(ExecCause::OneVariableOnly { value: format::text(value) });
                }
                Items::Count { next: 0, end: *end, kind: *kind }
            }
            Value::List(list) => Items::List { list: list.clone(), next: 0 },
            Value::Bytes(bytes) => Items::Bytes { bytes: Arc::clone(bytes), next: 0 },
            Value::Map(map) => {
                let entries = map.entries();
                self.spend(entries.len() as u64 >> 3)?;
                let pairs: Vec<_> = entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                Items::Map { pairs: pairs.into_iter(), boxed: map.elem() == Elem::Any }
            }
            Value::Object(object) => {
                let plain = object.underlying();
                if plain.is_nil() || matches!(plain, Value::Object(_)) {
                    return self.fail(ExecCause::NotIterable { value: format::text(value) });
                }
                return self.items(&plain, pipe);
            }
            Value::Bool(_) | Value::Float(_) | Value::Complex(..) | Value::Str(_) => {
                return self.fail(ExecCause::NotIterable { value: format::text(value) });
            }
        };
        let is_empty = match &items {
            Items::Count { end, .. } => *end <= 0,
            Items::List { list, .. } => list.is_empty(),
            Items::Bytes { bytes, .. } => bytes.is_empty(),
            Items::Map { pairs, .. } => pairs.as_slice().is_empty(),
        };
        Ok((!is_empty).then_some(items))
    }

    /// Sets the loop's variables for the next turn and gives its dot.
    fn turn(&mut self, range: &mut Range<'t>) -> Result<Option<Slot>, Fault> {
        let Some((index, element)) = range.items.advance() else {
            self.session.variables.truncate(range.outer);
            return Ok(None);
        };
        self.spend(1)?;
        self.session.variables.truncate(range.inner);
        let decls = &range.pipe.decls;
        match (range.pipe.is_assign, decls.as_slice()) {
            (_, []) => {}
            (true, [only]) => self.assign(*only, element.clone())?,
            (true, [first, second, ..]) => {
                self.assign(*first, index)?;
                self.assign(*second, element.clone())?;
            }
            // The pipeline has declared them; they are on top.
            (false, [_]) => self.set_top(1, element.clone()),
            (false, [_, _, ..]) => {
                self.set_top(1, element.clone());
                self.set_top(2, index);
            }
        }
        Ok(Some(element))
    }

    fn set_top(&mut self, from_top: usize, slot: Slot) {
        let place = self.session.variables.len().checked_sub(from_top);
        if let Some((_, variable)) = place.and_then(|place| self.session.variables.get_mut(place)) {
            *variable = slot;
        }
    }

    fn print(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Nil => self.write(b"<no value>"),
            Value::Str(text) => self.write(text.as_bytes()),
            other => {
                let before = self.out.len();
                let most = self.limit.saturating_sub(before);
                format::write_shown(self.out, other, most);
                let written = self.out.len() - before;
                self.check_output(written)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.check_output_of(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn check_output_of(&mut self, more: usize) -> Result<(), Fault> {
        if self.out.len() + more > self.limit {
            let limit = self.session.budget.output_bytes;
            return self.fail(Exhausted::Output { limit });
        }
        self.check_held()?;
        self.spend(more as u64 >> 10)
    }

    fn check_output(&mut self, written: usize) -> Result<(), Fault> {
        self.check_output_of(0)?;
        self.spend(written as u64 >> 10)
    }
}
