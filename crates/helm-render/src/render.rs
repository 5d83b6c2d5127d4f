//! From a chart to what is installed.

use std::collections::BTreeMap;

use go_template::{Budget, Integers, Map, Session, Value};
use helm_chart::{Chart, Rules, dependencies, schema, values};
use helm_functions::Helm;
use serde_json::Value as Json;

use crate::cache::TemplateCache;
use crate::capabilities::Capabilities;
use crate::engine::Engine;
use crate::error::Error;
use crate::functions::functions;
use crate::hook::Hook;
use crate::manifest::{self, Manifest};
use crate::post_render::PostRender;
use crate::print;

/// The name of the file that is shown to whoever installs the chart.
const NOTES: &str = "NOTES.txt";

/// `.Release`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Name of the release.
    pub name: String,
    /// Namespace that it is installed in.
    pub namespace: String,
    /// Whether it is an upgrade; else an installation.
    pub is_upgrade: bool,
    /// Number of the revision, from 1.
    pub revision: i64,
}

/// How a chart is rendered.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of Helm's, independent of others"
)]
pub struct Options<'a> {
    /// Whose rules are followed where Helm 3 and Helm 4 differ.
    pub rules: Rules,
    /// A value that is not there is an error, instead of nothing.
    pub strict: bool,
    /// The files of `crds/` come first among the manifests.
    pub include_crds: bool,
    /// The notes of sub-charts follow those of the chart.
    pub sub_notes: bool,
    /// Values are not checked against `values.schema.json`.
    pub skip_schema_validation: bool,
    /// What templates may cost.
    pub budget: Budget,
    /// Where parsed templates are kept; none parses them every time.
    pub cache: Option<&'a TemplateCache>,
    /// A step between templates and manifests.
    pub post_render: Option<&'a dyn PostRender>,
}

/// What a chart asks for.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The files of `crds/` if they were wanted, as path and text.
    pub crds: Vec<(String, String)>,
    /// In the order of installation.
    pub manifests: Vec<Manifest>,
    /// By kind in the order of installation; when they run, weight comes first.
    pub hooks: Vec<Hook>,
    /// What to tell whoever installs the chart.
    pub notes: String,
    /// The chart as it took part, with the values that its templates saw.
    pub values: serde_json::Map<String, Json>,
}

impl Rendered {
    /// Definitions and manifests as one text, which is what a release stores.
    pub fn manifest_text(&self) -> String {
        let mut out = String::new();
        for (path, content) in &self.crds {
            print::push_document(&mut out, path, content);
        }
        for manifest in &self.manifests {
            print::push_document(&mut out, &manifest.path, &manifest.content);
        }
        out
    }
}

/// Renders a chart as Helm does for an installation or an upgrade.
///
/// `host` is what functions need of the outside: the time, chance, a cluster to look into.
///
/// # Errors
/// If values do not fit the chart, the cluster is too old for it, a template is malformed or stops,
/// or what it renders is no manifest. The words are Helm 4's.
pub fn render(
    chart: &Chart,
    user: &serde_json::Map<String, Json>,
    release: &Release,
    capabilities: &Capabilities,
    host: Helm,
    options: &Options<'_>,
) -> Result<Rendered, Error> {
    let mut chart = chart.clone();
    dependencies::process(&mut chart, user, options.rules).map_err(Error::Dependencies)?;
    let values = values::coalesce(&chart, user, options.rules)?;
    if !options.skip_schema_validation {
        schema::validate(&chart, &values)?;
    }
    check_kube_version(&chart, capabilities)?;
    let mut files = templates(&chart, &values, release, capabilities, host, options)?;
    let notes = take_notes(&chart, &mut files, options.sub_notes);
    if let Some(step) = options.post_render {
        files = step.run(files).map_err(Error::PostRender)?;
    }
    let (manifests, hooks) = manifest::sort(&files, options.rules)?;
    let crds = if options.include_crds { crds(&chart) } else { Vec::new() };
    Ok(Rendered { crds, manifests, hooks, notes, values })
}

/// The output of every template, by path: nothing is taken apart.
///
/// # Errors
/// If a template is malformed or stops.
pub fn templates(
    chart: &Chart,
    values: &serde_json::Map<String, Json>,
    release: &Release,
    capabilities: &Capabilities,
    host: Helm,
    options: &Options<'_>,
) -> Result<BTreeMap<String, String>, Error> {
    let engine = Engine {
        functions: functions(options.rules),
        cache: options.cache,
        budget: options.budget,
        strict: options.strict,
        rules: options.rules,
    };
    let outputs = |session: &mut Session| {
        engine.render(chart, &shared(values), release, capabilities, session)
    };
    let mut session = engine.session(host.rehearsing());
    let rehearsed = outputs(&mut session)?;
    if session.state().is_some_and(Helm::end_rehearsal) {
        return Ok(outputs(&mut session)?);
    }
    Ok(rehearsed)
}

/// Values as templates have them: numbers of `--set` are `int64`, all others `float64`.
fn shared(values: &serde_json::Map<String, Json>) -> Map {
    let entries = values
        .iter()
        .map(|(key, value)| (key.as_str().into(), Value::from_json(value, Integers::Int64)));
    Map::new(entries.collect())
}

fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<(), Error> {
    let wanted = &chart.metadata.kube_version;
    let version = &capabilities.kube_version;
    if wanted.is_empty() || dependencies::is_compatible(wanted, &version.normalized) {
        return Ok(());
    }
    Err(Error::KubeVersion { wanted: wanted.clone(), version: version.version.to_string() })
}

/// Takes all notes out and returns those that are shown.
fn take_notes(chart: &Chart, files: &mut BTreeMap<String, String>, sub_notes: bool) -> String {
    let own = format!("{}/templates/{NOTES}", chart.name());
    let mut shown = String::new();
    files.retain(|path, text| {
        if !path.ends_with(NOTES) {
            return true;
        }
        if sub_notes || *path == own {
            if !shown.is_empty() {
                shown.push('\n');
            }
            shown.push_str(text);
        }
        false
    });
    shown
}

fn crds(chart: &Chart) -> Vec<(String, String)> {
    let mut crds = Vec::new();
    chart.visit_crds(&mut |crd| {
        let path = format!("{}/{}", crd.chart_path, crd.file.name);
        crds.push((path, String::from_utf8_lossy(&crd.file.bytes).into_owned()));
    });
    crds
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("rules", &self.rules)
            .field("strict", &self.strict)
            .field("include_crds", &self.include_crds)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
