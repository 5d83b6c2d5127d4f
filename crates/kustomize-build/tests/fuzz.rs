//! Any tree is built or refused, and always alike.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use file_tree::{File, FileTree, TreePath};
use fuzz_input::{Corpus, Values, cases, check, soon};
use kustomize_build::json_patch::{self, Patch};
use kustomize_build::{Limits, Options, build};
use serde_json::{Map, Value, json};

const UNITS: &str = "kustomize-build/tests/tables/units-handwritten.json";
const PATCHES: &str = "kustomize-build/tests/tables/jsonpatch.json";

const LIMITS: Limits =
    Limits { depth: 16, files: 500, bytes: 4 << 20, resources: 1000, written_bytes: 16 << 20 };

/// Stands before each file of a tree that is one text.
const FILE: &str = "\n=== ";

fn run<'a>(root: &str, files: impl IntoIterator<Item = (&'a str, String)>) {
    let mut tree = FileTree::builder();
    for (path, text) in files {
        if let Ok(path) = TreePath::parse(path) {
            // One file may stand where another needs a directory.
            tree.file(&path, File { bytes: text.into(), executable: false }).ok();
        }
    }
    let tree = tree.build();
    let Ok(root) = TreePath::parse(root) else { return };
    for options in [Options::controller(), Options::command()] {
        let options = Options { limits: LIMITS, ..options };
        let built = soon(|| build(&tree, &root, &options));
        match &built {
            Ok(built) => drop(soon(|| built.to_yaml())),
            Err(error) => assert!(!error.message().is_empty()),
        }
        assert_eq!(soon(|| build(&tree, &root, &options)), built);
    }
}

/// The cases of a table: the root, and the text of each file.
fn units() -> Vec<(String, Map<String, Value>)> {
    let unit = |unit: &Value| {
        (unit["root"].as_str().unwrap().to_owned(), unit["files"].as_object().unwrap().clone())
    };
    cases(UNITS).as_array().unwrap().iter().map(unit).collect()
}

#[test]
fn trees_whose_text_is_nearly_right() {
    let texts = units().into_iter().map(|(root, files)| {
        let files =
            files.iter().map(|(name, text)| format!("{FILE}{name}\n{}", text.as_str().unwrap()));
        root + &files.collect::<String>()
    });
    check(100).with_generator(Corpus::of(texts).text()).for_each(|text| {
        let mut parts = text.split(FILE);
        let root = parts.next().unwrap_or_default();
        run(
            root,
            parts
                .filter_map(|part| part.split_once('\n'))
                .map(|(name, text)| (name, text.to_owned())),
        );
    });
}

#[test]
fn trees_whose_values_are_nearly_right() {
    let values = units().into_iter().map(|(root, files)| {
        let files: Map<String, Value> =
            files.into_iter().map(|(name, text)| (name, documents(text))).collect();
        json!({"root": root, "files": files})
    });
    check(200).with_generator(Values::of(values).value()).for_each(|tree| {
        let root = tree["root"].as_str().unwrap_or_default();
        let files = tree["files"].as_object().into_iter().flatten();
        run(root, files.map(|(name, content)| (name.as_str(), printed(content))));
    });
}

/// The documents of a file; the text of what is not YAML.
fn documents(text: Value) -> Value {
    let documents = yaml::documents(text.as_str().unwrap().as_bytes());
    let values: Result<Vec<Value>, _> = documents.map(|one| yaml::kyaml::parse(one.text)).collect();
    match values {
        Ok(values) if values.iter().all(Value::is_object) => Value::Array(values),
        _ => text,
    }
}

fn printed(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(documents) => {
            documents.iter().map(yaml::kyaml::emit).collect::<Vec<_>>().join("---\n")
        }
        other => yaml::kyaml::emit(other),
    }
}

#[test]
fn json_patches_that_are_nearly_right() {
    let documents = Values::of_table(PATCHES, "doc").value();
    let patches = Values::of_table(PATCHES, "patch").value();
    let version5 =
        json_patch::Options { ensure_path: true, allow_missing_remove: true, ..Default::default() };
    check(1000).with_generator((documents, patches)).for_each(|(document, patch)| {
        soon(|| {
            json_patch::merge_patch(&mut document.clone(), patch.clone());
            for options in [json_patch::Options::kustomize(), version5] {
                if let Ok(patch) = Patch::new(patch.clone(), options) {
                    drop(patch.apply(document.clone(), options));
                }
            }
        });
    });
}
