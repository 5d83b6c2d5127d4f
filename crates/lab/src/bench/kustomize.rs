//! What builds cost: `cargo xtask bench kustomize`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use file_tree::{File, FileTree, TreePath};
use kustomize_build::{Options, build};

use testbed::Usage;

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The objects of the larger builds; each number should be twice the one before.
    #[arg(long, value_delimiter = ',', default_value = "500,1000,2000,4000")]
    objects: Vec<usize>,
    /// Builds at once, for the small build.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
}

/// The files of a build, by path.
type Files = Vec<(String, String)>;

/// A shape of build that makes one part of the engine work.
struct Shape {
    name: &'static str,
    files: fn(usize) -> Files,
}

const SHAPES: [Shape; 6] = [
    Shape { name: "plain", files: plain },
    Shape { name: "name references", files: name_references },
    Shape { name: "patches by target", files: targeted_patches },
    Shape { name: "patches by name", files: named_patches },
    Shape { name: "replacements", files: replacements },
    Shape { name: "configMapGenerator", files: generators },
];

/// How long the small build is repeated for one figure.
const ROUND: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let kustomize = find_kustomize();
    if kustomize.is_none() {
        println!("no `kustomize` on PATH: ours alone");
    }
    let small = tree(&podinfo())?;
    for threads in &arguments.threads {
        let builds = repeat(&small, *threads)?;
        let rate = f64::from(builds) / ROUND.as_secs_f64();
        println!("podinfo (3 objects), {threads} at once: {rate:.0} builds/s");
    }
    if kustomize.is_some() {
        println!("kustomize, the whole program: {:.1} ms", millis(real(&podinfo())?));
    }
    println!(
        "\n{:20} {:>8} {:>10} {:>7} {:>14}",
        "shape", "objects", "ours, ms", "ratio", "kustomize, ms"
    );
    for shape in &SHAPES {
        let mut before: Option<Duration> = None;
        for count in &arguments.objects {
            let files = (shape.files)(*count);
            let ours = fastest(&tree(&files)?)?;
            let ratio = before.map_or_else(String::new, |before| {
                format!("{:.1}", ours.as_secs_f64() / before.as_secs_f64())
            });
            let theirs = match kustomize {
                Some(()) => format!("{:.0}", millis(real(&files)?)),
                None => String::new(),
            };
            println!("{:20} {count:>8} {:>10.1} {ratio:>7} {theirs:>14}", shape.name, millis(ours));
            before = Some(ours);
        }
    }
    let peak = Usage::of(std::process::id())?.peak_rss_bytes >> 20;
    println!("\npeak memory of this program: {peak} MiB");
    Ok(())
}

/// Builds and prints a tree three times; the fastest counts.
fn fastest(tree: &FileTree) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        once(tree)?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

fn once(tree: &FileTree) -> Result<usize> {
    let built = build(tree, &TreePath::ROOT, &Options::controller());
    let built = built.map_err(|error| anyhow!(error.message()))?;
    Ok(built.into_objects().map_err(|error| anyhow!(error.message()))?.len())
}

/// How often a tree is built within a round, by several threads.
fn repeat(tree: &FileTree, threads: usize) -> Result<u32> {
    once(tree)?;
    let until = Instant::now() + ROUND;
    std::thread::scope(|scope| {
        let work = || -> Result<u32> {
            let mut builds = 0;
            while Instant::now() < until {
                once(tree)?;
                builds += 1;
            }
            Ok(builds)
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let each = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err(anyhow!("a build panicked"))));
        each.sum()
    })
}

fn find_kustomize() -> Option<()> {
    let version = Command::new("kustomize").arg("version").stdout(Stdio::null()).status();
    version.ok().filter(std::process::ExitStatus::success).map(|_| ())
}

/// How long `kustomize build` takes.
fn real(files: &Files) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    for (path, text) in files {
        std::fs::write(folder.path().join(path), text)?;
    }
    let build = |folder: &Path| {
        Command::new("kustomize").arg("build").arg(folder).stdout(Stdio::null()).status()
    };
    let start = Instant::now();
    let status = build(folder.path())?;
    if status.success() { Ok(start.elapsed()) } else { Err(anyhow!("kustomize failed: {status}")) }
}

