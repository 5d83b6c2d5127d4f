//! Semantic versions.

use std::borrow::Cow;

use go_template::{Call, CallError, Functions, IntKind, Object, Signature, Type, Value};
use semver_range::{Constraint, Version};

use crate::arguments::{ok, text};
use crate::error::FunctionError;

const S: Type = Type::String;
const TYPE_NAME: &str = "*semver.Version";

pub(crate) fn register(f: &mut Functions) {
    f.add("semver", [S], |_, a| {
        let version = Version::parse(&text(a, 0)).map_err(FunctionError::from)?;
        Ok(Value::object(Semver(version)))
    });
    f.add("semverCompare", [S, S], |_, a| {
        let constraint = Constraint::parse(&text(a, 0)).map_err(FunctionError::from)?;
        let version = Version::parse(&text(a, 1)).map_err(FunctionError::from)?;
        ok(constraint.check(&version))
    });
}

/// What `semver` gives: a version with methods.
#[derive(Clone, Debug)]
struct Semver(Version);

impl Object for Semver {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE_NAME.into()
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn text(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn json(&self) -> Option<serde_json::Value> {
        Some(self.0.to_string().into())
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let params = match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String"
            | "IncMajor" | "IncMinor" | "IncPatch" => vec![],
            "SetPrerelease" | "SetMetadata" => vec![S],
            "Compare" | "Equal" | "LessThan" | "LessThanEqual" | "GreaterThan"
            | "GreaterThanEqual" => vec![Type::Named(TYPE_NAME.into())],
            _ => return None,
        };
        Some(Signature::fixed(params))
    }

    fn call(&self, _: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let version = &self.0;
        let number = |n: u64| Value::Int(n.cast_signed(), IntKind::Uint64);
        let changed = |version: Result<Version, _>| {
            version.map(|v| Value::object(Self(v))).map_err(|e| FunctionError::from(e).into())
        };
        let raised = |version: Option<Version>| {
            Ok(version.map_or(Value::Nil, |version| Value::object(Self(version))))
        };
        let ordering = || args.first().and_then(Value::downcast::<Self>).map(|o| version.cmp(&o.0));
        let compared = |fits: fn(std::cmp::Ordering) -> bool| match ordering() {
            Some(ordering) => ok(fits(ordering)),
            None => Err(FunctionError::NilDereference.into()),
        };
        match name {
            "Major" => Ok(number(version.major())),
            "Minor" => Ok(number(version.minor())),
            "Patch" => Ok(number(version.patch())),
            "Prerelease" => ok(version.prerelease()),
            "Metadata" => ok(version.metadata()),
            "Original" => ok(version.original()),
            "IncMajor" => raised(version.inc_major()),
            "IncMinor" => raised(version.inc_minor()),
            "IncPatch" => raised(version.inc_patch()),
            "SetPrerelease" => changed(version.with_prerelease(&text(args, 0))),
            "SetMetadata" => changed(version.with_metadata(&text(args, 0))),
            "Equal" => compared(std::cmp::Ordering::is_eq),
            "LessThan" => compared(std::cmp::Ordering::is_lt),
            "LessThanEqual" => compared(std::cmp::Ordering::is_le),
            "GreaterThan" => compared(std::cmp::Ordering::is_gt),
            "GreaterThanEqual" => compared(std::cmp::Ordering::is_ge),
            "Compare" => match ordering() {
                Some(ordering) => Ok(Value::int(ordering as i64)),
                None => Err(FunctionError::NilDereference.into()),
            },
            _ => ok(version.to_string()),
        }
    }
}
