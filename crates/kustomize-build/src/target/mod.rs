//! The build itself: gathers resources, runs generators, components and transformers, and at the
//! end follows the new names.

mod bases;
mod configuration;
mod plugins;

use std::cell::RefCell;
use std::sync::Arc;

use file_tree::{FileTree, TreePath};
use serde_json::{Map, Value};

use crate::budget::{Budget, printed_fields};
use crate::built::Built;
use crate::config::Config;
use crate::documents;
use crate::error::Error;
use crate::generate;
use crate::go_syntax;
use crate::kustomization::{Kustomization, KustomizationError};
use crate::loader::Loader;
use crate::name_reference;
use crate::options::{Mode, Options};
use crate::order;
use crate::origin::Origin;
use crate::reads::Reads;
use crate::resources::Resources;
use crate::schema::{SchemaState, parse_open_api};
use crate::transform::{Hash, Shared, Transformer as _};
use crate::vars::Vars;

const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// Builds the kustomization in a directory.
pub(crate) fn build(
    tree: &FileTree,
    root: &TreePath,
    in_place: Option<&generate::Kustomization>,
    options: &Options,
    reads: &mut Reads,
) -> Result<Built, Error> {
    let loader = Loader::new(tree, root, options)?;
    let built = build_from(loader.clone(), in_place, options);
    loader.tell_reads(reads);
    built
}

fn build_from(
    loader: Loader<'_>,
    in_place: Option<&generate::Kustomization>,
    options: &Options,
) -> Result<Built, Error> {
    let run = Run {
        in_place,
        shared: Shared {
            schema: SchemaState::new(options.mode),
            budget: Budget::new(options.limits.written_bytes),
        },
        warnings: RefCell::new(Vec::new()),
    };
    let mut target = Target::load(&run, loader)?;
    target.set_schema()?;
    if !target.kustomization.build_metadata.is_empty() {
        target.origin = Some(Origin::default());
    }
    let mut gathered = target.gather(Gathered::default())?;

    if gathered.resources.iter().any(|resource| resource.notes.needs_hash) {
        Hash.apply(&mut gathered.resources, &run.shared)?;
        gathered.resources.ensure_unique()?;
    }
    let config = gathered.config();
    let budget = &run.shared.budget;
    name_reference::fix(&mut gathered.resources, &config, budget)?;
    let unused = gathered.vars.resolve(&mut gathered.resources, &config, budget)?;
    if !unused.is_empty() {
        let warning = format!("well-defined vars that were never replaced: {}", unused.join(","));
        run.warnings.borrow_mut().push(warning);
    }
    for resource in gathered.resources.iter() {
        documents::validate(&resource.fields)?;
    }
    gathered.resources.retain(|resource| {
        !resource.has_annotation(LOCAL_CONFIG) || resource.annotation(LOCAL_CONFIG) == "false"
    });
    let built = finish(gathered.resources, &target.kustomization, options)?;
    // What is deep and has many lines is much longer when it is printed.
    for fields in &built {
        budget.spend(printed_fields(fields, 0))?;
    }
    Ok(Built { documents: built, warnings: run.warnings.into_inner() })
}

/// Sorts the resources and takes the notes off them.
fn finish(
    mut resources: Resources,
    kustomization: &Kustomization,
    options: &Options,
) -> Result<Vec<Map<String, Value>>, Error> {
    match (&kustomization.sort_options, options.mode) {
        (Some(sort), _) => order::sort(&mut resources, sort)?,
        (None, Mode::Command) => order::sort_legacy(&mut resources),
        (None, Mode::Controller) => {}
    }
    let asks_for = |what: &str| kustomization.build_metadata.iter().any(|asked| asked == what);
    let (origins, transformations) =
        (asks_for("originAnnotations"), asks_for("transformerAnnotations"));
    let managed_by = asks_for("managedByLabel");
    let mut documents = Vec::with_capacity(resources.len());
    for mut resource in resources.into_vec() {
        if managed_by {
            let mut labels = resource.labels();
            let value = format!("kustomize-{}", options.version);
            labels.insert("app.kubernetes.io/managed-by".to_owned(), value);
            resource.set_labels(labels);
        }
        resource.finish(origins, transformations);
        if resource.notes.has_plain_keys && go_syntax::has_other_keys(&resource.fields) {
            let object = go_syntax::object(&resource.fields);
            let reason = "json: unsupported type: map[interface {}]interface {}".to_owned();
            return Err(Error::Unprintable { object, reason });
        }
        documents.push(resource.fields);
    }
    Ok(documents)
}

/// What all kustomizations of a build share.
struct Run<'a> {
    /// A kustomization that stands in place of the file in its directory.
    in_place: Option<&'a generate::Kustomization>,
    shared: Shared,
    warnings: RefCell<Vec<String>>,
}

