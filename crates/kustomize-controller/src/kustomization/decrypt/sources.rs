//! Files of a tree, decrypted before the build: what generators and patches read. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use crd_types::metadata::kustomize::DECRYPT;
use file_tree::{BuildError, File, FileTree, PathError, TreePath};
use kustomize_build::generate;
use serde_json::{Map, Value};
use sops_decrypt::{Format, Integrity, MAX_BYTES};

use super::Decryptor;
use super::objects::{self, SHORTEST_SECRET};

const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Why the files of a build cannot be decrypted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file that is named is not there.
    #[error("lstat {path}: no such file or directory")]
    Missing { path: TreePath },
    /// A file is too large.
    #[error("cannot decrypt file with size ({bytes} bytes) exceeding limit ({limit_bytes})")]
    TooLarge { bytes: usize, limit_bytes: usize },
    /// A kustomization cannot be read.
    #[error("failed to unmarshal kustomization file from '{path}'")]
    Kustomization {
        path: TreePath,
        #[source]
        source: yaml::Error,
    },
    /// A directory has no kustomization, or more than one.
    #[error("{problem} in '{directory}'")]
    Directory { directory: TreePath, problem: &'static str },
    /// A path leads out of the tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A file cannot be decrypted.
    #[error(transparent)]
    File(Box<sops_decrypt::Error>),
    /// A manifest is not as sops wrote it.
    #[error("{path}")]
    Manifest {
        path: TreePath,
        #[source]
        source: Box<sops_decrypt::Error>,
    },
    /// The tree cannot hold what was decrypted, which cannot happen: it replaces files.
    #[error(transparent)]
    Tree(#[from] BuildError),
}

/// A tree in which what generators and patches read is decrypted.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) tree: Arc<FileTree>,
    /// What was encrypted, which no message may show: a build that fails quotes what it reads.
    pub(crate) secrets: Vec<String>,
    /// A manifest that is not as sops wrote it. To be told once its objects were decrypted: what fails
    /// there has Flux's words.
    pub(crate) doubt: Option<Error>,
}

/// Decrypts files where they stand.
pub(super) fn decrypted(
    decryptor: &Decryptor,
    tree: &Arc<FileTree>,
    kustomization: &generate::Kustomization,
) -> Result<Sources, Error> {
    let (visited, files) = (BTreeSet::new(), BTreeMap::new());
    let mut walk = Walk { decryptor, tree, visited, files, doubt: None };
    walk.kustomization(kustomization.directory(), kustomization.fields())?;
    if walk.files.values().all(Option::is_none) {
        return Ok(Sources { tree: Arc::clone(tree), secrets: Vec::new(), doubt: walk.doubt });
    }
    let mut builder = tree.to_builder();
    let mut secrets = Vec::new();
    for (path, file) in walk.files {
        if let Some(file) = file {
            collect(&file.bytes, &mut secrets);
            builder.file(&path, file)?;
        }
    }
    Ok(Sources { tree: Arc::new(builder.build()), secrets, doubt: walk.doubt })
}

/// The texts of a file: all of it as Secrets hold it, its lines, and what these give a name to.
fn collect(plain: &[u8], secrets: &mut Vec<String>) {
    secrets.push(BASE64.encode(plain));
    for line in String::from_utf8_lossy(plain).lines().map(str::trim) {
        let value = line.split_once(['=', ':']).map_or("", |(_, value)| value);
        let value = value.trim().trim_matches(['"', '\'']);
        for text in [line, value].into_iter().filter(|text| text.len() >= SHORTEST_SECRET) {
            secrets.push(text.to_owned());
            secrets.push(BASE64.encode(text));
        }
    }
}

struct Walk<'a> {
    decryptor: &'a Decryptor,
    tree: &'a FileTree,
    /// Directories, so that cycles end here: the build will say so.
    visited: BTreeSet<TreePath>,
    /// Files that were looked at, with their plaintext if they were encrypted.
    files: BTreeMap<TreePath, Option<File>>,
    doubt: Option<Error>,
}

