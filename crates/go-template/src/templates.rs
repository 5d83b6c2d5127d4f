//! Sets of named templates.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ast::{ListId, Source};
use crate::budget::Session;
use crate::error::{Error, ParseError};
use crate::exec;
use crate::functions::Functions;
use crate::parser;
use crate::value::Value;

/// One parsed template. Cloning is cheap; it never changes and may be shared between threads.
#[derive(Clone, Debug)]
pub struct Template {
    pub(crate) name: Arc<str>,
    pub(crate) source: Arc<Source>,
    pub(crate) root: ListId,
    /// Nothing but spaces and comments: does not replace a template that has a body.
    pub(crate) is_empty: bool,
}

impl Template {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes that the text takes that it was parsed from, and what was parsed from it; roughly.
    pub fn weight(&self) -> usize {
        const NODE_BYTES: usize = 128;
        let source = &*self.source;
        source.text.len().saturating_add(source.arena.nodes().saturating_mul(NODE_BYTES))
    }

    /// The name of the text that it was parsed from.
    pub fn parse_name(&self) -> &str {
        &self.source.parse_name
    }
}

/// A set of templates that can execute one another, with the functions they call.
///
/// Cloning is cheap and parsing into a clone leaves the original as it is. A set may be shared
/// between threads; what changes while executing is in the [`Session`].
///
/// ```
/// use go_template::{Budget, Functions, Session, Templates, Value};
///
/// let mut templates = Templates::new("gotpl", Functions::new());
/// templates.parse("_helpers.tpl", r#"{{ define "greet" }}Hello {{ .name }}{{ end }}"#)?;
/// templates.parse("main.yaml", r#"{{ template "greet" . }}!"#)?;
///
/// let mut session = Session::new(Budget::default());
/// let data = Value::map([("name", Value::from("you"))]);
/// let output = templates.execute("main.yaml", data, &mut session)?;
/// assert_eq!(output, b"Hello you!");
/// # Ok::<(), go_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Templates {
    name: Arc<str>,
    functions: Arc<Functions>,
    own: Arc<Layer>,
}

/// The templates parsed into one clone, over those of the set it was cloned from.
#[derive(Debug, Default)]
struct Layer {
    base: Option<Arc<Self>>,
    templates: HashMap<Arc<str>, Template>,
}

impl Layer {
    fn get(&self, name: &str) -> Option<&Template> {
        let mut layer = self;
        loop {
            if let Some(template) = layer.templates.get(name) {
                return Some(template);
            }
            layer = layer.base.as_deref()?;
        }
    }
}

impl Drop for Layer {
    /// Without recursion: `tpl` in `tpl` stacks layers.
    fn drop(&mut self) {
        let mut next = self.base.take();
        while let Some(mut layer) = next.and_then(Arc::into_inner) {
            next = layer.base.take();
        }
    }
}

impl Templates {
    /// An empty set. The name is the one errors call the set by (`gotpl` in Helm).
    pub fn new(name: &str, functions: Functions) -> Self {
        Self { name: Arc::from(name), functions: Arc::new(functions), own: Arc::default() }
    }

    /// The set's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The functions.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The same templates with other functions: those of the set, some of them replaced.
    #[must_use]
    pub fn with_functions(&self, functions: Functions) -> Self {
        Self { functions: Arc::new(functions), ..self.clone() }
    }

    /// Parses a text: its body becomes the template `name`, every `define` and `block` in it a
    /// template of its own. Later definitions replace earlier ones, unless they are empty.
    ///
    /// Returns the body, which is also to be had by [`Templates::get`] unless it is empty and
    /// there was one of that name before.
    ///
    /// # Errors
    /// [`ParseError`]; then nothing of the text is added.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<Template, ParseError> {
        let parsed = parser::parse(name, text, &self.functions)?;
        self.add(&parsed);
        Ok(parsed.body)
    }

    /// Parses a text without adding it, to be kept and added to sets later by [`Templates::add`].
    ///
    /// # Errors
    /// [`ParseError`]
    pub fn prepare(&self, name: &str, text: &str) -> Result<Parsed, ParseError> {
        parser::parse(name, text, &self.functions)
    }

    /// Adds what was parsed from one text.
    pub fn add(&mut self, parsed: &Parsed) {
        let layer = self.own_layer();
        for template in std::iter::once(&parsed.body).chain(&parsed.defined) {
            if template.is_empty && layer.get(&template.name).is_some() {
                continue;
            }
            layer.templates.insert(Arc::clone(&template.name), template.clone());
        }
    }

    /// The layer that only this handle sees; made on demand over one that others share.
    fn own_layer(&mut self) -> &mut Layer {
        if Arc::get_mut(&mut self.own).is_none() {
            let base = Arc::clone(&self.own);
            self.own = Arc::new(Layer { base: Some(base), templates: HashMap::new() });
        }
        // Just made sure of; the way around a panic costs nothing.
        if Arc::get_mut(&mut self.own).is_none() {
            self.own = Arc::default();
        }
        Arc::get_mut(&mut self.own).unwrap_or_else(|| unreachable!("no one else holds it"))
    }

    /// The template of that name.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.own.get(name)
    }

    /// Executes a template and returns its output.
    ///
    /// # Errors
    /// If there is no such template, or it stops.
    pub fn execute(
        &self,
        name: &str,
        data: Value,
        session: &mut Session,
    ) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.execute_into(name, data, session, &mut out)?;
        Ok(out)
    }

    /// Executes a template and appends its output, which on an error is what was written until
    /// then.
    ///
    /// # Errors
    /// If there is no such template, or it stops.
    pub fn execute_into(
        &self,
        name: &str,
        data: Value,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let template = self.get(name).ok_or_else(|| Error::NoTemplate {
            name: name.to_owned(),
            set: self.name.to_string(),
        })?;
        exec::execute(self, template, data, session, out)
    }

    /// Executes a template that need not be in the set and appends its output.
    ///
    /// # Errors
    /// If it stops.
    pub fn execute_template(
        &self,
        template: &Template,
        data: Value,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        exec::execute(self, template, data, session, out)
    }
}

/// What one text holds: its body and the templates it defines. Immutable and cheap to clone.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The text outside all definitions.
    pub body: Template,
    /// The templates of `define` and `block`.
    pub defined: Vec<Template>,
}
