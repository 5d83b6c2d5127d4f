//! Function calls and their arguments.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Exec, Fault, Slot};
use crate::ast::{ExprId, ExprKind, FunctionId, NodeRef};
use crate::builtins::{self, Builtin};
use crate::error::{CallError, ExecCause};
use crate::functions::{Call, Signature};
use crate::stack;
use crate::value::{Object, Type, Value};
use crate::weight::{weigh, weigh_lone};

/// Arguments of a call; most calls have few.
type Arguments = SmallVec<[Value; 4]>;

/// What any result costs, so that many small ones are not for nothing.
const RESULT_BYTES: usize = 32;

/// Bytes that are not worth a closer look.
const LITTLE: usize = 1 << 16;

/// What it costs a function to look at an argument.
fn reading_steps(value: &Value) -> u64 {
    match value {
        Value::Str(text) => text.len() as u64 >> 6,
        Value::Bytes(bytes) => bytes.len() as u64 >> 6,
        Value::List(list) => list.len() as u64 >> 5,
        _ => 0,
    }
}

/// The cause that reports a failed function.
fn failed(name: &str, error: &CallError) -> ExecCause {
    ExecCause::Call {
        function: name.to_owned(),
        message: error.to_string(),
        origin: error.origin(),
    }
}

impl Exec<'_, '_> {
    /// `node` is what an error of the function itself points to.
    pub(super) fn function(
        &mut self,
        dot: &Slot,
        id: FunctionId,
        name: &Arc<str>,
        node: NodeRef,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        let place = match id {
            FunctionId::Builtin(builtin) => {
                return self.builtin(dot, builtin, name, node, args, last);
            }
            FunctionId::Listed(place) => place,
        };
        let Some(function) = self.templates.functions().find(place, name) else {
            return self.fail(ExecCause::UndefinedFunction { name: name.to_string() });
        };
        let (mut values, held) = self.arguments(dot, name, &function.signature, args, last)?;
        let out = self.out.len();
        self.session.hold(out);
        let mut call = Call::new(self.session, self.templates);
        let result = (function.body)(&mut call, &mut values);
        self.session.release(out + held);
        drop(values);
        self.returned(node, name, result)
    }

    #[expect(clippy::too_many_arguments, reason = "a method and its call, in Go's terms")]
    pub(super) fn method(
        &mut self,
        dot: &Slot,
        object: &dyn Object,
        signature: &Signature,
        name: &str,
        node: NodeRef,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        let (values, held) = self.arguments(dot, name, signature, args, last)?;
        let out = self.out.len();
        self.session.hold(out);
        let mut call = Call::new(self.session, self.templates);
        let result = object.call(&mut call, name, &values);
        self.session.release(out + held);
        drop(values);
        self.returned(node, name, result)
    }

    /// What a function or method came back with, if the budget allows it.
    fn returned(
        &mut self,
        node: NodeRef,
        name: &str,
        result: Result<Value, CallError>,
    ) -> Result<Slot, Fault> {
        // Whatever the function has asked for beforehand: texts must not double without end.
        let result = result.and_then(|value| {
            let text = if let Value::Str(text) = &value { text.len() } else { 0 };
            Ok(self.session.make(text + RESULT_BYTES).map(|()| value)?)
        });
        match result {
            Ok(value) => match self.session.check_held(self.out.len()) {
                Ok(()) => Ok(Slot::plain(value)),
                Err(exhausted) => {
                    self.at = Some(node);
                    self.fail(exhausted)
                }
            },
            Err(error) => self.failed(node, name, &error),
        }
    }

    fn failed(&mut self, node: NodeRef, name: &str, error: &CallError) -> Result<Slot, Fault> {
        self.at = Some(node);
        self.fail(failed(name, error))
    }

