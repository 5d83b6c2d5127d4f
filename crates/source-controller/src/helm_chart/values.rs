//! Several values files become the defaults of a chart.

use serde_json::{Map, Value};

use super::failure::{Failure, Stage};

/// The files that were merged, and what they come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Merged {
    pub(super) files: Vec<String>,
    pub(super) values: Map<String, Value>,
}

/// Lays the files over one another. `content` finds one; where it cannot, it says so in words.
///
/// # Errors
/// If one is missing, unless missing ones are passed over, or is no map.
pub(super) fn merge(
    files: &[String],
    passes_over_missing: bool,
    what: &str,
    content: impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Merged, Failure> {
    let failed = |message: String| {
        Stage::Values.failed(if what.is_empty() { message } else { format!("{what}: {message}") })
    };
    let mut merged = Merged::default();
    for file in files {
        let text = match content(file) {
            Ok(text) => text,
            Err(_missing) if passes_over_missing => continue,
            Err(missing) => return Err(failed(missing)),
        };
        let unreadable =
            |why: String| failed(format!("unmarshaling values from '{file}' failed: {why}"));
        let values = match yaml::parse(&text) {
            Ok(Value::Object(values)) => values,
            Ok(Value::Null) => Map::new(),
            Ok(_) => return Err(unreadable("it is no map".to_owned())),
            Err(error) => {
                let why = format!("error converting YAML to JSON: {error}");
                return Err(unreadable(why));
            }
        };
        helm_chart::values::merge(&mut merged.values, values);
        merged.files.push(file.clone());
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(path: &str) -> Result<Vec<u8>, String> {
        match path {
            "a" => Ok(b"x: {k: 1, z: 2}\nl: [1, 2]\n".to_vec()),
            "b" => Ok(b"x: {k: 3}\nl: [4]\n".to_vec()),
            "bad" => Ok(b"- x".to_vec()),
            _ => Err(format!("no values file found at path '{path}'")),
        }
    }

    #[test]
    fn later_files_win_and_lists_are_replaced() {
        let files = ["a", "none", "b"].map(str::to_owned);
        let merged = merge(&files, true, "", content).unwrap();
        assert_eq!(merged.files, ["a", "b"]);
        let expected = r#"{"l":[4],"x":{"k":3,"z":2}}"#;
        assert_eq!(serde_json::to_string(&merged.values).unwrap(), expected);
        let error = merge(&files, false, "", content).unwrap_err().to_string();
        assert_eq!(error, "values files merge error: no values file found at path 'none'");
        let error = merge(&["bad".to_owned()], true, "w", content).unwrap_err().to_string();
        assert!(error.starts_with("values files merge error: w: unmarshaling values from 'bad'"));
    }
}
