//! `.Values`: a map with a few methods.

use std::borrow::Cow;

use go_template::{Call, CallError, Elem, Map, Object, Signature, Type, Value};
use helm_chart::Rules;

/// Helm's `Values`. The map is shared with whoever else sees these values.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) map: Map,
    pub(crate) rules: Rules,
}

/// Why a path leads nowhere. The words are Helm's.
#[derive(Debug, thiserror::Error)]
enum PathError {
    #[error("{0:?} is not a table")]
    NoTable(String),
    #[error("{0:?} is not a value")]
    NoValue(String),
    #[error("YAML path cannot be empty")]
    Empty,
}

impl Values {
    fn table(&self, path: &str) -> Result<Map, PathError> {
        path.split('.').try_fold(self.map.clone(), |map, key| match map.get(key.as_bytes()) {
            Some(Value::Map(inner)) => Ok(inner),
            _ => Err(PathError::NoTable(key.to_owned())),
        })
    }

    fn path_value(&self, path: &str) -> Result<Value, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        let (above, key) = path.rsplit_once('.').map_or((None, path), |(a, k)| (Some(a), k));
        let no_value = || PathError::NoValue(key.to_owned());
        let map = above.map_or_else(|| Ok(self.map.clone()), |above| self.table(above));
        match map.map_err(|_no_table| no_value())?.get(key.as_bytes()) {
            Some(Value::Map(_)) | None => Err(no_value()),
            Some(value) => Ok(value),
        }
    }

    fn with(&self, map: Map) -> Value {
        Value::object(Self { map, rules: self.rules })
    }
}

impl Object for Values {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.rules {
            Rules::Helm3 => "chartutil.Values",
            Rules::Helm4 => "common.Values",
        })
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn underlying(&self) -> Value {
        Value::Map(self.map.clone())
    }

    fn view_of(&self) -> Option<Map> {
        Some(self.map.clone())
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "AsMap" | "YAML" => Some(Signature::fixed([])),
            "Table" | "PathValue" => Some(Signature::fixed([Type::String])),
            _ => None,
        }
    }

    fn call(&self, call: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let path = go_template::string(args, 0).to_text();
        match name {
            "AsMap" => Ok(Value::Map(self.map.clone())),
            "YAML" => {
                let json = Value::Map(self.map.clone()).to_json()?;
                let text = yaml::emit(&json);
                call.session.spend(text.len() as u64 >> 1)?;
                Ok(Value::from(text))
            }
            "Table" => self.table(&path).map(|map| self.with(map)).map_err(CallError::of),
            _ => self.path_value(&path).map_err(CallError::of),
        }
    }

    fn assignable_to(&self, wanted: &Type) -> bool {
        *wanted == Type::Map(Elem::Any)
    }
}
