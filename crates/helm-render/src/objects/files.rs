//! `.Files`: the files of a chart that are no templates.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use go_template::{CallError, Elem, Entries, List, Map, Object, Signature, Str, Type, Value};
use helm_chart::ChartFile;

use super::glob::Glob;

/// Helm's `files`: contents by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    contents: BTreeMap<String, Bytes>,
    /// Made when a template ranges over the files, which few do.
    map: OnceLock<Map>,
}

/// Flux: Helm looks at the last byte of an empty file (`files.go`).
#[derive(Debug, thiserror::Error)]
#[error("runtime error: index out of range [-1]")]
struct LinesError;

impl Files {
    pub(crate) fn new(files: &[ChartFile]) -> Self {
        let contents = files.iter().map(|file| (file.name.clone(), file.bytes.clone()));
        Self { contents: contents.collect(), map: OnceLock::new() }
    }

    fn bytes(&self, path: &str) -> &[u8] {
        self.contents.get(path).map_or(&[], |bytes| bytes)
    }

    fn glob(&self, pattern: &str) -> Self {
        let glob = Glob::new(pattern);
        let matching = self.contents.iter().filter(|(path, _)| glob.is_match(path));
        let contents = matching.map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
        Self { contents, map: OnceLock::new() }
    }

    /// The files by their names without folders, as a YAML map; later ones win.
    fn yaml(&self, text: impl Fn(&[u8]) -> String) -> String {
        let files = self.contents.iter().map(|(path, bytes)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            (name.to_owned(), serde_json::Value::String(text(bytes)))
        });
        let yaml = yaml::emit(&serde_json::Value::Object(files.collect()));
        yaml.strip_suffix('\n').map(str::to_owned).unwrap_or(yaml)
    }

    fn lines(&self, path: &str) -> Result<List, LinesError> {
        match self.contents.get(path) {
            None => Ok(List::of_strings::<Str>([])),
            Some(bytes) if bytes.is_empty() => Err(LinesError),
            Some(bytes) => {
                let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                Ok(List::of_strings(bytes.split(|byte| *byte == b'\n')))
            }
        }
    }
}

impl Object for Files {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("engine.files")
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn underlying(&self) -> Value {
        let map = self.map.get_or_init(|| {
            let entries = self.contents.iter().map(|(path, bytes)| {
                (Str::from(path.as_str()), Value::Bytes(Arc::from(&bytes[..])))
            });
            Map::typed(Elem::Bytes, entries.collect::<Entries>())
        });
        Value::Map(map.clone())
    }

    fn truth(&self) -> bool {
        !self.contents.is_empty()
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(Signature::fixed([Type::String])),
            "AsConfig" | "AsSecrets" => Some(Signature::fixed([])),
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let path = go_template::string(args, 0).to_text();
        Ok(match name {
            "Get" => Value::str(self.bytes(&path)),
            "GetBytes" => Value::Bytes(Arc::from(self.bytes(&path))),
            "Glob" => Value::object(self.glob(&path)),
            "Lines" => Value::List(self.lines(&path).map_err(CallError::of)?),
            "AsConfig" => {
                Value::from(self.yaml(|bytes| String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => Value::from(self.yaml(|bytes| STANDARD.encode(bytes))),
        })
    }
}
