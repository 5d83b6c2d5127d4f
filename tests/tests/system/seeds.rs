//! The manifests of real users are accepted, and none of their fields is dropped.

use serde_json::Value;
use system_tests::{Ground, repository_root};

/// Slips of the authors: no version of Flux has had these, and its API server drops them too.
const NEVER_FIELDS: &[&str] = &["spec.chart.spec.sourceRef.url"];

/// Where the manifests of real users are, seen from the root of the checkout.
const FOLDER: &str = "../shared/seeds";
const ABSENT: &str = "NOT COMPARED: the seeds (../shared/seeds) are not beside the checkout";

/// What a user wrote; none, with a notice, if the seeds are not there.
#[expect(clippy::print_stdout, reason = "who reads the test's output shall know")]
pub(crate) fn text(name: &str) -> Option<String> {
    let Ok(text) = std::fs::read_to_string(repository_root().join(FOLDER).join(name)) else {
        println!("{ABSENT}");
        return None;
    };
    // One author's editor put tabs where YAML allows none.
    Some(text.replace('\t', "  "))
}

#[test]
fn every_manifest_of_the_seeds_is_accepted_whole() {
    let Ok(entries) = std::fs::read_dir(repository_root().join(FOLDER)) else {
        println!("{ABSENT}");
        return;
    };
    let cluster = Ground::shared().cluster();
    let namespace = cluster.namespace("seeds").unwrap();
    let mut accepted = 0;
    for entry in entries {
        let name = entry.unwrap().file_name();
        let text = text(name.to_str().unwrap()).unwrap();
        for manifest in documents(&text) {
            // The namespace does not exist here.
            let lines = manifest.lines().filter(|line| !line.starts_with("  namespace:"));
            let manifest: String = lines.flat_map(|line| [line, "\n"]).collect();
            let json =
                ["-n", namespace.name(), "create", "-o", "json", "--validate=false", "-f", "-"];
            let run = |side: &str| {
                let args = [&json[..], &[side]].concat();
                let printed = cluster.kubectl_with_input(&args, &manifest);
                let printed = printed.unwrap_or_else(|e| panic!("{e:#}:\n{manifest}"));
                serde_json::from_str::<Value>(&printed).unwrap()
            };
            let (sent, kept) = (run("--dry-run=client"), run("--dry-run=server"));
            let mut lost = lost(&sent["spec"], &kept["spec"], "spec");
            lost.retain(|path| !NEVER_FIELDS.contains(&path.as_str()));
            assert_eq!(lost, Vec::<String>::new(), "{manifest}");
            accepted += 1;
        }
    }
    assert!(accepted > 10, "only {accepted} manifests were found");
    println!("{accepted} manifests accepted");
}

/// The documents in a text that are objects of ours, without their indentation.
pub(crate) fn documents(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let version = line.trim_start();
        if !version.starts_with("apiVersion: ") || !version.contains(".toolkit.fluxcd.io/") {
            continue;
        }
        let depth = indent(line);
        let inside = |line: &&&str| {
            let ends = line.trim() == "---" || line.trim_start().starts_with("```");
            !ends && (line.trim().is_empty() || indent(line) >= depth)
        };
        let start = n - lines[..n].iter().rev().take_while(inside).count();
        let end = n + lines[n..].iter().take_while(inside).count();
        let document = lines[start..end].iter().map(|line| line.get(depth..).unwrap_or_default());
        let document: Vec<_> = document.collect();
        if document.iter().any(|line| line.starts_with("spec:")) {
            found.push(filled_in(&document.join("\n")));
        }
    }
    found
}

/// Takes the first of the choices in `<this|that>`, and an address for `<url>`.
fn filled_in(document: &str) -> String {
    let mut parts = document.split('<');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('>') {
            Some(("url", rest)) => text.extend(["https://example.com", rest]),
            Some((choices, rest)) if !choices.contains('\n') => {
                text.extend([choices.split('|').next().unwrap_or_default(), rest]);
            }
            _ => text.extend(["<", part]),
        }
    }
    text
}

/// The fields that were sent and are not kept. Defaults may be added, and numbers may be rewritten.
fn lost(sent: &Value, kept: &Value, path: &str) -> Vec<String> {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => sent
            .iter()
            .flat_map(|(key, value)| match kept.get(key) {
                Some(other) => lost(value, other, &format!("{path}.{key}")),
                None => vec![format!("{path}.{key}")],
            })
            .collect(),
        (Value::Array(sent), Value::Array(kept)) if sent.len() == kept.len() => {
            let pairs = sent.iter().zip(kept).enumerate();
            pairs.flat_map(|(n, (a, b))| lost(a, b, &format!("{path}[{n}]"))).collect()
        }
        (sent, kept) if sent == kept => Vec::new(),
        (sent, kept) => vec![format!("{path}: {sent} became {kept}")],
    }
}
