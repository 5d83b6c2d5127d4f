//! Executing parsed templates.
//!
//! `walk` steps through statements on a stack of its own, so that templates may call each other
//! as deep as Go allows; `eval` computes pipelines and `call` calls functions, both by plain
//! recursion, which the nesting of the source text limits.

mod call;
mod eval;
mod walk;

use crate::ast::{Arena, NodeRef};
use crate::budget::Session;
use crate::error::{Error, ExecCause, ExecError, Location};
use crate::stack;
use crate::templates::{Template, Templates};
use crate::value::Value;

/// How deep `{{template}}` may nest: Go's own limit.
const MAX_TEMPLATE_DEPTH: usize = 100_000;

/// Executes a template and appends its output.
pub(crate) fn execute(
    templates: &Templates,
    template: &Template,
    data: Value,
    session: &mut Session,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    session.enter()?;
    let base = session.variables.len();
    let result = stack::grow(|| {
        let mut exec = Exec {
            templates,
            session: &mut *session,
            limit: 0,
            out,
            base,
            depth: 0,
            template,
            at: None,
        };
        exec.limit = exec.out.len().saturating_add(exec.session.budget.output_bytes);
        exec.run(Slot::plain(data))
    });
    session.variables.truncate(base);
    session.leave();
    result.map_err(Error::Exec)
}

/// A value and whether Go would hold it as an `interface {}`: an element of a map or list of
/// those. That decides what error texts call its type, and whether nil is "no value" or a nil
/// pointer.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    boxed: bool,
}

impl Slot {
    /// Nothing at all: prints as `<no value>`.
    const INVALID: Self = Self { value: Value::Nil, boxed: false };

    const fn plain(value: Value) -> Self {
        Self { value, boxed: false }
    }

    /// Takes the value out of the `interface {}`.
    fn unboxed(self) -> Self {
        Self::plain(self.value)
    }

    fn is_invalid(&self) -> bool {
        self.value.is_nil() && !self.boxed
    }

    fn type_name(&self) -> std::borrow::Cow<'static, str> {
        if self.boxed { "interface {}".into() } else { self.value.type_name() }
    }
}

type Fault = Box<ExecError>;

/// One execution.
struct Exec<'s, 't> {
    templates: &'t Templates,
    session: &'s mut Session,
    out: &'s mut Vec<u8>,
    /// The length that the output must not exceed.
    limit: usize,
    /// Where among the session's variables those of this template begin.
    base: usize,
    /// How many `{{template}}` we are within.
    depth: usize,
    template: &'t Template,
    /// The node under evaluation, which an error will name.
    at: Option<NodeRef>,
}

impl<'t> Exec<'_, 't> {
    fn arena(&self) -> &'t Arena {
        &self.template.source.arena
    }

    fn fail<T>(&self, cause: impl Into<ExecCause>) -> Result<T, Fault> {
        Err(self.fault(cause.into()))
    }

    #[cold]
    fn fault(&self, cause: ExecCause) -> Fault {
        let source = &self.template.source;
        let (pos, context) = self.at.map_or((0, String::new()), |node| {
            (source.arena.position(node), source.arena.print(node))
        });
        let before = source.text.get(..pos).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Box::new(ExecError {
            template: std::sync::Arc::clone(&self.template.name),
            location: Location {
                parse_name: std::sync::Arc::clone(&source.parse_name),
                line: 1 + before.matches('\n').count(),
                column: pos - line_start,
            },
            context,
            cause,
        })
    }

    /// Whether what is held stays within its budget.
    fn check_held(&mut self) -> Result<(), Fault> {
        match self.session.check_held(self.out.len()) {
            Ok(()) => Ok(()),
            Err(exhausted) => self.fail(exhausted),
        }
    }

    fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        match self.session.spend(steps) {
            Ok(()) => Ok(()),
            Err(exhausted) => self.fail(exhausted),
        }
    }
}
