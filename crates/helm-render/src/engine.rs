//! Templates in, texts out.

use std::collections::BTreeMap;

use bytes::Bytes;
use go_template::{
    Budget, Entries, Exhausted, Functions, Map, MissingKey, ParseError, Session, Templates, Value,
};
use helm_chart::{Chart, Rules};
use helm_functions::Helm;

use crate::cache::TemplateCache;
use crate::capabilities::Capabilities;
use crate::exec_error::TemplateError;
use crate::objects;
use crate::render::Release;
use crate::scope::{Context, Scoped};

/// What Go prints for a value that is not there.
const NO_VALUE: &str = "<no value>";

/// How templates are executed.
pub(crate) struct Engine<'a> {
    pub(crate) functions: &'a Functions,
    pub(crate) cache: Option<&'a TemplateCache>,
    pub(crate) budget: Budget,
    /// A value that is not there is an error.
    pub(crate) strict: bool,
    pub(crate) rules: Rules,
}

impl Engine<'_> {
    /// What all templates of a rendering share.
    pub(crate) fn session(&self, host: Helm) -> Session {
        let mut session = Session::with_state(self.budget, host);
        session.missing_key = if self.strict { MissingKey::Error } else { MissingKey::Zero };
        session
    }

    /// The output of every template that is no partial, by path.
    ///
    /// The chart's dependencies have been processed and `values` are the coalesced ones, which
    /// templates may change.
    pub(crate) fn render(
        &self,
        chart: &Chart,
        values: &Map,
        release: &Release,
        capabilities: &Capabilities,
        session: &mut Session,
    ) -> Result<BTreeMap<String, String>, TemplateError> {
        let rules = self.rules;
        let capabilities = objects::capabilities(capabilities, rules);
        let scoped = Context { release, capabilities, rules }.templates(chart, values);
        let order = in_order(&scoped);
        let templates = self.parsed(&order)?;
        let mut outputs = BTreeMap::new();
        for (path, scoped) in order {
            if path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
                continue;
            }
            let values = |map: Map| Value::object(objects::Values { map, rules });
            let template = Entries::from([
                ("Name".into(), Value::str(path)),
                ("BasePath".into(), Value::str(scoped.base_path.as_str())),
            ]);
            scoped.dot.insert("Template".into(), values(Map::new(template)));
            let output = templates
                .execute(path, values(scoped.dot.clone()), session)
                .map_err(TemplateError::execution)?;
            outputs.insert(path.to_owned(), text(output));
        }
        Ok(outputs)
    }

    fn parsed(&self, order: &[(&str, &Scoped)]) -> Result<Templates, TemplateError> {
        let texts: Vec<(&str, &Bytes)> =
            order.iter().map(|(path, scoped)| (*path, &scoped.text)).collect();
        let parse = || self.parse(&texts);
        let parsed = match self.cache {
            Some(cache) => cache.get(&texts, parse),
            None => parse(),
        };
        // The functions may be other ones than those at the time of parsing.
        Ok(parsed?.with_functions(self.functions.clone()))
    }

    fn parse(&self, texts: &[(&str, &Bytes)]) -> Result<Templates, TemplateError> {
        let mut templates = Templates::new("gotpl", self.functions.clone());
        let limit = self.budget.parsed_bytes;
        let mut parsed_bytes = 0_usize;
        for (path, text) in texts {
            let parsed: Result<_, ParseError> =
                templates.parse(path, &String::from_utf8_lossy(text));
            let template = parsed.map_err(|error| TemplateError::parse(error, path))?;
            parsed_bytes = parsed_bytes.saturating_add(template.weight());
            if parsed_bytes > limit {
                return Err(TemplateError::execution(Exhausted::Parsed { limit }.into()));
            }
        }
        Ok(templates)
    }
}

/// Deep paths first, then by name backwards: of two definitions of one name the last one counts,
/// and that shall be the one of the outermost chart.
fn in_order(templates: &BTreeMap<String, Scoped>) -> Vec<(&str, &Scoped)> {
    let mut order: Vec<_> =
        templates.iter().map(|(path, scoped)| (path.as_str(), scoped)).collect();
    let depth = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
    order.sort_by(|(a, _), (b, _)| (depth(b), b).cmp(&(depth(a), a)));
    order
}

/// The output without the traces of missing values.
fn text(output: Vec<u8>) -> String {
    let text =
        String::from_utf8(output).unwrap_or_else(|error| go_template::lossy(error.as_bytes()));
    if text.contains(NO_VALUE) { text.replace(NO_VALUE, "") } else { text }
}
