//! Template errors as Helm 4 lays them out.

use go_template::{Error as GoError, ExecCause, ExecError, Origin, ParseError};
use helm_functions::FunctionError;

/// A template that is malformed or stopped.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct TemplateError {
    text: String,
    /// The engine's own error.
    pub engine: GoError,
}

impl TemplateError {
    /// `parse error at (LOCATION): MESSAGE`, with the last part of the message only.
    pub(crate) fn parse(error: ParseError, path: &str) -> Self {
        let text = error.to_string();
        let mut parts = text.split(": ");
        let location = parts.nth(1);
        let text = match (location, text.rsplit(": ").next()) {
            (Some(location), Some(message)) => format!("parse error at ({location}): {message}"),
            _ => format!("parse error in ({path}): {text}"),
        };
        Self { text, engine: error.into() }
    }

    /// The message of `required` or `fail` with its place, or the chain of templates that led to
    /// the mistake, each on lines of its own.
    pub(crate) fn execution(error: GoError) -> Self {
        let plain = error.to_string();
        let text = match &error {
            GoError::Exec(exec) => match words_of_chart(exec) {
                Some(words) => format!("execution error at ({}): {words}", exec.location),
                None => layout(&plain).unwrap_or(plain),
            },
            GoError::Parse(_) | GoError::NoTemplate { .. } | GoError::Exhausted(_) => plain,
        };
        Self { text, engine: error }
    }
}

/// What the chart said by `required` or `fail`, however deep inside.
fn words_of_chart(error: &ExecError) -> Option<&str> {
    let ExecCause::Call { origin: Origin::Function(error), .. } = &error.cause else { return None };
    match error.downcast_ref() {
        Some(FunctionError::Chart(words)) => Some(words),
        _ => None,
    }
}

/// None if the text is to be shown as it is.
fn layout(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut last = None;
    let mut next = Some(text);
    while let Some(text) = next {
        let step = Step::read(text)?;
        if last.as_ref() != Some(&step) {
            step.write(&mut out);
        }
        next = cause(text);
        last = Some(step);
    }
    Some(out.trim().to_owned())
}

/// What the function that failed at this step said, if a function failed.
fn cause(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(": executing ")?;
    let (_, message) = after.split_once(">: ")?;
    let (_, cause) = message.strip_prefix("error calling ")?.split_once(": ")?;
    Some(cause)
}

/// One template on the way to the mistake.
#[derive(PartialEq)]
struct Step<'a> {
    location: &'a str,
    executing: &'a str,
    message: &'a str,
}

impl<'a> Step<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self { location: "", executing: "", message: text });
        }
        Self::read_executing(rest).or_else(|| {
            let (location, message) = rest.rsplit_once(": ")?;
            Some(Self { location, executing: "", message: without_next(message) })
        })
    }

    /// `LOCATION: executing "NAME" at <NODE>: MESSAGE`
    fn read_executing(rest: &'a str) -> Option<Self> {
        let (location, after) = rest.split_once(": executing ")?;
        let quoted = after.strip_prefix('"')?;
        let name_end = quoted.find('"')?;
        let node = quoted[name_end + 1..].strip_prefix(" at <")?;
        let node_end = node.find(">: ")?;
        let closing = after.len() - node.len() + node_end;
        let executing = &after[..=closing];
        Some(Self { location, executing, message: without_next(&node[node_end + 3..]) })
    }

    fn write(&self, out: &mut String) {
        if !self.location.is_empty() {
            out.push_str(self.location);
            out.push_str("\n  ");
        }
        if !self.executing.is_empty() {
            out.push_str("executing ");
            out.push_str(self.executing);
            out.push_str(":\n    ");
        }
        if !self.message.is_empty() {
            out.push_str(self.message);
            out.push('\n');
        }
    }
}

/// The message without the error of the next template in it.
fn without_next(message: &str) -> &str {
    message.find(" template:").map_or(message, |at| &message[..at])
}
