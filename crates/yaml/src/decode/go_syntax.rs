//! Documents as Go's `%#v` prints what go-yaml makes of them, for messages.

use super::key::{self, Key};
use super::{Decoder, scalar};
use crate::node::Kind;
use crate::number;
use crate::resolve::Scalar;

/// The root of the document; none if it cannot be told.
pub(crate) fn document(decoder: &mut Decoder<'_>) -> Option<String> {
    let root = decoder.tree.root?;
    value(decoder, root)
}

fn value(decoder: &mut Decoder<'_>, index: usize) -> Option<String> {
    let node = decoder.tree.node(index);
    decoder.spend(node.text_bytes()).ok()?;
    Some(match &node.kind {
        Kind::Scalar { .. } if node.is_blank_in_flow => "\"\"".to_owned(),
        Kind::Scalar { text, implicit } => {
            match scalar::meaning(node, text, *implicit, decoder.dialect).ok()? {
                Scalar::Null => "interface {}(nil)".to_owned(),
                Scalar::Bool(value) => value.to_string(),
                Scalar::Integer(value) => value.to_string(),
                Scalar::Float(value) if value == f64::INFINITY => "+Inf".to_owned(),
                Scalar::Float(value) if value == f64::NEG_INFINITY => "-Inf".to_owned(),
                Scalar::Float(value) if value.is_nan() => "NaN".to_owned(),
                Scalar::Float(value) => number::general(value),
                Scalar::Timestamp | Scalar::Text => go_quote::double(text.as_bytes()),
            }
        }
        Kind::Alias { anchor, target } => decoder
            .through_alias(anchor, *target, |decoder| Ok(value(decoder, *target)))
            .ok()
            .flatten()?,
        Kind::Sequence(items) => {
            decoder.under_way.push(index);
            let items: Option<Vec<_>> = items.iter().map(|item| value(decoder, *item)).collect();
            decoder.under_way.pop();
            format!("[]interface {{}}{{{}}}", items?.join(", "))
        }
        Kind::Mapping(entries) => {
            decoder.under_way.push(index);
            let entries = entries.iter().map(|(name, below)| {
                let name = key::decode(decoder, *name).ok()?;
                Some((name, value(decoder, *below)?))
            });
            let mut entries = entries.collect::<Option<Vec<_>>>()?;
            decoder.under_way.pop();
            entries.sort();
            let is_text = entries.iter().all(|(name, _)| matches!(name, Key::Text(_)));
            let keys = if is_text { "string" } else { "interface {}" };
            let shown = |(name, value): &(Key, String)| match name {
                Key::Null => format!("interface {{}}(nil):{value}"),
                name => format!("{name}:{value}"),
            };
            let entries: Vec<String> = entries.iter().map(shown).collect();
            format!("map[{keys}]interface {{}}{{{}}}", entries.join(", "))
        }
    })
}
