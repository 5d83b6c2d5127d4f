//! Building the programs from the Go module registry.

use crate::{KUBERNETES_VERSION, Program, cache_dir};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Why the programs could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// `go` is not on the PATH.
    #[error(
        "Go is missing: the local control plane is built from its Go modules. Install Go 1.26 or newer \
         (https://go.dev/dl, or your distribution's `golang` package) and run `cargo xtask setup` again"
    )]
    GoMissing(#[source] io::Error),
    /// `go build` ended with an error, which it has printed.
    #[error(
        "`go build {package}` failed; the lines above say why (it needs the Go module registry, or GOPROXY)"
    )]
    Go {
        /// The package that was being built.
        package: &'static str,
    },
    /// The cache directory cannot be written.
    #[error("cannot write {}", path.display())]
    Cache {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// The Go module below `crates/testbed/programs`, and the package in it.
const fn recipe(program: Program) -> (&'static str, &'static str) {
    match program {
        Program::Etcd => ("etcd", "go.etcd.io/etcd/server/v3"),
        Program::KubeApiserver => ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
        Program::KubeControllerManager => {
            ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager")
        }
        Program::Kubectl => ("kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
        Program::Kwok => ("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        Program::Helm => ("helm", "helm.sh/helm/v4/cmd/helm"),
        Program::Helm3 => ("helm3", "helm.sh/helm/v3/cmd/helm"),
        Program::Registry => ("registry", "github.com/google/go-containerregistry/cmd/registry"),
        Program::Sops => ("sops", "github.com/getsops/sops/v3/cmd/sops"),
        Program::Age => ("age", "filippo.io/age/cmd/age"),
        Program::AgeKeygen => ("age", "filippo.io/age/cmd/age-keygen"),
        Program::Alertmanager => {
            ("alertmanager", "github.com/prometheus/alertmanager/cmd/alertmanager")
        }
        Program::NatsServer => ("nats", "github.com/nats-io/nats-server/v2"),
    }
}

/// Builds those of `programs` that are missing or were built from other versions. Safe to repeat and to run twice at once:
/// a program appears in the cache by a rename, complete or not at all.
///
/// `progress` gets one line per step.
///
/// # Errors
/// If Go is missing, a build fails or the cache cannot be written.
pub fn build(
    repository: &Path,
    programs: &[Program],
    progress: &mut dyn FnMut(&str),
) -> Result<(), BuildError> {
    let stale: Vec<_> = programs.iter().copied().filter(|p| !is_fresh(repository, *p)).collect();
    if stale.is_empty() {
        return Ok(());
    }
    let go = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    go.map_err(BuildError::GoMissing)?;
    let dir = cache_dir();
    fs::create_dir_all(&dir).map_err(|source| BuildError::Cache { path: dir.clone(), source })?;
    for (n, program) in stale.iter().enumerate() {
        let name = program.name();
        progress(&format!("[{}/{}] building {name} with Go …", n + 1, stale.len()));
        let start = Instant::now();
        build_one(repository, &dir, *program)?;
        progress(&format!(
            "[{}/{}] {name} built in {:.0} s",
            n + 1,
            stale.len(),
            start.elapsed().as_secs_f32()
        ));
    }
    progress(&format!("the programs are in {}", dir.display()));
    Ok(())
}

fn build_one(repository: &Path, dir: &Path, program: Program) -> Result<(), BuildError> {
    let (module, package) = recipe(program);
    let partial = dir.join(format!(".{}.{}", program.name(), std::process::id()));
    let done = Command::new("go")
        .current_dir(module_dir(repository, module))
        .env("CGO_ENABLED", "0")
        // A build must not edit the module files, which are what the stamp compares.
        .env("GOFLAGS", "-mod=readonly")
        .args(["build", "-trimpath", "-ldflags", &linker_flags(module), "-o"])
        .arg(&partial)
        .arg(package)
        .status()
        .map_err(BuildError::GoMissing)?;
    if !done.success() {
        return Err(BuildError::Go { package });
    }
    let target = dir.join(program.name());
    let cache = |source| BuildError::Cache { path: target.clone(), source };
    fs::rename(&partial, &target).map_err(cache)?;
    // The stamp comes after the program: a stamp without its program would be believed.
    let new_stamp = dir.join(format!(".{}.stamp.{}", program.name(), std::process::id()));
    fs::write(&new_stamp, stamp_text(repository, program)).map_err(cache)?;
    fs::rename(&new_stamp, stamp_path(program)).map_err(cache)
}

/// Without the version the API server would call itself v0.0.0-master and clients would refuse it.
fn linker_flags(module: &str) -> String {
    let mut flags = "-s -w".to_owned();
    if module == "kubernetes" {
        let minor = KUBERNETES_VERSION.split('.').nth(1).unwrap_or_default();
        for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
            let set = [
                format!(" -X {package}.gitVersion=v{KUBERNETES_VERSION}"),
                format!(" -X {package}.gitMajor=1"),
                format!(" -X {package}.gitMinor={minor}"),
                format!(" -X {package}.gitTreeState=clean"),
            ];
            flags.extend(set);
        }
    }
    flags
}

fn module_dir(repository: &Path, module: &str) -> PathBuf {
    repository.join("crates/testbed/programs").join(module)
}

fn is_fresh(repository: &Path, program: Program) -> bool {
    cache_dir().join(program.name()).is_file()
        && fs::read_to_string(stamp_path(program))
            .is_ok_and(|stamp| stamp == stamp_text(repository, program))
}

fn stamp_path(program: Program) -> PathBuf {
    cache_dir().join(format!("{}.stamp", program.name()))
}

/// What a program was built from. Whole files instead of a hash: no hash function is needed, and
/// `diff` shows what changed.
fn stamp_text(repository: &Path, program: Program) -> String {
    let (module, package) = recipe(program);
    let file =
        |name| fs::read_to_string(module_dir(repository, module).join(name)).unwrap_or_default();
    format!("{package}\n{}\n{}", file("go.mod"), file("go.sum"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_programs_know_their_version() {
        assert!(linker_flags("kubernetes").contains(".gitVersion=v1.34.3"));
        assert_eq!(linker_flags("etcd"), "-s -w");
    }

    #[test]
    fn the_stamp_follows_the_module_files() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let stamp = stamp_text(&repository, Program::Etcd);
        assert!(stamp.contains("go.etcd.io/etcd/server/v3 v3.6"), "{stamp}");
    }
}
