//! Kustomizations that want to escape, to loop or to cost too much.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use file_tree::{File, FileTree, TreePath};
use kustomize_build::{Built, Error, Options, build};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
/// What every answer may take, on a busy machine and without optimization.
const PATIENCE: Duration = Duration::from_secs(20);

fn tree(files: &[(&str, &str)]) -> FileTree {
    let mut tree = FileTree::builder();
    for (path, text) in files {
        let file = File { bytes: (*text).to_owned().into(), executable: false };
        tree.file(&TreePath::parse(path).unwrap(), file).unwrap();
    }
    tree.build()
}

fn built(files: &[(&str, &str)], root: &str, options: &Options) -> Result<Built, Error> {
    let tree = tree(files);
    let start = Instant::now();
    let built = build(&tree, &TreePath::parse(root).unwrap(), options);
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    built
}

fn refused(files: &[(&str, &str)], root: &str) -> String {
    built(files, root, &Options::controller()).unwrap_err().message()
}

/// The options of a build that may write a mebibyte.
fn frugal() -> Options {
    let mut options = Options::controller();
    options.limits.written_bytes = 1 << 20;
    options
}

const OVERSPENT: &str = "the build needs more than 1048576 written bytes";

#[test]
fn no_field_reads_outside_of_the_tree() {
    for field in [
        "resources: [PATH]",
        "bases: [PATH]",
        "components: [PATH]",
        "crds: [PATH]",
        "configurations: [PATH]",
        "openapi: {path: PATH}",
        "generators: [PATH]",
        "transformers: [PATH]",
        "validators: [PATH]",
        "patches: [{path: PATH, target: {kind: ConfigMap}}]",
        "patchesStrategicMerge: [PATH]",
        "patchesJson6902: [{path: PATH, target: {version: v1, kind: ConfigMap, name: a}}]",
        "replacements: [{path: PATH}]",
        "configMapGenerator: [{name: g, files: [PATH]}]",
        "configMapGenerator: [{name: g, envs: [PATH]}]",
        "secretGenerator: [{name: g, files: [k=PATH]}]",
    ] {
        for path in ["/etc/passwd", "../../../etc/passwd", "../x/../../etc/passwd"] {
            let kustomization = field.replace("PATH", path);
            let files = [("app/kustomization.yaml", kustomization.as_str())];
            let message = refused(&files, "app");
            assert!(message.contains("passwd"), "{kustomization}: {message}");
        }
    }
}

#[test]
fn nothing_is_fetched_or_executed() {
    for (kustomization, words) in [
        ("resources: [https://example.com/a.yaml]", "resources: remote base"),
        ("resources: ['github.com/a/b?ref=v1']", "resources: remote base"),
        ("components: ['git@example.com:a/b']", "components: remote base"),
        ("helmCharts: [{name: a}]", "helmCharts"),
        (
            "generators: [\"{apiVersion: v1, kind: X, metadata: {name: x, annotations: \
             {config.kubernetes.io/function: 'exec: {path: ./x}'}}}\"]",
            "external plugins disabled; unable to load external plugin 'X'",
        ),
        (
            "transformers: [\"{apiVersion: v1, kind: X, metadata: {name: x, annotations: \
             {config.kubernetes.io/function: 'container: {image: x}'}}}\"]",
            "external plugins disabled; unable to load external plugin 'X'",
        ),
    ] {
        let message = refused(&[("kustomization.yaml", kustomization)], "");
        assert!(message.contains(words), "{kustomization}: {message}");
    }
}

#[test]
fn a_cycle_is_told_with_its_path() {
    let files = [
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a]\n"),
    ];
    let message = refused(&files, "a");
    assert!(message.contains("cycle detected: candidate root '/a'"), "{message}");
}

