//! Helm's own functions around templates: `include`, `tpl`, `required`, `lookup`.

use go_template::{Call, CallError, Error, Functions, Str, Type, Value};

use crate::arguments::{Outcome, any, ok, string, text};
use crate::error::FunctionError;
use crate::host::{Helm, helm};

const ANY: Type = Type::Any;
const S: Type = Type::String;

/// How often a template may be within itself; Helm's number.
const MAX_RECURSION: u32 = 1000;

/// Steps for asking a cluster.
const LOOKUP_STEPS: u64 = 1_000;

/// Bytes of an error to which the text of a template is not added any more.
const LONGEST_MESSAGE: usize = 1 << 20;

pub(crate) fn register(f: &mut Functions) {
    f.add("include", [S, ANY], |call, a| {
        let data = a.get_mut(1).map(std::mem::take).unwrap_or_default();
        include(call, &text(a, 0), data)
    });
    f.add("tpl", [S, ANY], |call, a| {
        let data = a.get_mut(1).map(std::mem::take).unwrap_or_default();
        tpl(call, &text(a, 0), data)
    });
    f.add("required", [S, ANY], |call, a| {
        let missing = match any(a, 1) {
            Value::Nil => true,
            Value::Str(text) => text.is_empty(),
            _ => false,
        };
        if !missing {
            return Ok(a.get_mut(1).map(std::mem::take).unwrap_or_default());
        }
        refuse(call, string(a, 0))
    });
    f.add("fail", [S], |call, a| refuse(call, string(a, 0)));
    f.add("lookup", [S, S, S, S], |call, a| {
        let (api_version, kind, namespace, name) = (text(a, 0), text(a, 1), text(a, 2), text(a, 3));
        call.session.spend(LOOKUP_STEPS)?;
        let found = helm(call)?.lookup.lookup(&api_version, &kind, &namespace, &name);
        found.map_err(|message| FunctionError::Lookup(message).into())
    });
    f.add("getHostByName", [S], |call, a| {
        let host = text(a, 0);
        ok(helm(call)?.hosts.address(&host).unwrap_or_default().as_str())
    });
}

/// Fails with the chart's words, unless the chart is only being linted.
fn refuse(call: &mut Call<'_>, message: &Str) -> Outcome {
    if call.session.state::<Helm>().is_some_and(|helm| helm.lint) {
        return ok("");
    }
    Err(FunctionError::Chart(message.to_string()).into())
}

fn include(call: &mut Call<'_>, name: &str, data: Value) -> Outcome {
    let included = &mut helm(call)?.included;
    match included.get_mut(name) {
        Some(count) if *count > MAX_RECURSION => {
            return Err(FunctionError::NestedReference { name: name.to_owned() }.into());
        }
        Some(count) => *count += 1,
        None => {
            included.insert(name.to_owned(), 1);
        }
    }
    let output = call.execute(name, data);
    if let Some(count) = helm(call)?.included.get_mut(name) {
        *count -= 1;
    }
    let output = output?;
    call.make(output.len())?;
    ok(Str::from(output))
}

fn tpl(call: &mut Call<'_>, source: &str, data: Value) -> Outcome {
    let limit = call.session.budget().source_bytes;
    if source.len() > limit {
        return Err(go_template::Exhausted::Source { limit }.into());
    }
    if !source.contains("{{") {
        call.make(source.len())?;
        return ok(without_no_value(source.as_bytes().to_vec()));
    }
    // Reading a text costs more than executing it.
    call.session.spend(source.len() as u64 >> 1)?;
    let quoted = || go_quote::double(source.as_bytes());
    let mut templates = call.templates().clone();
    let name = templates.name().to_owned();
    let template = templates.parse(&name, source).map_err(|error| {
        CallError::of(FunctionError::TplParse { template: quoted(), message: error.to_string() })
    })?;
    let output =
        call.holding(template.weight(), |call| call.execute_template(&templates, &template, data))?;
    let output = output.map_err(|error: Error| {
        let inner = error.to_string();
        if inner.len().saturating_add(source.len()) > LONGEST_MESSAGE {
            return CallError::from(error);
        }
        let message = format!("error during tpl function execution for {}: {inner}", quoted());
        CallError::from(error).within(message)
    })?;
    call.make(output.len())?;
    ok(without_no_value(output))
}

/// Flux: Helm's engine takes out what a missing value prints as, though a chart may have meant it.
fn without_no_value(output: Vec<u8>) -> Str {
    const NO_VALUE: &str = "<no value>";
    match String::from_utf8(output) {
        Ok(text) if text.contains(NO_VALUE) => Str::from(text.replace(NO_VALUE, "")),
        Ok(text) => Str::from(text),
        Err(bytes) => Str::from(bytes.into_bytes()),
    }
}
