//! What the parser makes: nodes in flat arenas, referred to by number.
//!
//! Arenas rather than boxes, because a hostile template may nest ten thousand levels deep, and
//! dropping boxes is recursive.

use std::sync::Arc;

use crate::number::Number;
use crate::value::Str;

/// One parsed text: a file or a `tpl` string, with every template that it defines.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name errors give as the place: the template that was parsed, not the one defined in it.
    pub(crate) parse_name: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) arena: Arena,
}

#[derive(Debug, Default)]
pub(crate) struct Arena {
    pub(crate) lists: Vec<Vec<StmtId>>,
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) pipes: Vec<Pipe>,
    pub(crate) commands: Vec<Command>,
    pub(crate) exprs: Vec<Expr>,
    /// Names of variables, `$` included. Nodes hold an index into it.
    pub(crate) variables: Vec<Arc<str>>,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident: $field:ident -> $node:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $id(u32);

        impl std::ops::Index<$id> for Arena {
            type Output = $node;

            fn index(&self, id: $id) -> &$node {
                &self.$field[id.0 as usize]
            }
        }

        impl std::ops::IndexMut<$id> for Arena {
            fn index_mut(&mut self, id: $id) -> &mut $node {
                &mut self.$field[id.0 as usize]
            }
        }

        impl Put<$node> for Arena {
            type Id = $id;

            fn put(&mut self, node: $node) -> $id {
                // A text of 4 GiB nodes cannot be: texts are capped far below.
                let id = u32::try_from(self.$field.len()).unwrap_or(u32::MAX);
                self.$field.push(node);
                $id(id)
            }
        }
    )*};
}

impl Arena {
    /// Number of statements, commands and operands.
    pub(crate) fn nodes(&self) -> usize {
        self.stmts.len() + self.commands.len() + self.exprs.len()
    }
}

impl VarId {
    /// `$`, which the parser interns first.
    pub(crate) const DOLLAR: Self = Self(0);
    /// No name: a value that is in use where the budget must see it.
    pub(crate) const UNNAMED: Self = Self(u32::MAX);
}

/// Stores a node and says where.
pub(crate) trait Put<N> {
    type Id;

    fn put(&mut self, node: N) -> Self::Id;
}

ids! {
    ListId: lists -> Vec<StmtId>;
    StmtId: stmts -> Stmt;
    PipeId: pipes -> Pipe;
    CommandId: commands -> Command;
    ExprId: exprs -> Expr;
    VarId: variables -> Arc<str>;
}

#[derive(Debug)]
pub(crate) struct Stmt {
    pub(crate) pos: usize,
    pub(crate) kind: StmtKind,
}

#[derive(Debug)]
pub(crate) enum StmtKind {
    /// A range of the source text.
    Text {
        start: usize,
        end: usize,
    },
    Action(PipeId),
    If {
        pipe: PipeId,
        then: ListId,
        otherwise: Option<ListId>,
    },
    With {
        pipe: PipeId,
        then: ListId,
        otherwise: Option<ListId>,
    },
    Range {
        pipe: PipeId,
        body: ListId,
        otherwise: Option<ListId>,
    },
    Template {
        name: Arc<str>,
        pipe: Option<PipeId>,
    },
    Break,
    Continue,
}

/// `$x, $y := command | command`
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) pos: usize,
    pub(crate) is_assign: bool,
    pub(crate) decls: Vec<VarId>,
    pub(crate) commands: Vec<CommandId>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) pos: usize,
    pub(crate) args: Vec<ExprId>,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) pos: usize,
    pub(crate) kind: ExprKind,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Box<Number>),
    Text {
        quoted: Box<str>,
        value: Str,
    },
    /// `.A.B`
    Field(Vec<Str>),
    /// `$x.A.B`; the fields may be none.
    Variable(VarId, Vec<Str>),
    /// `(pipe).A.B` or `func.A`
    Chain(ExprId, Vec<Str>),
    Function {
        name: Arc<str>,
        id: FunctionId,
    },
    Pipe(PipeId),
}

/// Which function a name meant when the text was parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionId {
    Builtin(crate::builtins::Builtin),
    /// Place in the table of functions.
    Listed(u32),
}

/// A node that an error can point to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NodeRef {
    Stmt(StmtId),
    Pipe(PipeId),
    Command(CommandId),
    Expr(ExprId),
}