#[test]
fn deep_bases_end_at_the_limit() {
    let mut files = vec![("kustomization.yaml".to_owned(), "resources: [d0]\n".to_owned())];
    let mut path = "d0".to_owned();
    for _ in 0..100 {
        files.push((format!("{path}/kustomization.yaml"), "resources: [d0]\n".to_owned()));
        path.push_str("/d0");
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let message = refused(&files, "");
    assert_eq!(message, "the build needs more than 64 kustomizations inside each other");
}

#[test]
fn bases_that_multiply_end_at_the_limit() {
    // Each level builds the one below twice, so 40 levels would be 2^40 builds.
    let mut files = vec![(
        "l0/kustomization.yaml".to_owned(),
        "namePrefix: x-\nresources: [a.yaml]\n".to_owned(),
    )];
    files.push(("l0/a.yaml".to_owned(), MAP.to_owned()));
    for level in 1..40 {
        let below = format!("resources: [../l{0}, ../p{0}]\n", level - 1);
        files.push((format!("l{level}/kustomization.yaml"), below.clone()));
        files.push((
            format!("p{level}/kustomization.yaml"),
            below + &format!("namePrefix: z{level}-\n"),
        ));
    }
    files.push((
        "p0/kustomization.yaml".to_owned(),
        "namePrefix: z-\nresources: [../o]\n".to_owned(),
    ));
    files.push(("o/kustomization.yaml".to_owned(), "resources: [a.yaml]\n".to_owned()));
    files.push(("o/a.yaml".to_owned(), MAP.to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let message = refused(&files, "l39");
    assert_eq!(message, "the build needs more than 20000 files");
}

#[test]
fn a_yaml_bomb_is_no_resource() {
    let mut bomb = "apiVersion: v1\nkind: X\nmetadata: {name: a}\na0: &a0 [x]\n".to_owned();
    for level in 1..30 {
        let below = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", [below.as_str(); 9].join(",")).unwrap();
    }
    let files = [("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", bomb.as_str())];
    let message = refused(&files, "");
    assert!(message.contains("excessive aliasing"), "{message}");
}

#[test]
fn patches_that_multiply_end_at_a_limit() {
    let mut patch = "[".to_owned();
    for copy in 0..60 {
        write!(patch, r#"{{"op":"copy","from":"/data","path":"/data/x{copy}"}},"#).unwrap();
    }
    patch.pop();
    patch.push(']');
    let kustomization = format!(
        "resources: [a.yaml]\npatches: [{{target: {{kind: ConfigMap}}, patch: '{patch}'}}]\n"
    );
    let map = format!("{MAP}data: {{a: b, c: d}}\n");
    let files = [("kustomization.yaml", kustomization.as_str()), ("a.yaml", map.as_str())];
    let message = refused(&files, "");
    assert!(message.contains("the patch copies more than 67108864 bytes"), "{message}");
}

/// What one field says goes to every resource, or to every field that it selects.
#[test]
fn what_is_written_again_and_again_ends_at_a_limit() {
    let object = |n: usize| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{n}}}\nspec: {{serviceAccountName: sa, \
             containers: [{{name: a, image: old, command: [$(V)]}}]}}\n---\n"
        )
    };
    let objects = (0..100).map(object).collect::<Vec<_>>().concat();
    let account =
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa, annotations: {v: LONG}}\n";
    let generator = |n: usize| format!("{{name: g{n}, literals: [a=b]}},");
    let generators = (0..100).map(generator).collect::<Vec<_>>().concat();
    let generated = format!(
        "generatorOptions: {{annotations: {{a: LONG}}}}\nconfigMapGenerator: [{generators}]\n"
    );
    for field in [
        "commonAnnotations: {a: LONG}",
        "commonLabels: {a: LONG}",
        "labels: [{pairs: {a: LONG}}]",
        "namespace: LONG",
        "nameSuffix: LONG",
        "images: [{name: old, newName: LONG}]",
        "patches: [{target: {kind: Pod}, patch: '{kind: Pod, metadata: {name: x}, spec: {a: LONG}}'}]",
        r#"patches: [{target: {kind: Pod}, patch: '[{"op": "add", "path": "/spec/a", "value": "LONG"}]'}]"#,
        "patchesJson6902: [{target: {version: v1, kind: ServiceAccount, name: sa}, patch: '[{\"op\": \"add\", \
         \"path\": \"/a\", \"value\": \"LONG\"}]'}]\nreplacements: [{source: {kind: ServiceAccount, fieldPath: a}, \
         targets: [{select: {kind: Pod}, fieldPaths: [spec.a], options: {create: true}}]}]",
        "vars: [{name: V, objref: {apiVersion: v1, kind: ServiceAccount, name: sa}, fieldref: \
         {fieldPath: 'metadata.annotations.v'}}]",
        "patches: [{target: {kind: ServiceAccount}, options: {allowNameChange: true}, patch: \
         '{apiVersion: v1, kind: ServiceAccount, metadata: {name: LONG}}'}]",
        "transformers: ['{apiVersion: builtin, kind: ValueAddTransformer, metadata: {name: a}, value: \
         LONG, targets: [{selector: {kind: Pod}, fieldPath: spec/a}]}']",
        generated.as_str(),
    ] {
        let answer = |length: usize| {
            let long = "l".repeat(length);
            let kustomization =
                format!("resources: [a.yaml, p.yaml]\n{}\n", field.replace("LONG", &long));
            let account = account.replace("LONG", &long);
            let files = [
                ("kustomization.yaml", kustomization.as_str()),
                ("a.yaml", account.as_str()),
                ("p.yaml", objects.as_str()),
            ];
            built(&files, "", &frugal()).map_err(|error| error.message())
        };
        assert!(answer(20).is_ok(), "{field}: {:?}", answer(20));
        assert_eq!(answer(20 << 10), Err(OVERSPENT.to_owned()), "{field}");
    }
}

#[test]
fn what_is_much_longer_when_it_is_printed_ends_at_a_limit() {
    let (open, close) = ("[".repeat(200), "]".repeat(200));
    let deep = format!("{MAP}data: {open}{}{close}\n", "a,".repeat(10_000));
    let files = [("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", deep.as_str())];
    assert_eq!(built(&files, "", &frugal()).unwrap_err().message(), OVERSPENT);
}

