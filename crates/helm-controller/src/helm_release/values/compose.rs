//! How values are laid over each other. Pure.

use serde_json::{Map, Value};

/// Values that are being put together.
///
/// Flux: every value at a path is set in what has been merged so far, with the object's own values
/// laid over it first; at the very end the object's own values are laid over once more. In Go the
/// merged maps share what only one side had, so setting a path there changes the object's own
/// values too, and the path wins; where both sides had a map, the object's own values win
/// (`ChartValuesFromReferences`). Here what is shared is written down.
#[derive(Debug)]
pub(super) struct Composition {
    result: Map<String, Value>,
    own: Map<String, Value>,
}

/// A place in values, as the keys that lead to it.
type Path = Vec<String>;

impl Composition {
    /// Begins with the object's own values, which are laid over all others.
    pub(super) fn new(own: Map<String, Value>) -> Self {
        Self { result: Map::new(), own }
    }

    /// Lays a whole document over what is there.
    pub(super) fn merge(&mut self, text: &str) -> Result<(), String> {
        let values =
            helm_chart::values::read(text.as_bytes()).map_err(|error| error.to_string())?;
        lay(&mut self.result, &values, &mut Vec::new(), &mut Vec::new());
        Ok(())
    }

    /// Sets a value at a path, in the syntax of `helm --set`.
    pub(super) fn set(&mut self, path: &str, text: &str, literal: bool) -> Result<(), String> {
        let mut shared = Vec::new();
        lay(&mut self.result, &self.own, &mut Vec::new(), &mut shared);
        // A map that is set as a whole loses the mark, and with it what it shared.
        let mark = "\0shared";
        for place in &shared {
            if let Some(Value::Object(map)) = at(&mut self.result, place) {
                map.insert(mark.to_owned(), Value::Null);
            }
        }
        let set = assign(path, text, literal, &mut self.result);
        for place in &shared {
            let own = at(&mut self.own, place);
            match (at(&mut self.result, place), own) {
                (Some(Value::Object(map)), Some(own)) => {
                    let is_shared = map.remove(mark).is_some();
                    if is_shared {
                        *own = Value::Object(map.clone());
                    }
                }
                // A list is shared for as long as nothing makes it longer.
                (Some(Value::Array(list)), Some(own)) => {
                    let same = own.as_array().is_some_and(|own| own.len() == list.len());
                    if same && path.starts_with(&format!("{}[", written(place))) {
                        *own = Value::Array(list.clone());
                    }
                }
                _ => {}
            }
        }
        set
    }

    /// All values.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        lay(&mut self.result, &self.own, &mut Vec::new(), &mut Vec::new());
        self.result
    }
}

/// Lays `over` over `base`: maps are merged, everything else is replaced. Notes the places at which
/// both now hold the same map or list.
fn lay(
    base: &mut Map<String, Value>,
    over: &Map<String, Value>,
    place: &mut Path,
    shared: &mut Vec<Path>,
) {
    for (key, value) in over {
        place.push(key.clone());
        if let (Some(Value::Object(below)), Value::Object(value)) = (base.get_mut(key), value) {
            lay(below, value, place, shared);
        } else {
            if value.is_object() || value.is_array() {
                shared.push(place.clone());
            }
            base.insert(key.clone(), value.clone());
        }
        place.pop();
    }
}

fn at<'a>(values: &'a mut Map<String, Value>, place: &[String]) -> Option<&'a mut Value> {
    let (first, rest) = place.split_first()?;
    rest.iter().try_fold(values.get_mut(first)?, |value, key| value.get_mut(key))
}

/// The place as `--set` would be told it.
fn written(place: &[String]) -> String {
    let escaped: Vec<String> = place.iter().map(|key| key.replace('.', "\\.")).collect();
    escaped.join(".")
}

/// Flux: a value within quotes is taken as text, and loses all quotes at both ends
/// (`ReplacePathValue`).
fn assign(
    path: &str,
    text: &str,
    literal: bool,
    into: &mut Map<String, Value>,
) -> Result<(), String> {
    let quoted = |quote: char| text.starts_with(quote) && text.ends_with(quote);
    let set = if literal {
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, '\\' | ',' | '[' | ']' | '{' | '}') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        strvals::set_string(&format!("{path}={escaped}"), into)
    } else if quoted('\'') || quoted('"') {
        strvals::set_string(&format!("{path}={}", text.trim_matches(['\'', '"'])), into)
    } else {
        strvals::set(&format!("{path}={text}"), into)
    };
    set.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    enum Step {
        File(&'static str),
        Path(&'static str, &'static str),
    }

    fn composed(own: Value, steps: &[Step]) -> Value {
        let Value::Object(own) = own else { panic!("no map") };
        let mut composition = Composition::new(own);
        for step in steps {
            match step {
                Step::File(text) => composition.merge(text).unwrap(),
                Step::Path(path, text) => composition.set(path, text, false).unwrap(),
            }
        }
        Value::Object(composition.finish())
    }

    #[test]
    fn who_wins_is_as_irregular_as_in_flux() {
        use Step::{File, Path};
        let path_wins = [
            (json!({"m": {"a": 1}}), vec![Path("m.a", "2")], json!({"m": {"a": 2}})),
            (json!({"m": {"l": [1, 5]}}), vec![Path("m.l[0]", "2")], json!({"m": {"l": [2, 5]}})),
            (
                json!({"m": {"a": 1}}),
                vec![Path("m.a", "2"), File("m: {a: 3}")],
                json!({"m": {"a": 2}}),
            ),
            (json!({"b": 1}), vec![Path("a", "2")], json!({"a": 2, "b": 1})),
        ];
        let own_wins = [
            (json!({"a": 1}), vec![Path("a", "2")], json!({"a": 1})),
            (json!({"m": {"a": 1}}), vec![File("m: {b: 3}"), Path("m.a", "2")], {
                json!({"m": {"a": 1, "b": 3.0}})
            }),
        ];
        for (own, steps, want) in path_wins.into_iter().chain(own_wins) {
            assert_eq!(composed(own, &steps), want);
        }
    }

    #[test]
    fn a_literal_is_taken_as_it_is() {
        let mut composition = Composition::new(Map::new());
        composition.set("a\\.b", r"x,y={z}\[1]", true).unwrap();
        composition.set("c", "'007'", false).unwrap();
        composition.set("d", "007", false).unwrap();
        let all = Value::Object(composition.finish());
        assert_eq!(all, json!({"a.b": r"x,y={z}\[1]", "c": "007", "d": "007"}));
    }
}