    fn builtin(
        &mut self,
        dot: &Slot,
        builtin: Builtin,
        name: &str,
        node: NodeRef,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        let signature = builtin.signature();
        let result = match builtin {
            Builtin::And | Builtin::Or => {
                self.check_count(name, signature, args, last.is_some())?;
                return self.short_circuit(dot, builtin, args, last);
            }
            Builtin::Len => {
                // Tells a nil in a map from no value at all, which plain values do not.
                self.check_count(name, signature, args, last.is_some())?;
                let slot = match (args.first(), last) {
                    (Some(arg), _) => self.argument(dot, &Type::Reflect, *arg)?,
                    (None, last) => last.unwrap_or(Slot::INVALID),
                };
                builtins::length(&slot.value, slot.boxed)
            }
            Builtin::Call => {
                let callee = match (args.first(), &last) {
                    (Some(arg), _) => self.arena().print(NodeRef::Expr(*arg)),
                    (None, Some(Slot { value: Value::Str(text), .. })) => text.to_string(),
                    (None, last) => {
                        let slot = last.as_ref().unwrap_or(&Slot::INVALID);
                        format!("<{} Value>", slot.type_name())
                    }
                };
                let (values, held) = self.arguments(dot, name, signature, args, last)?;
                self.session.release(held);
                Err(builtins::call_of(values.first(), callee))
            }
            _ => {
                let (values, held) = self.arguments(dot, name, signature, args, last)?;
                let most = self.session.budget.value_bytes;
                let result = builtin.call(&values, most);
                self.session.release(held);
                if let Ok(Value::Str(text)) = &result
                    && let Err(exhausted) = self.session.make(text.len())
                {
                    return self.failed(node, name, &exhausted.into());
                }
                result
            }
        };
        match result {
            // Elements come out of their `interface {}` at the end of the pipeline anyway.
            Ok(value) => Ok(Slot::plain(value)),
            Err(error) => self.failed(node, name, &error.into()),
        }
    }

