//! `.Chart`.

use std::borrow::Cow;

use go_template::{Elem, Entries, Integers, Map, Object, Str, Value};
use helm_chart::{Dependency, Maintainer, Metadata, Rules};

/// The chart's metadata as templates see it: a map in Helm 4, a struct in Helm 3.
pub(crate) fn chart(metadata: &Metadata, is_root: bool, rules: Rules) -> Value {
    let fields = fields(metadata, is_root);
    match rules {
        Rules::Helm4 => Value::map(fields),
        Rules::Helm3 => Value::object(ChartStruct(fields)),
    }
}

fn fields(md: &Metadata, is_root: bool) -> Vec<(&'static str, Value)> {
    let annotations = match &md.annotations {
        None => Value::Map(Map::nil(Elem::String)),
        Some(texts) => {
            let texts = texts.iter().map(|(key, value)| (Str::from(key.as_str()), text(value)));
            Value::Map(Map::typed(Elem::String, texts.collect::<Entries>()))
        }
    };
    vec![
        ("Name", text(&md.name)),
        ("Home", text(&md.home)),
        ("Sources", texts(&md.sources)),
        ("Version", text(&md.version)),
        ("Description", text(&md.description)),
        ("Keywords", texts(&md.keywords)),
        ("Maintainers", Value::list(md.maintainers.iter().map(maintainer).collect())),
        ("Icon", text(&md.icon)),
        ("APIVersion", text(&md.api_version)),
        ("Condition", text(&md.condition)),
        ("Tags", text(&md.tags)),
        ("AppVersion", text(&md.app_version)),
        ("Deprecated", Value::Bool(md.deprecated)),
        ("Annotations", annotations),
        ("KubeVersion", text(&md.kube_version)),
        ("Dependencies", Value::list(md.dependencies.iter().flatten().map(dependency).collect())),
        ("Type", text(&md.kind)),
        ("IsRoot", Value::Bool(is_root)),
    ]
}

fn maintainer(m: &Maintainer) -> Value {
    Value::map([("Name", text(&m.name)), ("Email", text(&m.email)), ("URL", text(&m.url))])
}

fn dependency(d: &Dependency) -> Value {
    let imports = d.import_values.iter().map(|v| Value::from_json(v, Integers::Int64));
    Value::map([
        ("Name", text(&d.name)),
        ("Version", text(&d.version)),
        ("Repository", text(&d.repository)),
        ("Condition", text(&d.condition)),
        ("Tags", texts(&d.tags)),
        ("Enabled", Value::Bool(d.enabled)),
        ("ImportValues", Value::list(imports.collect())),
        ("Alias", text(&d.alias)),
    ])
}

fn text(text: &str) -> Value {
    Value::str(text)
}

fn texts(texts: &[String]) -> Value {
    Value::list(texts.iter().map(|t| text(t)).collect())
}

/// A struct: asking for a field that it does not have is an error.
#[derive(Debug)]
struct ChartStruct(Vec<(&'static str, Value)>);

impl Object for ChartStruct {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("struct { chart.Metadata; IsRoot bool }")
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        self.0.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect()
    }
}
