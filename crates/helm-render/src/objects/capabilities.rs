//! `.Capabilities`.

use std::borrow::Cow;
use std::sync::Arc;

use go_template::{Call, CallError, List, Object, Signature, Str, Type, Value};
use helm_chart::Rules;

use crate::capabilities::{Capabilities, HelmVersion, KubeVersion};

/// The object that templates see.
pub(crate) fn capabilities(capabilities: &Capabilities, rules: Rules) -> Value {
    let api_versions = capabilities.api_versions.iter().map(Arc::clone);
    Value::object(CapabilitiesObject {
        kube_version: Value::object(KubeVersionObject {
            version: capabilities.kube_version.clone(),
            rules,
        }),
        api_versions: Value::object(VersionSet { list: List::of_strings(api_versions), rules }),
        helm_version: Value::object(BuildInfo(capabilities.helm_version.clone())),
        rules,
    })
}

/// The name of the Go package that a type is in.
fn go_type(rules: Rules, pointer: &str, name: &str) -> Cow<'static, str> {
    let package = match rules {
        Rules::Helm3 => "chartutil",
        Rules::Helm4 => "common",
    };
    Cow::Owned(format!("{pointer}{package}.{name}"))
}

#[derive(Debug)]
struct CapabilitiesObject {
    kube_version: Value,
    api_versions: Value,
    helm_version: Value,
    rules: Rules,
}

impl Object for CapabilitiesObject {
    fn type_name(&self) -> Cow<'static, str> {
        go_type(self.rules, "*", "Capabilities")
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(self.kube_version.clone()),
            "APIVersions" => Some(self.api_versions.clone()),
            "HelmVersion" => Some(self.helm_version.clone()),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        all_fields(self, &["KubeVersion", "APIVersions", "HelmVersion"])
    }
}

#[derive(Debug)]
struct KubeVersionObject {
    version: KubeVersion,
    rules: Rules,
}

impl KubeVersionObject {
    /// Helm 3 shows charts the version without what vendors add.
    fn version(&self) -> Value {
        let text = match self.rules {
            Rules::Helm3 => &self.version.normalized,
            Rules::Helm4 => &self.version.version,
        };
        Value::str(Arc::clone(text))
    }
}

impl Object for KubeVersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        go_type(self.rules, "", "KubeVersion")
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(self.version()),
            "Major" => Some(Value::str(Arc::clone(&self.version.major))),
            "Minor" => Some(Value::str(Arc::clone(&self.version.minor))),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        all_fields(self, &["Version", "Major", "Minor"])
    }

    fn method(&self, name: &str) -> Option<Signature> {
        matches!(name, "String" | "GitVersion").then(|| Signature::fixed([]))
    }

    fn call(&self, _: &mut Call<'_>, name: &str, _: &[Value]) -> Result<Value, CallError> {
        Ok(match name {
            "String" => Value::str(Arc::clone(&self.version.normalized)),
            _ => self.version(),
        })
    }

    /// Its `String` is a method of the pointer.
    fn printed(&self) -> Option<String> {
        Some(self.version.normalized.to_string())
    }

    fn printed_fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        let mut fields = self.fields();
        let normalized = Value::str(Arc::clone(&self.version.normalized));
        fields.insert(1, (Cow::Borrowed("normalizedVersion"), normalized));
        fields
    }
}

#[derive(Debug)]
struct VersionSet {
    list: List,
    rules: Rules,
}

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'static, str> {
        go_type(self.rules, "", "VersionSet")
    }

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn underlying(&self) -> Value {
        Value::List(self.list.clone())
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Has").then(|| Signature::fixed([Type::String]))
    }

    fn call(&self, call: &mut Call<'_>, _: &str, args: &[Value]) -> Result<Value, CallError> {
        call.session.spend(self.list.len() as u64 >> 3)?;
        let wanted = go_template::string(args, 0);
        let has = self.list.iter().any(|v| matches!(v, Value::Str(version) if version == wanted));
        Ok(Value::Bool(has))
    }
}

#[derive(Debug)]
struct BuildInfo(HelmVersion);

impl Object for BuildInfo {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("version.BuildInfo")
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, name: &str) -> Option<Value> {
        let text = match name {
            "Version" => &self.0.version,
            "GitCommit" => &self.0.git_commit,
            "GitTreeState" => &self.0.git_tree_state,
            "GoVersion" => &self.0.go_version,
            "KubeClientVersion" => &self.0.kube_client_version,
            _ => return None,
        };
        Some(Value::Str(Str::from(Arc::clone(text))))
    }

    /// By the names that they have in JSON, without those that are empty.
    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        let names =
            ["version", "git_commit", "git_tree_state", "go_version", "kube_client_version"];
        let fields = self.printed_fields().into_iter().zip(names);
        let fields = fields.map(|((_, value), name)| (Cow::Borrowed(name), value));
        fields.filter(|(_, value)| value.truth()).collect()
    }

    fn printed_fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        let names = ["Version", "GitCommit", "GitTreeState", "GoVersion", "KubeClientVersion"];
        all_fields(self, &names)
    }
}

fn all_fields(object: &dyn Object, names: &[&'static str]) -> Vec<(Cow<'static, str>, Value)> {
    let field = |name: &&'static str| Some((Cow::Borrowed(*name), object.field(name)?));
    names.iter().filter_map(field).collect()
}
