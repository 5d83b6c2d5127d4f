//! TEMPORARY until the `yaml` crate has a parser: events to values.
use libyaml_safer::{Event, EventData, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

pub(crate) fn parse(text: &[u8]) -> Result<Value, String> {
    let mut input = text;
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut b = B { parser, anchors: BTreeMap::new() };
    loop {
        match b.next()?.data {
            EventData::StreamEnd => return Ok(Value::Null),
            EventData::DocumentStart { .. } => {
                let e = b.next()?;
                return b.node(e, 0);
            }
            _ => {}
        }
    }
}
struct B<'r, 'b> {
    parser: Parser<&'r mut &'b [u8]>,
    anchors: BTreeMap<String, Value>,
}
impl B<'_, '_> {
    fn next(&mut self) -> Result<Event, String> {
        self.parser.parse().map_err(|e| format!("yaml: {e}"))
    }
    fn node(&mut self, e: Event, depth: usize) -> Result<Value, String> {
        if depth > 128 {
            return Err("yaml: exceeded max depth".into());
        }
        let (anchor, value) = match e.data {
            EventData::Alias { anchor } => {
                return self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| format!("yaml: unknown anchor '{anchor}' referenced"));
            }
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let v = if style == ScalarStyle::Plain && tag.is_none() {
                    plain(&value)
                } else {
                    Value::String(value)
                };
                (anchor, v)
            }
            EventData::SequenceStart { anchor, .. } => {
                let mut list = Vec::new();
                loop {
                    let e = self.next()?;
                    if matches!(e.data, EventData::SequenceEnd) {
                        break;
                    }
                    list.push(self.node(e, depth + 1)?);
                }
                (anchor, Value::Array(list))
            }
            EventData::MappingStart { anchor, .. } => {
                let mut map = Map::new();
                let mut merges = Vec::new();
                loop {
                    let e = self.next()?;
                    if matches!(e.data, EventData::MappingEnd) {
                        break;
                    }
                    let merge = matches!(&e.data, EventData::Scalar { value, style: ScalarStyle::Plain, .. } if value == "<<");
                    let key = self.node(e, depth + 1)?;
                    let e = self.next()?;
                    let value = self.node(e, depth + 1)?;
                    if merge {
                        merges.push(value);
                        continue;
                    }
                    let key = match key {
                        Value::String(s) => s,
                        Value::Null => "null".into(),
                        other => other.to_string(),
                    };
                    map.insert(key, value);
                }
                for m in merges {
                    let ms = match m {
                        Value::Array(l) => l,
                        o => vec![o],
                    };
                    for m in ms {
                        if let Value::Object(m) = m {
                            for (k, v) in m {
                                map.entry(k).or_insert(v);
                            }
                        }
                    }
                }
                (anchor, Value::Object(map))
            }
            _ => return Err("yaml: unexpected event".into()),
        };
        if let Some(a) = anchor {
            self.anchors.insert(a, value.clone());
        }
        Ok(value)
    }
}
fn plain(s: &str) -> Value {
    match s {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let t = s.replace('_', "");
    if s.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        if let Ok(i) = t.strip_prefix('+').unwrap_or(&t).parse::<i64>() {
            if t.len() > 1
                && t.trim_start_matches(['+', '-']).starts_with('0')
                && t.trim_start_matches(['+', '-']).len() > 1
            {
                if let Ok(i) = i64::from_str_radix(t.trim_start_matches(['+', '-']), 8) {
                    return Value::from(if t.starts_with('-') { -i } else { i });
                }
            } else {
                return Value::from(i);
            }
        }
        if let Some(h) = t.strip_prefix("0x") {
            if let Ok(i) = i64::from_str_radix(h, 16) {
                return Value::from(i);
            }
        }
        if let Some(h) = t.strip_prefix("0o") {
            if let Ok(i) = i64::from_str_radix(h, 8) {
                return Value::from(i);
            }
        }
        if t.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
            && t.bytes().any(|b| b.is_ascii_digit())
        {
            if let Ok(f) = t.parse::<f64>() {
                if let Some(n) = Number::from_f64(f) {
                    return Value::Number(n);
                }
            }
        }
    }
    Value::String(s.to_owned())
}