fn tree(files: &Files) -> Result<FileTree> {
    let mut tree = FileTree::builder();
    for (path, text) in files {
        let file = File { bytes: text.clone().into(), executable: false };
        tree.file(&TreePath::parse(path)?, file)?;
    }
    Ok(tree.build())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn files(kustomization: String, resources: String) -> Files {
    vec![("kustomization.yaml".to_owned(), kustomization), ("resources.yaml".to_owned(), resources)]
}

fn podinfo() -> Files {
    let resources = [deployment(0), service(0), config_map(0)].concat();
    let kustomization = "namespace: podinfo\nresources: [resources.yaml]\n\
        images: [{name: ghcr.io/stefanprodan/podinfo, newTag: 6.7.1}]\n\
        labels: [{pairs: {team: a}, includeSelectors: true}]\n";
    files(kustomization.to_owned(), resources)
}

fn plain(count: usize) -> Files {
    let kustomization = "namespace: a\nnamePrefix: x-\nresources: [resources.yaml]\n";
    files(kustomization.to_owned(), (0..count).map(config_map).collect())
}

fn name_references(count: usize) -> Files {
    let pair = |number| [deployment(number), config_map(number)].concat();
    let kustomization = "namePrefix: x-\nresources: [resources.yaml]\n";
    files(kustomization.to_owned(), (0..count / 2).map(pair).collect())
}

fn targeted_patches(count: usize) -> Files {
    let mut kustomization = "resources: [resources.yaml]\npatches:\n".to_owned();
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = writeln!(
            kustomization,
            "- target: {{kind: ConfigMap, name: config-{number}}}\n  \
             patch: '[{{\"op\": \"add\", \"path\": \"/data/b\", \"value\": \"c\"}}]'"
        );
    }
    files(kustomization, (0..count).map(config_map).collect())
}

fn named_patches(count: usize) -> Files {
    let mut kustomization = "resources: [resources.yaml]\npatchesStrategicMerge:\n".to_owned();
    for number in 0..count {
        let _ = writeln!(
            kustomization,
            "- '{{apiVersion: v1, kind: ConfigMap, metadata: {{name: config-{number}}}, data: {{b: c}}}}'"
        );
    }
    files(kustomization, (0..count).map(config_map).collect())
}

fn replacements(count: usize) -> Files {
    let mut kustomization = "resources: [resources.yaml]\nreplacements:\n".to_owned();
    for number in 0..count / 2 {
        let _ = writeln!(
            kustomization,
            "- source: {{kind: ConfigMap, name: config-{number}, fieldPath: data.a}}\n  targets:\n  \
             - {{select: {{kind: Service, name: service-{number}}}, fieldPaths: [spec.type]}}"
        );
    }
    let pair = |number| [service(number), config_map(number)].concat();
    files(kustomization, (0..count / 2).map(pair).collect())
}

fn generators(count: usize) -> Files {
    let mut kustomization = "resources: [resources.yaml]\nconfigMapGenerator:\n".to_owned();
    for number in 0..count / 2 {
        let _ =
            writeln!(kustomization, "- {{name: config-{number}, literals: [a=b, c=d{number}]}}");
    }
    files(kustomization, (0..count / 2).map(deployment).collect())
}

fn config_map(number: usize) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{number}\ndata:\n  a: b\n---\n"
    )
}

fn service(number: usize) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: service-{number}\nspec:\n  type: ClusterIP\n  \
         selector:\n    app: app-{number}\n  ports:\n  - name: http\n    port: 80\n    targetPort: http\n---\n"
    )
}

fn deployment(number: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\nspec:\n  replicas: 2\n  \
         selector:\n    matchLabels:\n      app: app-{number}\n  template:\n    metadata:\n      labels:\n        \
         app: app-{number}\n    spec:\n      containers:\n      - name: app\n        \
         image: ghcr.io/stefanprodan/podinfo:6.5.0\n        command: [./podinfo, --port=9898, --level=info]\n        \
         ports:\n        - name: http\n          containerPort: 9898\n          protocol: TCP\n        \
         envFrom:\n        - configMapRef:\n            name: config-{number}\n        \
         resources:\n          limits: {{cpu: 2000m, memory: 512Mi}}\n          requests: {{cpu: 100m, memory: 64Mi}}\n---\n"
    )
}
