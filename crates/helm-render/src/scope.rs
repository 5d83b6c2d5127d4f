//! What each template of a chart and its sub-charts sees as its dot.

use std::collections::BTreeMap;

use bytes::Bytes;
use go_template::{Map, Value};
use helm_chart::{Chart, Rules};

use crate::objects::{self, Files, Values};
use crate::render::Release;

/// A template with what it is executed on.
#[derive(Debug)]
pub(crate) struct Scoped {
    pub(crate) text: Bytes,
    /// Shared by the templates of one chart: what one sets, the next one sees.
    pub(crate) dot: Map,
    /// Path of the chart's `templates` folder.
    pub(crate) base_path: String,
}

/// What is the same for all charts of a rendering.
pub(crate) struct Context<'a> {
    pub(crate) release: &'a Release,
    pub(crate) capabilities: Value,
    pub(crate) rules: Rules,
}

impl Context<'_> {
    /// All templates by path; a chart's `values` are those below its name in its parent's.
    pub(crate) fn templates(&self, chart: &Chart, values: &Map) -> BTreeMap<String, Scoped> {
        let release = Value::map([
            ("Name", Value::str(self.release.name.as_str())),
            ("Namespace", Value::str(self.release.namespace.as_str())),
            ("IsUpgrade", Value::Bool(self.release.is_upgrade)),
            ("IsInstall", Value::Bool(!self.release.is_upgrade)),
            ("Revision", Value::int(self.release.revision)),
            ("Service", Value::str("Helm")),
        ]);
        let mut templates = BTreeMap::new();
        self.collect(chart, chart.name(), true, &release, values, &mut templates);
        templates
    }

    /// Limit: recursion, as deep as charts nest; the loader has the limit.
    fn collect(
        &self,
        chart: &Chart,
        path: &str,
        is_root: bool,
        release: &Value,
        values: &Map,
        templates: &mut BTreeMap<String, Scoped>,
    ) -> Map {
        let subcharts = Map::default();
        let dot = Map::new(
            [
                ("Chart", objects::chart(&chart.metadata, is_root, self.rules)),
                ("Files", Value::object(Files::new(&chart.files))),
                ("Release", release.clone()),
                ("Capabilities", self.capabilities.clone()),
                ("Values", Value::object(Values { map: values.clone(), rules: self.rules })),
                ("Subcharts", Value::Map(subcharts.clone())),
            ]
            .map(|(name, value)| (name.into(), value))
            .into(),
        );
        for subchart in &chart.dependencies {
            let own = match values.get(subchart.name().as_bytes()) {
                Some(Value::Map(own)) => own,
                _ => Map::default(),
            };
            let path = format!("{path}/charts/{}", subchart.name());
            let inner = self.collect(subchart, &path, false, release, &own, templates);
            subcharts.insert(subchart.name().into(), Value::Map(inner));
        }
        let base_path = format!("{path}/templates");
        for file in &chart.templates {
            let name = file.name.rsplit('/').next().unwrap_or(&file.name);
            // A library has nothing of its own to install.
            if chart.is_library() && !name.starts_with('_') {
                continue;
            }
            let (text, dot, base_path) = (file.bytes.clone(), dot.clone(), base_path.clone());
            templates.insert(format!("{path}/{}", file.name), Scoped { text, dot, base_path });
        }
        dot
    }
}