/// What a kustomization has gathered.
#[derive(Debug, Default)]
struct Gathered {
    resources: Resources,
    /// None as long as no kustomization has said anything; most say no more than what is built in.
    config: Option<Arc<Config>>,
    vars: Vars,
}

impl Gathered {
    /// Adds fields.
    ///
    /// Flux: what is merged first counts, and a field of all kinds is dropped where one of a single
    /// kind is known, so the order matters.
    fn merge_config(&mut self, more: &Arc<Config>) -> Result<(), Error> {
        let built_in = Config::built_in();
        match &self.config {
            Some(known) if Arc::ptr_eq(known, more) => {}
            None if Arc::ptr_eq(&built_in, more) => self.config = Some(built_in),
            known => {
                let mut config = known.as_deref().cloned().unwrap_or_default();
                config.merge(more)?;
                self.config = Some(Arc::new(config));
            }
        }
        Ok(())
    }

    fn config(&self) -> Arc<Config> {
        self.config.clone().unwrap_or_else(Config::built_in)
    }

    /// Adds what another kustomization gathered.
    fn merge(&mut self, other: Self) -> Result<(), Error> {
        self.resources.append_all(other.resources)?;
        if let Some(config) = &other.config {
            self.merge_config(config)?;
        }
        self.vars.merge(other.vars)?;
        Ok(())
    }
}

/// One kustomization.
struct Target<'a> {
    run: &'a Run<'a>,
    loader: Loader<'a>,
    kustomization: Kustomization,
    file_name: &'static str,
    /// Where it is, if its resources are to say where they come from.
    origin: Option<Origin>,
}

impl<'a> Target<'a> {
    fn load(run: &'a Run<'a>, loader: Loader<'a>) -> Result<Self, Error> {
        let in_place = run
            .in_place
            .filter(|in_place| !loader.is_remote() && in_place.directory == *loader.root());
        let (file_name, kustomization) = if let Some(in_place) = in_place {
            (in_place.file_name, Kustomization::from_fields(in_place.fields.clone())?)
        } else {
            let (name, bytes) = loader.kustomization()?;
            let document = documents::plain(&bytes)
                .map_err(|error| KustomizationError::Yaml { reason: error.to_string() })?;
            (name, Kustomization::read(&document)?)
        };
        run.warnings.borrow_mut().extend(kustomization.warnings());
        let kustomization = kustomization.fixed(&loader.root_name())?;
        Ok(Self { run, loader, kustomization, file_name, origin: None })
    }

    /// Takes the schema that the kustomization names, if it is the first to name one.
    fn set_schema(&self) -> Result<(), Error> {
        let openapi = &self.kustomization.openapi;
        let path = openapi.get("path");
        let bytes = path.map(|path| self.loader.load(path)).transpose()?;
        if self.run.shared.schema.is_decided() {
            return Ok(());
        }
        let version = openapi.get("version").filter(|version| !version.is_empty());
        if bytes.is_some() && version.is_some() {
            return Err(Error::TwoSchemas);
        }
        if let Some(bytes) = bytes {
            self.run.shared.schema.decide(parse_open_api(&documents::plain(&bytes)?)?);
        } else if let Some(version) = version {
            if version != "v1.21.2" && version != "v1_21_2" {
                return Err(Error::OpenApiVersion);
            }
            self.run.shared.schema.decide_built_in();
        }
        Ok(())
    }

    /// Gathers resources and changes them as the kustomization says.
    fn gather(&mut self, mut gathered: Gathered) -> Result<Gathered, Error> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.add_resources(&mut gathered, &resources, "resources")
            .map_err(|error| error.doing("accumulating resources"))?;
        self.add_configurations(&mut gathered)?;
        self.run_generators(&mut gathered)?;
        let components = std::mem::take(&mut self.kustomization.components);
        for path in &components {
            gathered = self
                .add_component(gathered, path)
                .map_err(|error| error.doing("accumulating components"))?;
        }
        self.run_transformers(&mut gathered)?;
        self.run_validators(&gathered)?;
        gathered.vars.add(&self.kustomization.vars, &mut gathered.resources).map_err(|error| {
            let vars: Vec<String> =
                self.kustomization.vars.iter().map(ToString::to_string).collect();
            Error::from(error).doing(format!("merging vars [{}]", vars.join(" ")))
        })?;
        Ok(gathered)
    }

    fn is_command(&self) -> bool {
        self.loader.options().mode == Mode::Command
    }

    fn within_limit(&self, gathered: &Gathered) -> Result<(), Error> {
        let limit = self.loader.options().limits.resources;
        if gathered.resources.len() > limit {
            return Err(Error::LimitExceeded { what: "resources", limit: limit as u64 });
        }
        Ok(())
    }
}
