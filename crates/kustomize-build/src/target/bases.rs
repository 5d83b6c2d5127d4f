//! What a kustomization stands on: files of resources, other kustomizations, components.

use super::{Gathered, Target};
use crate::documents::{self, DocumentError};
use crate::error::Error;
use crate::kustomization::COMPONENT;
use crate::loader::{Loader, is_remote};
use crate::resources::Resources;

impl<'a> Target<'a> {
    /// Adds files of resources and other kustomizations.
    pub(super) fn add_resources(
        &mut self,
        gathered: &mut Gathered,
        paths: &[String],
        field: &'static str,
    ) -> Result<(), Error> {
        for path in paths {
            if is_remote(path) && !self.loader.brings(path) {
                let loader = self.remote_loader(path, field)?;
                let (directory, below) =
                    self.build_below(loader, path, false, Gathered::default())?;
                gathered.merge(below).map_err(|error| {
                    error.doing(format!("recursed merging from path '{directory}'"))
                })?;
                continue;
            }
            let Err(no_file) = self.add_file(gathered, path) else { continue };
            if no_file.stands_alone() {
                return Err(no_file);
            }
            let loader = match self.loader.below(path) {
                Ok(loader) => loader,
                Err(_) if is_malformed(&no_file) => return Err(no_file),
                Err(source) if source.stands_alone() => return Err(source),
                Err(source) => {
                    let (file, source) = (no_file.message(), Box::new(source));
                    return Err(Error::NeitherFileNorDirectory { file, source });
                }
            };
            let built = self.build_below(loader, path, false, Gathered::default());
            built
                .and_then(|(directory, below)| {
                    gathered.merge(below).map_err(|error| {
                        error.doing(format!("recursed merging from path '{directory}'"))
                    })
                })
                .map_err(|source| {
                    if source.stands_alone() {
                        return source;
                    }
                    Error::NeitherFileNorDirectory {
                        file: no_file.message(),
                        source: Box::new(source),
                    }
                })?;
            self.within_limit(gathered)?;
        }
        Ok(())
    }

    /// A loader for a base that is in another repository.
    fn remote_loader(&self, url: &str, field: &'static str) -> Result<Loader<'a>, Error> {
        let refused = || Error::Remote { field, url: url.to_owned() };
        self.loader.remote(url)?.ok_or_else(refused)
    }

    fn add_file(&self, gathered: &mut Gathered, path: &str) -> Result<(), Error> {
        let doing = |what: &str| format!("{what} resources from '{path}'");
        let read = self.loader.load(path).map_err(Error::from).and_then(|bytes| {
            let read = documents::resources(&bytes);
            let mut read = read.map_err(|error| match error {
                DocumentError::Late { object, reason } if self.is_command() => {
                    Error::Unprintable { object, reason }
                }
                other => documents::in_file(other, path).into(),
            })?;
            if let Some(origin) = &self.origin {
                let origin = origin.append(path);
                for resource in &mut read {
                    resource.notes.origin = Some(origin.clone());
                }
            }
            let mut resources = Resources::default();
            read.into_iter().try_for_each(|resource| resources.append(resource))?;
            Ok(resources)
        });
        let read = read.map_err(|error| error.doing(doing("accumulating")))?;
        gathered
            .resources
            .append_all(read)
            .map_err(|error| Error::from(error).doing(doing("merging")))?;
        self.within_limit(gathered)
    }

    pub(super) fn add_component(
        &mut self,
        gathered: Gathered,
        path: &str,
    ) -> Result<Gathered, Error> {
        let loader = if is_remote(path) {
            self.remote_loader(path, "components")?
        } else {
            self.loader.below(path).map_err(|error| {
                if error.stands_alone() {
                    return error;
                }
                Error::Component { reason: error.message() }
            })?
        };
        match self.build_below(loader, path, true, gathered) {
            Ok((_, gathered)) => Ok(gathered),
            Err(error) if error.stands_alone() => Err(error),
            Err(error) => Err(Error::ComponentBuild { reason: error.message() }),
        }
    }

    /// Builds another kustomization; answers how messages name its directory, and what it gathered.
    fn build_below(
        &mut self,
        loader: Loader<'a>,
        path: &str,
        is_component: bool,
        gathered: Gathered,
    ) -> Result<(String, Gathered), Error> {
        let directory = loader.root_name();
        let mut below = Target::load(self.run, loader)
            .map_err(|error| error.doing(format!("couldn't make target for path '{directory}'")))?;
        below.kustomization.build_metadata.clone_from(&self.kustomization.build_metadata);
        below.origin = self.origin.as_ref().map(|origin| origin.append(path));
        below.set_schema()?;
        let kind = below.kustomization.kind.clone();
        if is_component && kind != COMPONENT {
            return Err(Error::IsNoComponent { path: directory, kind });
        }
        if !is_component && kind == COMPONENT {
            return Err(Error::IsComponent { path: directory });
        }
        let gathered = below
            .gather(gathered)
            .map_err(|error| error.doing(format!("recursed accumulation of path '{directory}'")))?;
        Ok((directory, gathered))
    }
}

/// Whether a file is there but is no YAML, so that it cannot be a directory either.
fn is_malformed(error: &Error) -> bool {
    match error {
        Error::While { source, .. } => is_malformed(source),
        Error::Document(
            DocumentError::Malformed { .. }
            | DocumentError::MalformedFile { .. }
            | DocumentError::Late { .. },
        ) => true,
        _ => false,
    }
}