#[test]
fn the_fields_of_many_transformers_end_at_a_limit() {
    let specs = "{path: spec/a},".repeat(200);
    let images = "{name: a, newTag: b},".repeat(100);
    let kustomization =
        format!("resources: [a.yaml]\nconfigurations: [c.yaml]\nimages: [{images}]\n");
    let spec = |n: usize| format!("{{path: spec/a{n}}},");
    let numbered = (0..200).map(spec).collect::<Vec<_>>().concat();
    for (specs, is_refused) in [(specs, false), (numbered, true)] {
        let files = [
            ("kustomization.yaml", kustomization.as_str()),
            ("c.yaml", &format!("images: [{specs}]\n")),
            ("a.yaml", MAP),
        ];
        let answer = built(&files, "", &frugal());
        assert_eq!(answer.is_err_and(|error| error.message() == OVERSPENT), is_refused);
    }
}

#[test]
fn replacements_that_double_end_at_a_limit() {
    let text = "{source: {kind: ConfigMap, fieldPath: data.x}, targets: [{select: {kind: ConfigMap}, \
                fieldPaths: [data.x], options: {delimiter: ',', index: 1000000}}]}";
    let object = "{source: {kind: ConfigMap, fieldPath: data}, targets: [{select: {kind: \
                  ConfigMap}, fieldPaths: [data.y, data.z], options: {create: true}}]}";
    for replacement in [text, object] {
        let all = [replacement; 60].join(",");
        let kustomization = format!("resources: [a.yaml]\nreplacements: [{all}]\n");
        let map = format!("{MAP}data: {{x: '0123456789'}}\n");
        let files = [("kustomization.yaml", kustomization.as_str()), ("a.yaml", map.as_str())];
        assert_eq!(built(&files, "", &frugal()).unwrap_err().message(), OVERSPENT);
    }
}

#[test]
fn a_schema_stays_in_its_build() {
    let schema = r#"{"definitions": {"v1.Pod": {"properties": {"spec": {"properties":
        {"containers": {"type": "array"}}}},
        "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}]}}}"#;
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: a}]}\n";
    let patch = "patches: [{patch: '{apiVersion: v1, kind: Pod, metadata: {name: p}, \
                 spec: {containers: [{name: b, image: b}]}}'}]\nresources: [p.yaml]\n";
    let polluting = format!("openapi: {{path: s.json}}\n{patch}");
    let printed = |kustomization: &str| {
        let files = [("kustomization.yaml", kustomization), ("p.yaml", pod), ("s.json", schema)];
        built(&files, "", &Options::command()).unwrap().to_yaml()
    };
    let alone = (printed(&polluting), printed(patch));
    assert_eq!((alone.0.matches("image:").count(), alone.1.matches("image:").count()), (1, 2));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..250).for_each(|_| assert_eq!(printed(&polluting), alone.0)));
            scope.spawn(|| (0..250).for_each(|_| assert_eq!(printed(patch), alone.1)));
        }
    });
}

#[test]
fn a_remote_file_is_used_only_if_it_was_brought_along() {
    let url = "https://example.com/a.yaml";
    let kustomization = format!("namePrefix: p-\nresources: ['{url}']\n");
    let files = [("kustomization.yaml", kustomization.as_str())];
    let mut options = Options::controller();
    let error = built(&files, "", &options).unwrap_err();
    assert_eq!(error.missing_base(), Some(url));
    options.remote_bases.insert_file(url.to_owned(), MAP.into());
    assert!(built(&files, "", &options).unwrap().to_yaml().contains("name: p-a"));
    options.limits.bytes = kustomization.len() as u64;
    let message = built(&files, "", &options).unwrap_err().message();
    assert!(message.contains("bytes"), "{message}");
}

#[test]
fn a_remote_base_is_used_only_if_it_was_brought_along() {
    let url = "https://example.com/a//base?ref=v1";
    let kustomization = format!("namePrefix: p-\nresources: ['{url}']\n");
    let files = [("kustomization.yaml", kustomization.as_str())];
    let mut options = Options::controller();
    let error = built(&files, "", &options).unwrap_err();
    assert_eq!(error.missing_base(), Some(url));
    assert!(error.message().contains("is refused"), "{}", error.message());

    // The base may use its own repository, and neither the source nor, for ever, itself.
    let bring = |options: &mut Options, base: &str| {
        let files = [("base/kustomization.yaml", base), ("a.yaml", MAP)];
        options.remote_bases.insert(url.to_owned(), tree(&files), TreePath::parse("base").unwrap());
    };
    bring(&mut options, "resources: [../a.yaml]\n");
    assert!(built(&files, "", &options).unwrap().to_yaml().contains("name: p-"));
    for (base, problem) in [
        ("resources: [../../kustomization.yaml]\n".to_owned(), "is not in or below"),
        (kustomization.clone(), "kustomizations inside each other"),
    ] {
        bring(&mut options, &base);
        let message = built(&files, "", &options).unwrap_err().message();
        assert!(message.contains(problem), "{message}");
    }
}
