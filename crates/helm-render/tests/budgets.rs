//! What rendering costs: in proportion to the chart, and keys only where nothing else fails.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use go_template::Budget;
use helm_chart::{Chart, ChartFile};
use helm_functions::{Entropy, Helm, SystemEntropy};
use helm_render::{Capabilities, Options, Release, templates};
use serde_json::{Map, Value, json};

fn chart(files: impl IntoIterator<Item = (String, String)>) -> Chart {
    let metadata =
        ("Chart.yaml".to_owned(), "apiVersion: v2\nname: c\nversion: 1.0.0\n".to_owned());
    let files = std::iter::once(metadata).chain(files);
    Chart::from_files(files.map(|(name, text)| ChartFile { name, bytes: text.into() }).collect())
        .unwrap()
}

fn outputs(chart: &Chart, values: Value, steps: u64) -> Result<BTreeMap<String, String>, String> {
    outputs_with(chart, values, SystemEntropy, Budget { steps, ..Budget::default() })
}

fn outputs_with(
    chart: &Chart,
    values: Value,
    entropy: impl Entropy + 'static,
    budget: Budget,
) -> Result<BTreeMap<String, String>, String> {
    let values: Map<String, Value> = serde_json::from_value(values).unwrap();
    let release = Release {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        is_upgrade: false,
        revision: 1,
    };
    let host = Helm::new(jiff::Timestamp::UNIX_EPOCH, entropy);
    let options = Options { budget, ..Options::default() };
    templates(chart, &values, &release, &Capabilities::without_cluster(), host, &options)
        .map_err(|error| error.to_string())
}

/// The fewest steps with which it renders.
fn steps_of(chart: &Chart) -> u64 {
    let (mut too_few, mut enough) = (0, Budget::default().steps);
    outputs(chart, json!({}), enough).unwrap();
    while too_few + 1 < enough {
        let steps = u64::midpoint(too_few, enough);
        match outputs(chart, json!({}), steps) {
            Ok(_) => enough = steps,
            Err(error) => {
                assert!(error.contains("steps"), "{error}");
                too_few = steps;
            }
        }
    }
    enough
}

/// Helpers that each chart of an umbrella has, and a template that uses them by `include` and `tpl`.
fn umbrella(subcharts: usize) -> Chart {
    chart((0..subcharts).flat_map(|i| {
        let folder = format!("charts/sub{i}");
        let helpers = format!("{{{{- define \"sub{i}.name\" -}}}}{{{{ .Release.Name }}}}-{i}{{{{- end }}}}");
        let template = format!(
            "name: {{{{ include \"sub{i}.name\" . }}}}\ntext: {{{{ tpl \"{{{{ include \\\"sub{i}.name\\\" . }}}}\" . }}}}\n"
        );
        [
            (format!("{folder}/Chart.yaml"), format!("apiVersion: v2\nname: sub{i}\nversion: 1.0.0\n")),
            (format!("{folder}/templates/_helpers.tpl"), helpers),
            (format!("{folder}/templates/one.yaml"), template),
        ]
    }))
}

/// One template that calls `tpl` so often, with a new text each time.
fn texts(count: usize) -> Chart {
    let mut text = "{{ define \"name\" }}n{{ end }}".to_owned();
    for i in 0..count {
        writeln!(text, "{{{{ tpl \"{i} {{{{ include \\\"name\\\" . }}}}\" . }}}}").unwrap();
    }
    chart([("templates/all.yaml".to_owned(), text)])
}

#[test]
fn steps_grow_as_the_chart_does() {
    for grown in [umbrella, texts] {
        let [small, large] = [20, 200].map(|size| steps_of(&grown(size)));
        // Names get longer too.
        assert!(large <= small * 11, "{small} steps, ten times as large {large}");
    }
}

/// Hashes need salt: who asks for it makes one.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, _: &mut [u8]) -> bool {
        false
    }
}

#[test]
fn hashes_and_keys_are_made_only_where_nothing_else_fails() {
    let hash = "{{ bcrypt \"a\" }}";
    for (text, complaint) in [
        (hash.repeat(29), "more than 56 units of keys and password hashes"),
        ("{{ genPrivateKey \"rsa\" }}".repeat(5), "more than 56 units of keys"),
        (format!("{hash}{{{{ fail \"late\" }}}}"), "late"),
        (hash.to_owned(), "no random bytes"),
    ] {
        let chart = chart([("templates/a".to_owned(), text)]);
        let error = outputs_with(&chart, json!({}), NoEntropy, Budget::default()).unwrap_err();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn what_is_only_rehearsed_leaves_no_trace() {
    let text = "{{ $_ := set .Values \"turn\" (add1 .Values.turn) }}\
                {{ $ca := genCA \"ca\" 1 }}{{ $ca.Key }}{{ genPrivateKey \"rsa\" }}{{ bcrypt \"a\" }}\
                {{ derivePassword 1 \"long\" \"password\" \"user\" \"example.com\" }} {{ .Values.turn }}";
    let made = || {
        let chart = chart([("templates/a".to_owned(), text.to_owned())]);
        outputs(&chart, json!({"turn": 0}), Budget::default().steps).unwrap()
    };
    let (one, other) = (&made()["c/templates/a"], &made()["c/templates/a"]);
    assert!(one.ends_with("ZedaFaxcZaso9* 1"), "{one}");
    assert!(!one.contains("$10$...."), "{one}");
    let keys = |text: &str| -> Vec<String> {
        text.split("-----BEGIN").skip(1).map(str::to_owned).collect()
    };
    let (one, other) = (keys(one), keys(other));
    assert_eq!((one.len(), other.len()), (2, 2));
    assert!(one.iter().all(|key| !other.contains(key)));
    // A stand-in would be as short as the authority's key.
    assert!(one[1].len() > one[0].len() * 3 / 2);
}
