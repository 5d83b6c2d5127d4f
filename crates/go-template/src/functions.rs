//! The functions that templates may call, and what a call sees of the engine.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::budget::Session;
use crate::error::{CallError, Error, Exhausted};
use crate::exec;
use crate::templates::{Template, Templates};
use crate::value::{Map, Type, Value};

/// What a function or method takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Types of the parameters, in order.
    pub params: Cow<'static, [Type]>,
    /// Whether the last parameter may be given any number of times, none included.
    pub variadic: bool,
}

impl Signature {
    /// Exactly these parameters.
    pub fn fixed(params: impl Into<Vec<Type>>) -> Self {
        Self { params: Cow::Owned(params.into()), variadic: false }
    }

    /// These parameters, the last one any number of times.
    pub fn variadic(params: impl Into<Vec<Type>>) -> Self {
        Self { params: Cow::Owned(params.into()), variadic: true }
    }

    /// Number of parameters that must be given.
    pub(crate) fn fixed_count(&self) -> usize {
        self.params.len() - usize::from(self.variadic && !self.params.is_empty())
    }

    /// The type of an argument; the last one repeats if variadic.
    pub(crate) fn param(&self, index: usize) -> &Type {
        self.params.get(index).or_else(|| self.params.last()).unwrap_or(&Type::Any)
    }
}

type Body = dyn Fn(&mut Call<'_>, &mut [Value]) -> Result<Value, CallError> + Send + Sync;

/// One function.
pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) signature: Signature,
    pub(crate) body: Box<Body>,
}

/// The table of functions that templates are parsed against and executed with.
///
/// Cloning is cheap. A clone in which a function was replaced still fits templates that were
/// parsed with the original, so state may be captured per rendering while parsed templates are
/// shared.
///
/// ```
/// use go_template::{Functions, Type, Value};
///
/// let mut functions = Functions::new();
/// functions.add("shout", [Type::String], |_call, args| {
///     Ok(Value::from(format!("{}!", go_template::string(args, 0))))
/// });
/// ```
#[derive(Clone, Default)]
pub struct Functions {
    places: Arc<HashMap<Arc<str>, u32>>,
    list: Arc<Vec<Arc<Function>>>,
}

impl Functions {
    /// No functions but Go's own, which are always there (`printf`, `index`, `eq` …).
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a function that takes exactly these parameters. A function of Go's own
    /// with that name is hidden.
    ///
    /// The arguments that arrive have been checked against the parameters as Go checks them; the
    /// function may take them out of the slice.
    pub fn add(
        &mut self,
        name: &str,
        params: impl Into<Vec<Type>>,
        body: impl Fn(&mut Call<'_>, &mut [Value]) -> Result<Value, CallError> + Send + Sync + 'static,
    ) {
        self.put(name, Signature::fixed(params), Box::new(body));
    }

    /// Adds or replaces a function whose last parameter may be given any number of times.
    pub fn add_variadic(
        &mut self,
        name: &str,
        params: impl Into<Vec<Type>>,
        body: impl Fn(&mut Call<'_>, &mut [Value]) -> Result<Value, CallError> + Send + Sync + 'static,
    ) {
        self.put(name, Signature::variadic(params), Box::new(body));
    }

    /// Whether there is a function of that name, Go's own not counted.
    pub fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(|name| &**name)
    }

    fn put(&mut self, name: &str, signature: Signature, body: Box<Body>) {
        let name: Arc<str> = Arc::from(name);
        let function = Arc::new(Function { name: Arc::clone(&name), signature, body });
        let place = self.place(&name);
        let list = Arc::make_mut(&mut self.list);
        if let Some(slot) = place.and_then(|place| list.get_mut(place as usize)) {
            *slot = function;
            return;
        }
        let place = u32::try_from(list.len()).unwrap_or(u32::MAX);
        list.push(function);
        Arc::make_mut(&mut self.places).insert(name, place);
    }

    pub(crate) fn place(&self, name: &str) -> Option<u32> {
        self.places.get(name).copied()
    }

    /// The function at a place, if it is still the one of that name.
    pub(crate) fn find(&self, place: u32, name: &str) -> Option<&Arc<Function>> {
        let function = self.list.get(place as usize)?;
        if *function.name == *name {
            return Some(function);
        }
        self.list.get(self.place(name)? as usize)
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.list.iter().map(|function| &function.name)).finish()
    }
}

/// What a running function may use: the session with its budget, and the templates around it.
#[derive(Debug)]
pub struct Call<'c> {
    /// The session; [`Session::state`] gives the host's own state.
    pub session: &'c mut Session,
    templates: &'c Templates,
}

impl<'c> Call<'c> {
    pub(crate) fn new(session: &'c mut Session, templates: &'c Templates) -> Self {
        Self { session, templates }
    }

    /// The set that the executing template belongs to. A clone of it may be parsed into without
    /// touching the original, as `tpl` does.
    pub fn templates(&self) -> &'c Templates {
        self.templates
    }

    /// Executes a template of the same set and returns its output, as `include` does.
    ///
    /// # Errors
    /// If there is no such template, or it stops.
    pub fn execute(&mut self, name: &str, data: Value) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.templates.execute_into(name, data, self.session, &mut out)?;
        Ok(out)
    }

    /// Executes a template of another set.
    ///
    /// # Errors
    /// If it stops.
    pub fn execute_template(
        &mut self,
        templates: &Templates,
        template: &Template,
        data: Value,
    ) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        exec::execute(templates, template, data, self.session, &mut out)?;
        Ok(out)
    }

    /// See [`Session::make`].
    ///
    /// # Errors
    /// If the budget does not allow it.
    pub fn make(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.session.make(bytes)
    }

    /// Does something while so many bytes are in use that no value holds.
    ///
    /// # Errors
    /// [`Exhausted::Held`] if they are too many.
    pub fn holding<T>(
        &mut self,
        bytes: usize,
        work: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, Exhausted> {
        self.session.hold(bytes);
        let checked = self.session.check_held(0);
        let result = checked.map(|()| work(self));
        self.session.release(bytes);
        result
    }

    /// To be called after a list or map was put into a map: the map may now contain itself, and the
    /// session will see to it that it is freed.
    pub fn note_change(&mut self, map: &Map) {
        self.session.note_change(map);
    }
}