impl Walk<'_> {
    fn kustomization(
        &mut self,
        directory: &TreePath,
        fields: &Map<String, Value>,
    ) -> Result<(), Error> {
        let mut pending = vec![(directory.clone(), fields.clone())];
        self.visited.insert(directory.clone());
        while let Some((directory, fields)) = pending.pop() {
            self.generators(&directory, &fields)?;
            for path in list(&fields, "patches").filter_map(|patch| text(patch, "path")) {
                if !is_remote(path) {
                    self.file(&directory, path, Format::of_path(path))?;
                }
            }
            // Flux: what is no directory of the tree is somebody else's to complain of.
            for resource in list(&fields, "resources").chain(list(&fields, "components")) {
                let Some(path) = resource.as_str() else { continue };
                let Ok(path) = directory.join(path) else { continue };
                if self.tree.is_directory(&path) && self.visited.insert(path.clone()) {
                    pending.push((path.clone(), self.read(&path)?));
                } else if let Some(file) = self.tree.file(&path) {
                    self.resource(&path, &file.bytes);
                }
            }
        }
        Ok(())
    }

    fn generators(
        &mut self,
        directory: &TreePath,
        fields: &Map<String, Value>,
    ) -> Result<(), Error> {
        for generator in list(fields, "secretGenerator") {
            let Some(generator) = generator.as_object() else { continue };
            for source in list(generator, "files").filter_map(Value::as_str) {
                let (key, path) = source.split_once('=').unwrap_or((source, source));
                self.file(directory, path, Format::of_path(key))?;
            }
            for path in list(generator, "envs").filter_map(Value::as_str) {
                let format = match Format::of_path(path) {
                    Format::Binary => Format::Dotenv,
                    format => format,
                };
                self.file(directory, path, format)?;
            }
        }
        Ok(())
    }

    /// The kustomization of a directory below.
    fn read(&self, directory: &TreePath) -> Result<Map<String, Value>, Error> {
        let mut found = None;
        for name in FILE_NAMES {
            let path = directory.join(name)?;
            if let Some(file) = self.tree.file(&path)
                && found.replace((path, file)).is_some()
            {
                let problem = "found multiple kustomization files";
                return Err(Error::Directory { directory: directory.clone(), problem });
            }
        }
        let Some((path, file)) = found else {
            let problem = "no kustomization file found";
            return Err(Error::Directory { directory: directory.clone(), problem });
        };
        match yaml::parse(&file.bytes) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Ok(Map::new()),
            Err(source) => Err(Error::Kustomization { path, source }),
        }
    }

    /// Decrypts a file, if it is encrypted.
    fn file(&mut self, directory: &TreePath, path: &str, format: Format) -> Result<(), Error> {
        let path = directory.join(path)?;
        if self.files.contains_key(&path) {
            return Ok(());
        }
        let Some(file) = self.tree.file(&path) else { return Err(Error::Missing { path }) };
        let bytes = file.bytes.len();
        if bytes > MAX_BYTES {
            return Err(Error::TooLarge { bytes, limit_bytes: MAX_BYTES });
        }
        let plain = if format.marks(&file.bytes) {
            let plain = self.decryptor.file(&file.bytes, format, format);
            let plain = plain.map_err(|error| Error::File(Box::new(error)))?;
            Some(File { bytes: plain.bytes().to_vec().into(), executable: file.executable })
        } else {
            None
        };
        self.files.insert(path, plain);
        Ok(())
    }

    /// Makes sure that manifests are as sops wrote them: after the build nobody can tell any more.
    ///
    /// Differs: Flux does not.
    fn resource(&mut self, path: &TreePath, data: &[u8]) {
        let format = Format::of_path(path.as_str());
        let format = if format == Format::Json { Format::Json } else { Format::Yaml };
        if self.decryptor.integrity == Integrity::Ignored || !format.marks(data) {
            return;
        }
        let documents: Vec<_> = yaml::documents(data).map(|document| document.text).collect();
        let macs: BTreeSet<_> = documents.iter().map(|document| mac(document)).collect();
        // sops writes one MAC for a whole file. Where people put files together, each has its own.
        let parts = if macs.len() == 1 || format == Format::Json { vec![data] } else { documents };
        for part in parts.into_iter().filter(|part| format.marks(part) && !opts_out(part)) {
            match self.decryptor.verify(part, format) {
                // Without its key nothing is decrypted.
                Ok(()) | Err(sops_decrypt::Error::DataKey(_)) => {}
                Err(source) => {
                    let (path, source) = (path.clone(), Box::new(source));
                    self.doubt.get_or_insert(Error::Manifest { path, source });
                }
            }
        }
    }
}

fn mac(document: &[u8]) -> Option<&[u8]> {
    let mut lines = document.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| line.starts_with(b"mac: ENC["))
}

/// Whether an object asks to be left alone.
fn opts_out(document: &[u8]) -> bool {
    yaml::parse(document).is_ok_and(|document| {
        document
            .pointer("/metadata/annotations")
            .is_some_and(|annotations| objects::is_disabled(annotations[DECRYPT].as_str()))
    })
}

/// Flux: a URL has a scheme and a host.
fn is_remote(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && !rest.starts_with('/')
    })
}

fn list<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}
