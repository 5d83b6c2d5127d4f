//! Slash-separated paths. The `os` variants are those of Linux, which are the same.

use go_template::{Functions, Type};

use crate::arguments::{ok, text};

const S: Type = Type::String;

pub(crate) fn register(f: &mut Functions) {
    for name in ["base", "osBase"] {
        f.add(name, [S], |_, a| ok(base(&text(a, 0))));
    }
    for name in ["dir", "osDir"] {
        f.add(name, [S], |_, a| {
            let path = text(a, 0);
            ok(clean(path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or_default()))
        });
    }
    for name in ["clean", "osClean"] {
        f.add(name, [S], |_, a| ok(clean(&text(a, 0))));
    }
    for name in ["ext", "osExt"] {
        f.add(name, [S], |_, a| {
            let path = text(a, 0);
            let file = path.rsplit('/').next().unwrap_or_default();
            ok(file.rfind('.').and_then(|dot| file.get(dot..)).unwrap_or_default())
        });
    }
    for name in ["isAbs", "osIsAbs"] {
        f.add(name, [S], |_, a| ok(text(a, 0).starts_with('/')));
    }
}

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
}

/// Go's `path.Clean`: the shortest path that means the same.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
