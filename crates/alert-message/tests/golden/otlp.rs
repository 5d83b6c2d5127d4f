//! OTLP's JSON of what was sent as protobuf.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// What a field holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Id,
    Number,
    Time,
    One(&'static str),
    Many(&'static str),
}

/// The fields, by message and number.
const FIELDS: [(&str, usize, &str, Holds); 21] = [
    ("export", 1, "resourceSpans", Holds::Many("resource spans")),
    ("resource spans", 1, "resource", Holds::One("resource")),
    ("resource spans", 2, "scopeSpans", Holds::Many("scope spans")),
    ("resource", 1, "attributes", Holds::Many("attribute")),
    ("scope spans", 1, "scope", Holds::One("scope")),
    ("scope spans", 2, "spans", Holds::Many("span")),
    ("scope", 1, "name", Holds::Text),
    ("span", 1, "traceId", Holds::Id),
    ("span", 2, "spanId", Holds::Id),
    ("span", 4, "parentSpanId", Holds::Id),
    ("span", 5, "name", Holds::Text),
    ("span", 6, "kind", Holds::Number),
    ("span", 7, "startTimeUnixNano", Holds::Time),
    ("span", 8, "endTimeUnixNano", Holds::Time),
    ("span", 9, "attributes", Holds::Many("attribute")),
    ("span", 15, "status", Holds::One("status")),
    ("status", 2, "message", Holds::Text),
    ("status", 3, "code", Holds::Number),
    ("attribute", 1, "key", Holds::Text),
    ("attribute", 2, "value", Holds::One("value")),
    ("value", 1, "stringValue", Holds::Text),
];

pub(crate) fn read(export: &[u8]) -> Value {
    message("export", export)
}

fn message(of: &str, mut bytes: &[u8]) -> Value {
    let mut found = Map::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = FIELDS.iter().find(|(owner, number, ..)| *owner == of && *number == tag >> 3);
        let Some(&(_, _, name, holds)) = field else { panic!("{of} has no field {}", tag >> 3) };
        let read = match (tag & 7, holds) {
            (0, Holds::Number) => json!(varint(&mut bytes)),
            (1, Holds::Time) => {
                let time = bytes.split_off(..8).unwrap();
                json!(u64::from_le_bytes(time.try_into().unwrap()).to_string())
            }
            (2, holds) => {
                let length = varint(&mut bytes);
                let inner = bytes.split_off(..length).unwrap();
                match holds {
                    Holds::Text => json!(std::str::from_utf8(inner).unwrap()),
                    Holds::Id => json!(inner.iter().fold(String::new(), |mut hex, byte| {
                        write!(hex, "{byte:02x}").unwrap();
                        hex
                    })),
                    Holds::One(inside) | Holds::Many(inside) => message(inside, inner),
                    Holds::Number | Holds::Time => panic!("{name} is no number"),
                }
            }
            (wire, _) => panic!("{name} is written in way {wire}"),
        };
        match holds {
            Holds::Many(_) => {
                let all = found.entry(name).or_insert_with(|| json!([]));
                all.as_array_mut().unwrap().push(read);
            }
            _ => assert!(found.insert(name.to_owned(), read).is_none(), "{name} is there twice"),
        }
    }
    Value::Object(found)
}

fn varint(bytes: &mut &[u8]) -> usize {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let byte = *bytes.split_off_first().unwrap();
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}
