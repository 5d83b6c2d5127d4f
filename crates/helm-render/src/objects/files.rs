//! `.Files`: the files of a chart that are no templates.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use go_template::{Call, CallError, Elem, Entries, List, Map, Object, Signature, Str, Type, Value};
use helm_chart::ChartFile;

use super::glob::Glob;

/// What an entry costs beside its content, roughly.
const ENTRY_BYTES: usize = 64;

/// Steps for compiling a pattern.
const PATTERN_STEPS: u64 = 4_000;

/// Helm's `files`: contents by path.
#[derive(Debug)]
pub(crate) struct Files {
    contents: BTreeMap<Arc<str>, Arc<Content>>,
    /// Made when a template ranges over the files, which few do.
    map: OnceLock<Map>,
    /// Whether it is a choice that a template made.
    is_choice: bool,
}

/// What a file holds.
#[derive(Debug)]
struct Content {
    bytes: Bytes,
    /// The same as templates have it. Limit: stays as long as the rendering takes.
    shared: OnceLock<Arc<[u8]>>,
}

impl Content {
    fn value(&self) -> Value {
        Value::Bytes(Arc::clone(self.shared.get_or_init(|| Arc::from(&self.bytes[..]))))
    }
}

/// Flux: Helm looks at the last byte of an empty file (`files.go`).
#[derive(Debug, thiserror::Error)]
#[error("runtime error: index out of range [-1]")]
struct LinesError;

impl Files {
    pub(crate) fn new(files: &[ChartFile]) -> Self {
        let contents = files.iter().map(|file| {
            let content = Content { bytes: file.bytes.clone(), shared: OnceLock::new() };
            (Arc::from(file.name.as_str()), Arc::new(content))
        });
        Self { contents: contents.collect(), map: OnceLock::new(), is_choice: false }
    }

    fn bytes(&self, path: &str) -> &[u8] {
        self.contents.get(path).map_or(&[], |content| &content.bytes)
    }

    fn glob(&self, call: &mut Call<'_>, pattern: &str) -> Result<Self, CallError> {
        let paths: usize = self.contents.keys().map(|path| path.len() + ENTRY_BYTES).sum();
        call.session.spend(PATTERN_STEPS + (paths as u64 >> 4))?;
        let glob = Glob::new(pattern);
        let mut contents = self.contents.clone();
        contents.retain(|path, _| glob.is_match(path));
        call.make(contents.len() * ENTRY_BYTES)?;
        Ok(Self { contents, map: OnceLock::new(), is_choice: true })
    }

    /// The files by their names without folders, as a YAML map; later ones win.
    fn yaml(
        &self,
        call: &mut Call<'_>,
        text: impl Fn(&[u8]) -> String,
    ) -> Result<String, CallError> {
        let bytes = self.contents.values().map(|content| content.bytes.len() + ENTRY_BYTES).sum();
        call.make(bytes)?;
        call.session.spend(bytes as u64 >> 1)?;
        let files = self.contents.iter().map(|(path, content)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            (name.to_owned(), serde_json::Value::String(text(&content.bytes)))
        });
        let mut yaml = yaml::emit(&serde_json::Value::Object(files.collect()));
        if yaml.ends_with('\n') {
            yaml.pop();
        }
        Ok(yaml)
    }

    fn lines(&self, call: &mut Call<'_>, path: &str) -> Result<List, CallError> {
        match self.contents.get(path).map(|content| &content.bytes[..]) {
            None => Ok(List::of_strings::<Str>([])),
            Some([]) => Err(CallError::of(LinesError)),
            Some(bytes) => {
                let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
                call.make(bytes.len() + lines.clone().count() * ENTRY_BYTES)?;
                Ok(List::of_strings(lines))
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
            let entries = self
                .contents
                .iter()
                .map(|(path, content)| (Str::from(Arc::clone(path)), content.value()));
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

    fn call(&self, call: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let path = go_template::string(args, 0).to_text();
        Ok(match name {
            "Get" => Value::str(self.bytes(&path)),
            "GetBytes" => match self.contents.get(&*path) {
                Some(content) => content.value(),
                None => Value::Bytes(Arc::default()),
            },
            "Glob" => Value::object(self.glob(call, &path)?),
            "Lines" => Value::List(self.lines(call, &path)?),
            "AsConfig" => {
                Value::from(self.yaml(call, |bytes| String::from_utf8_lossy(bytes).into_owned())?)
            }
            _ => Value::from(self.yaml(call, |bytes| STANDARD.encode(bytes))?),
        })
    }

    fn weight(&self) -> usize {
        if self.is_choice { self.contents.len() * ENTRY_BYTES } else { 0 }
    }
}