    fn short_circuit(
        &mut self,
        dot: &Slot,
        builtin: Builtin,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<Slot, Fault> {
        let mut value = Slot::INVALID;
        for arg in args {
            value = self.argument(dot, &Type::Reflect, *arg)?;
            if value.value.truth() == (builtin == Builtin::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn check_count(
        &self,
        name: &str,
        signature: &Signature,
        args: &[ExprId],
        has_last: bool,
    ) -> Result<(), Fault> {
        let given = args.len() + usize::from(has_last);
        let fixed = signature.fixed_count();
        let name = || name.to_owned();
        if signature.variadic {
            if given < fixed {
                let (want, got) = (fixed, args.len());
                return self.fail(ExecCause::TooFewArguments { name: name(), want, got });
            }
        } else if given != fixed {
            return self.fail(ExecCause::ArgumentCount { name: name(), want: fixed, got: given });
        }
        Ok(())
    }

    /// The arguments, and how many bytes of what was made for them are held now; the caller has to
    /// release them.
    fn arguments(
        &mut self,
        dot: &Slot,
        name: &str,
        signature: &Signature,
        args: &[ExprId],
        last: Option<Slot>,
    ) -> Result<(Arguments, usize), Fault> {
        self.check_count(name, signature, args, last.is_some())?;
        let mut values = Arguments::with_capacity(args.len() + usize::from(last.is_some()));
        let mut held = last.as_ref().map_or(0, |last| weigh_lone(&last.value));
        self.session.hold(held);
        for (i, arg) in args.iter().enumerate() {
            let before = self.session.made();
            let value = self.argument(dot, signature.param(i), *arg)?.value;
            let made = usize::try_from(self.session.made() - before).unwrap_or(usize::MAX);
            if made > 0 {
                // It cannot be more than was made for it; if that was much, most may be gone.
                let kept =
                    if made < LITTLE { made } else { weigh([&value].into_iter(), made).bytes };
                self.session.hold(kept);
                held += kept;
            }
            values.push(value);
        }
        if let Some(last) = last {
            values.push(self.validate(last, signature.param(args.len()))?.value);
        }
        self.spend(values.iter().map(reading_steps).sum())?;
        Ok((values, held))
    }

    /// An argument's value, checked against the parameter's type.
    fn argument(&mut self, dot: &Slot, wanted: &Type, id: ExprId) -> Result<Slot, Fault> {
        self.at = Some(NodeRef::Expr(id));
        match &self.arena()[id].kind {
            ExprKind::Nil if wanted.can_be_nil() => Ok(Slot::plain(Value::zero(wanted))),
            ExprKind::Nil => self.fail(ExecCause::NilAssigned { wanted: wanted.to_string() }),
            ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Text { .. } => {
                self.literal(wanted, id)
            }
            _ => {
                let slot = self.untyped(dot, id)?;
                self.validate(slot, wanted)
            }
        }
    }

    /// The value of an operand that is not a literal.
    pub(super) fn untyped(&mut self, dot: &Slot, id: ExprId) -> Result<Slot, Fault> {
        self.at = Some(NodeRef::Expr(id));
        match &self.arena()[id].kind {
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Field(names) => self.field_chain(dot, dot, id, names, &[], None),
            ExprKind::Variable(name, fields) => self.variable(dot, id, *name, fields, &[], None),
            ExprKind::Pipe(pipe) => {
                let pipe = *pipe;
                stack::grow(|| self.pipeline(dot, pipe))
            }
            ExprKind::Function { name, id: function } => {
                self.function(dot, *function, name, NodeRef::Expr(id), &[], None)
            }
            ExprKind::Chain(base, fields) => self.chain(dot, id, *base, fields, &[], None),
            ExprKind::Bool(b) => Ok(Slot::plain(Value::Bool(*b))),
            ExprKind::Number(number) => self.constant(id, number),
            ExprKind::Text { value, .. } => Ok(Slot::plain(Value::Str(value.clone()))),
            ExprKind::Nil => Ok(Slot::INVALID),
        }
    }

    /// A literal takes the type that is wanted, if it can.
    fn literal(&mut self, wanted: &Type, id: ExprId) -> Result<Slot, Fault> {
        let kind = &self.arena()[id].kind;
        let value = match (wanted, kind) {
            (Type::Any | Type::Reflect, _) => return self.untyped(&Slot::INVALID, id),
            (Type::Bool, ExprKind::Bool(b)) => Value::Bool(*b),
            (Type::String, ExprKind::Text { value, .. }) => Value::Str(value.clone()),
            (Type::Int(kind), ExprKind::Number(number)) if kind.is_unsigned() => {
                match number.uint {
                    Some(uint) => Value::Int(uint.cast_signed(), *kind),
                    None => return self.expected(wanted, id),
                }
            }
            (Type::Int(kind), ExprKind::Number(number)) => match number.int {
                Some(int) => Value::Int(int, *kind),
                None => return self.expected(wanted, id),
            },
            (Type::Float, ExprKind::Number(number)) => match number.float {
                Some(float) => Value::Float(float),
                None => return self.expected(wanted, id),
            },
            (Type::Complex, ExprKind::Number(number)) => match number.complex {
                Some((re, im)) => Value::Complex(re, im),
                None => return self.expected(wanted, id),
            },
            _ => return self.expected(wanted, id),
        };
        Ok(Slot::plain(value))
    }

    fn expected(&self, wanted: &Type, id: ExprId) -> Result<Slot, Fault> {
        let node = self.arena().print(NodeRef::Expr(id));
        let wanted = match wanted {
            Type::Bool => "bool",
            Type::String => "string",
            Type::Int(kind) if kind.is_unsigned() => "unsigned integer",
            Type::Int(_) => "integer",
            Type::Float => "float",
            Type::Complex => "complex",
            Type::Any | Type::Reflect | Type::List(_) | Type::Map(_) | Type::Named(_) => {
                let wanted = wanted.to_string();
                return self.fail(ExecCause::UnhandledArgument { node, wanted });
            }
        };
        self.fail(ExecCause::Expected { wanted, node })
    }

    /// Go's rule of what may be passed where.
    fn validate(&mut self, slot: Slot, wanted: &Type) -> Result<Slot, Fault> {
        if slot.is_invalid() {
            if wanted.can_be_nil() {
                return Ok(Slot::plain(Value::zero(wanted)));
            }
            return self.fail(ExecCause::InvalidValue { wanted: wanted.to_string() });
        }
        if matches!(wanted, Type::Any | Type::Reflect) {
            return Ok(slot);
        }
        if slot.value.is_nil() || !slot.value.assignable_to(wanted) {
            let got = if slot.value.is_nil() {
                "interface {}".to_owned()
            } else {
                slot.value.type_name().into_owned()
            };
            return self.fail(ExecCause::WrongType { wanted: wanted.to_string(), got });
        }
        Ok(slot.unboxed())
    }
}
