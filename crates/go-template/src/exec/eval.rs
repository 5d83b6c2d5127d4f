//! Pipelines, commands, fields and variables.

use super::{Exec, Fault, Slot};
use crate::ast::{CommandId, ExprId, ExprKind, NodeRef, PipeId, VarId};
use crate::budget::MissingKey;
use crate::error::ExecCause;
use crate::number::Number;
use crate::stack;
use crate::value::{Elem, Object, Str, Value};

impl<'t> Exec<'_, 't> {
    /// The value of a pipeline, out of its `interface {}`. Variables it declares stay declared.
    pub(super) fn pipeline(&mut self, dot: &Slot, id: PipeId) -> Result<Slot, Fault> {
        self.at = Some(NodeRef::Pipe(id));
        let pipe = &self.arena()[id];
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, *command, value)?.unboxed());
        }
        let value = value.unwrap_or(Slot::INVALID);
        for variable in &pipe.decls {
            if pipe.is_assign {
                self.assign(*variable, value.clone())?;
            } else {
                self.session.variables.push((*variable, value.clone()));
            }
        }
        Ok(value)
    }

    /// `last` is the value of the command before, which becomes the last argument of this one.
    fn command(&mut self, dot: &Slot, id: CommandId, last: Option<Slot>) -> Result<Slot, Fault> {
        self.spend(1)?;
        let args = self.arena()[id].args.as_slice();
        let Some((first, rest)) = args.split_first() else { return Ok(Slot::INVALID) };
        let first = *first;
        match &self.arena()[first].kind {
            ExprKind::Field(names) => {
                self.at = Some(NodeRef::Expr(first));
                self.field_chain(dot, dot, first, names, rest, last)
            }
            ExprKind::Chain(base, names) => self.chain(dot, first, *base, names, rest, last),
            ExprKind::Function { name, id: function } => {
                self.at = Some(NodeRef::Expr(first));
                self.function(dot, *function, name, NodeRef::Command(id), rest, last)
            }
            ExprKind::Pipe(pipe) => {
                self.not_a_function(first, rest, last.as_ref())?;
                let pipe = *pipe;
                stack::grow(|| self.pipeline(dot, pipe))
            }
            ExprKind::Variable(name, fields) => {
                self.variable(dot, first, *name, fields, rest, last)
            }
            kind => {
                self.at = Some(NodeRef::Expr(first));
                self.not_a_function(first, rest, last.as_ref())?;
                match kind {
                    ExprKind::Bool(b) => Ok(Slot::plain(Value::Bool(*b))),
                    ExprKind::Number(number) => self.constant(first, number),
                    ExprKind::Text { value, .. } => Ok(Slot::plain(Value::Str(value.clone()))),
                    ExprKind::Dot => Ok(dot.clone()),
                    _ => self.fail(ExecCause::NilCommand),
                }
            }
        }
    }

    fn not_a_function(
        &self,
        first: ExprId,
        args: &[ExprId],
        last: Option<&Slot>,
    ) -> Result<(), Fault> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        let node = self.arena().print(NodeRef::Expr(first));
        self.fail(ExecCause::NotAFunction { node })
    }

    /// A number whose type only its own spelling tells.
    pub(super) fn constant(&mut self, id: ExprId, number: &Number) -> Result<Slot, Fault> {
        self.at = Some(NodeRef::Expr(id));
        let text = &*number.text;
        let spelled_as_float = !text.starts_with('\'')
            && !is_hex_int(text)
            && text.contains(['.', 'e', 'E', 'p', 'P']);
        let value = match number {
            Number { complex: Some((re, im)), .. } => Value::Complex(*re, *im),
            Number { float: Some(float), .. } if spelled_as_float => Value::Float(*float),
            Number { int: Some(int), .. } => Value::int(*int),
            _ => return self.fail(ExecCause::OverflowsInt { text: text.to_owned() }),
        };
        Ok(Slot::plain(value))
    }

    pub(super) fn assign(&mut self, name: VarId, slot: Slot) -> Result<(), Fault> {
        let own = self.session.variables.get_mut(self.base..).unwrap_or_default();
        if let Some((_, variable)) = own.iter_mut().rfind(|(id, _)| *id == name) {
            *variable = slot;
            return Ok(());
        }
        self.undefined(name)
    }

    fn undefined<T>(&self, name: VarId) -> Result<T, Fault> {
        self.fail(ExecCause::UndefinedVariable { name: self.arena()[name].to_string() })
    }

    pub(super) fn variable(
        &mut self,
        dot: &Slot,
        id: ExprId,
        name: VarId,
        fields: &'t [Str],
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        self.at = Some(NodeRef::Expr(id));
        let own = self.session.variables.get(self.base..).unwrap_or_default();
        let Some((_, value)) = own.iter().rfind(|(known, _)| *known == name) else {
            return self.undefined(name);
        };
        let value = value.clone();
        if fields.is_empty() {
            self.not_a_function(id, args, last.as_ref())?;
            return Ok(value);
        }
        self.field_chain(dot, &value, id, fields, args, last)
    }

    pub(super) fn chain(
        &mut self,
        dot: &Slot,
        id: ExprId,
        base: ExprId,
        fields: &'t [Str],
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        self.at = Some(NodeRef::Expr(id));
        let receiver = self.untyped(dot, base)?;
        self.field_chain(dot, &receiver, id, fields, args, last)
    }

    /// `.X.Y.Z`, possibly with arguments, which are for the last one.
    pub(super) fn field_chain(
        &mut self,
        dot: &Slot,
        receiver: &Slot,
        id: ExprId,
        names: &'t [Str],
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        let Some((final_name, path)) = names.split_last() else { return Ok(receiver.clone()) };
        let Some((first, path)) = path.split_first() else {
            return self.field(dot, receiver, id, final_name, args, last);
        };
        let mut current = self.field(dot, receiver, id, first, &[], None)?;
        for name in path {
            current = self.field(dot, &current, id, name, &[], None)?;
        }
        self.field(dot, &current, id, final_name, args, last)
    }

    fn field(
        &mut self,
        dot: &Slot,
        receiver: &Slot,
        id: ExprId,
        name: &Str,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        let has_arguments = !args.is_empty() || last.is_some();
        match &receiver.value {
            Value::Nil if !receiver.boxed => {
                if self.session.missing_key == MissingKey::Error {
                    return self.fail(ExecCause::NilData { key: name.to_string() });
                }
                Ok(Slot::INVALID)
            }
            Value::Nil => self.fail(ExecCause::NilPointer {
                type_name: receiver.type_name(),
                field: name.to_string(),
            }),
            Value::Map(map) => {
                if has_arguments {
                    return self.fail(ExecCause::FieldWithArguments { field: name.to_string() });
                }
                match map.get(name.as_bytes()) {
                    Some(value) => Ok(Slot { value, boxed: map.elem() == Elem::Any }),
                    None => self.missing(map.elem(), name),
                }
            }
            Value::Object(object) => {
                let name = name.to_text();
                self.object_field(dot, &**object, receiver, id, &name, args, last)
            }
            _ => self.fail(ExecCause::NoField {
                field: name.to_string(),
                type_name: receiver.type_name(),
            }),
        }
    }

    fn missing(&self, elem: Elem, name: &Str) -> Result<Slot, Fault> {
        match self.session.missing_key {
            MissingKey::Invalid => Ok(Slot::INVALID),
            MissingKey::Zero => Ok(Slot { value: Value::zero_of(elem), boxed: elem == Elem::Any }),
            MissingKey::Error => self.fail(ExecCause::NoEntry { key: name.to_string() }),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a field access and its call, in Go's terms")]
    fn object_field(
        &mut self,
        dot: &Slot,
        object: &dyn Object,
        receiver: &Slot,
        id: ExprId,
        name: &str,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        if let Some(signature) = object.method(name) {
            let node = NodeRef::Expr(id);
            return self.method(dot, object, &signature, name, node, args, last);
        }
        let has_arguments = !args.is_empty() || last.is_some();
        if let Some(value) = object.field(name) {
            if has_arguments {
                let field = name.to_owned();
                return self.fail(ExecCause::StructFieldWithArguments { field });
            }
            return Ok(Slot::plain(value));
        }
        if let Value::Map(map) = object.underlying() {
            if has_arguments {
                return self.fail(ExecCause::FieldWithArguments { field: name.to_owned() });
            }
            return match map.get(name.as_bytes()) {
                Some(value) => Ok(Slot { value, boxed: map.elem() == Elem::Any }),
                None => self.missing(map.elem(), &Str::from(name)),
            };
        }
        let type_name = receiver.type_name();
        self.fail(ExecCause::NoField { field: name.to_owned(), type_name })
    }
}

fn is_hex_int(text: &str) -> bool {
    (text.starts_with("0x") || text.starts_with("0X"))
        && text.len() > 2
        && !text.contains(['p', 'P'])
}
