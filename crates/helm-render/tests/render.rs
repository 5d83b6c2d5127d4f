//! The chart of the tests from its folder to manifests, hooks and notes.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

use std::collections::BTreeMap;
use std::path::Path;

use file_tree::TreePath;
use go_template::Budget;
use helm_chart::{Chart, ChartFile, directory, disk, values};
use helm_functions::{Helm, SystemEntropy};
use helm_render::{
    Capabilities, HookEvent, Options, PostRender, Release, Rendered, TemplateCache, render,
    template_output,
};

fn web() -> Chart {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts/web");
    directory::load(&disk::read(&folder).unwrap(), &TreePath::ROOT).unwrap()
}

fn chart(templates: &[(&str, &str)]) -> Chart {
    let file = |name: &str, text: &str| ChartFile {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec().into(),
    };
    let mut files = vec![file("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")];
    files.extend(templates.iter().map(|(name, text)| file(name, text)));
    Chart::from_files(files).unwrap()
}

fn rendered(chart: &Chart, user: &str, options: &Options<'_>) -> Result<Rendered, String> {
    let release = Release {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        is_upgrade: false,
        revision: 1,
    };
    let user = values::read(user.as_bytes()).unwrap();
    let host = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy);
    render(chart, &user, &release, &Capabilities::without_cluster(), host, options)
        .map_err(|error| error.to_string())
}

#[test]
fn manifests_come_in_the_order_of_installation() {
    let rendered = rendered(&web(), "{}", &Options::default()).unwrap();
    let kinds: Vec<&str> = rendered.manifests.iter().map(|m| m.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["ServiceAccount", "Service", "Deployment", "HorizontalPodAutoscaler", "Ingress"]
    );
    let [hook] = rendered.hooks.as_slice() else { panic!("one hook") };
    assert_eq!((hook.name.as_str(), hook.weight), ("rel-web-connection", 5));
    assert_eq!(hook.events, [HookEvent::Test]);
    assert_eq!(hook.delete_policies, ["before-hook-creation", "hook-succeeded"]);
    assert_eq!(rendered.notes.trim(), "http://chart-example.local/");
    let text = template_output(&rendered);
    assert!(text.starts_with("---\n# Source: web/templates/serviceaccount.yaml\napiVersion: v1\n"));
    assert!(text.contains("---\n# Source: web/templates/tests/connection.yaml\n"));
    assert!(text.contains("\n  minReplicas: 1\n  maxReplicas: 100\n"));
}

#[test]
fn templates_at_hand_render_the_same() {
    let cache = TemplateCache::new(1 << 20);
    let options = Options { cache: Some(&cache), ..Options::default() };
    let cold = template_output(&rendered(&web(), "{}", &Options::default()).unwrap());
    for _ in 0..2 {
        assert_eq!(template_output(&rendered(&web(), "{}", &options).unwrap()), cold);
    }
    let other = template_output(&rendered(&web(), "{replicaCount: 3}", &options).unwrap());
    assert_eq!(other, cold);
    let scaled = rendered(&web(), "{autoscaling: {enabled: false}}", &options).unwrap();
    assert!(template_output(&scaled).contains("replicas: 1"));
}

#[test]
fn mistakes_are_worded_as_in_helm() {
    for (template, want) in [
        (
            "{{ required \"say who\" .Values.who }}",
            "execution error at (c/templates/a.yaml:1:3): say who",
        ),
        ("{{ fail \"no: never\" }}", "execution error at (c/templates/a.yaml:1:3): no: never"),
        (
            "{{ .Values.a.b }}",
            "c/templates/a.yaml:1:10\n  executing \"c/templates/a.yaml\" at <.Values.a.b>:\n    \
             nil pointer evaluating interface {}.b",
        ),
        (
            "{{ include \"gone\" . }}",
            "c/templates/a.yaml:1:3\n  executing \"c/templates/a.yaml\" at <include \"gone\" .>:\n    \
             error calling include:\ntemplate: no template \"gone\" associated with template \"gotpl\"",
        ),
        ("{{ if }}", "parse error at (c/templates/a.yaml:1): missing value for if"),
        (
            "a: [",
            "YAML parse error on c/templates/a.yaml: error converting YAML to JSON: yaml: line 1: \
             did not find expected node content",
        ),
    ] {
        let chart = chart(&[("templates/a.yaml", template)]);
        let error = rendered(&chart, "{}", &Options::default()).unwrap_err();
        assert_eq!(error, want, "{template}");
    }
}

#[test]
fn a_step_may_change_what_is_installed() {
    struct Rename;
    impl PostRender for Rename {
        fn run(
            &self,
            files: BTreeMap<String, String>,
        ) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(files.into_iter().map(|(p, t)| (p, t.replace("rel-web", "other"))).collect())
        }
    }
    let options = Options { post_render: Some(&Rename), ..Options::default() };
    let rendered = rendered(&web(), "{}", &options).unwrap();
    assert!(rendered.manifests.iter().all(|m| m.name.starts_with("other")));
}

#[test]
fn methods_cost_what_they_do() {
    let big = "0123456789abcdef\n".repeat(200_000);
    let user = format!("s: {}", "x".repeat(5_000));
    let budget = Budget { steps: 500_000, ..Budget::default() };
    for (method, want) in [
        ("$.Files.Get \"big\"", "steps"),
        ("$.Files.Lines \"big\"", "a string or list of more than"),
        ("$.Files.AsSecrets", "steps"),
        ("$.Files.Glob \"**\"", "steps"),
        ("$.Values.YAML", "steps"),
    ] {
        let text = format!("{{{{ range until 1000 }}}}{{{{ $_ := {method} }}}}{{{{ end }}}}");
        let chart = chart(&[("templates/a.yaml", &text), ("big", &big)]);
        let options = Options { budget, ..Options::default() };
        let error = rendered(&chart, &user, &options).unwrap_err();
        assert!(error.contains(want), "{method}: {error}");
    }
}

#[test]
fn hostile_templates_end() {
    for template in [
        "{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}",
        "{{ repeat 1000000000 \"x\" }}",
        "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
        "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}",
        "{{ define \"a\" }}{{ tpl \"{{ include \\\"a\\\" . }}\" . }}{{ end }}{{ include \"a\" . }}",
        "{{ range $i, $e := until 100000 }}{{ repeat 10000 \"x\" }}{{ end }}",
        "{{ $x := \"x\" }}{{ range until 64 }}{{ $x = printf \"%s%s\" $x $x }}{{ end }}",
        // As long as a text may be, and then more.
        "{{ $x := repeat 4194304 \"x\" }}{{ $y := print $x $x $x }}",
        "{{ $x := repeat 4194304 \"x\" }}{{ $y := printf \"%s%s%s\" $x $x $x }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toYaml $d }}{{ fail \"end\" }}",
    ] {
        let chart = chart(&[("templates/a.yaml", template)]);
        let started = std::time::Instant::now();
        assert!(rendered(&chart, "{}", &Options::default()).is_err(), "{template}");
        // A debug build on a busy machine; a release build takes a tenth.
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "{template}");
    }
}

/// As Helm 4.2.1 prints them.
#[test]
fn the_dot_and_capabilities_have_gos_types() {
    let text = "{{ typeOf . }} {{ typeOf .Template }} {{ typeOf .Values }} {{ typeOf .Subcharts }} \
        {{ kindOf . }} {{ hasKey . \"Values\" }} {{ (set . \"x\" 1).x }} {{ .Chart.Annotations }} \
        {{ toJson .Chart.Annotations }} {{ .Capabilities.KubeVersion }} \
        {{ print .Capabilities.KubeVersion }} {{ .Capabilities.HelmVersion }}";
    let chart = chart(&[("templates/t.yaml", &format!("a: 1\nb: {text}"))]);
    let rendered = rendered(&chart, "{}", &Options::default()).unwrap();
    let (_, printed) = rendered.manifests[0].content.split_once("\nb: ").unwrap();
    assert_eq!(
        printed.split_whitespace().collect::<Vec<_>>().join(" "),
        "common.Values common.Values common.Values map[string]interface {} map true 1 map[] null \
         v1.36.0 {v1.36.0 v1.36.0 1 36} {v4.2 go1.26.8 v1.36}"
    );
}

/// As Helm 4.2.1 prints them.
#[test]
fn maps_can_be_nil() {
    let text = "{{ $nil := fromJson `null` }}{{ toJson $nil }} {{ printf `%#v` $nil }} {{ eq $nil nil }} \
        {{ deepEqual $nil dict }} {{ merge $nil (dict `a` 1) | toJson }} {{ toJson $nil }} \
        {{ merge (dict `x` $nil) (dict `x` (dict `y` 1)) | toJson }} {{ fromYaml `` | toJson }}";
    let rendered = |text: &str| {
        let chart = chart(&[("templates/t.yaml", &format!("a: 1\nb: {text}"))]);
        rendered(&chart, "{}", &Options::default())
    };
    let printed = rendered(text).unwrap().manifests[0].content.clone();
    let (_, printed) = printed.split_once("\nb: ").unwrap();
    assert_eq!(
        printed.trim_end(),
        "null map[string]interface {}(nil) true false {\"a\":1} null {\"x\":{\"y\":1}} {}"
    );
    let error = rendered("{{ set (fromJson `null`) `a` 1 }}").unwrap_err();
    assert!(error.ends_with("error calling set: assignment to entry in nil map"), "{error}");
}

/// As Helm 4.2.1 words them.
#[test]
fn json_that_breaks_off_is_told_as_in_go() {
    for (json, want) in [
        ("tru", "invalid character ' ' in literal true (expecting 'e')"),
        ("{`a`:1.", "invalid character ' ' after decimal point in numeric literal"),
        ("{`a`:1", "unexpected end of JSON input"),
        ("{`a`:`x", "unexpected end of JSON input"),
        ("1e999", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ("{`a`:1e999}", "json: cannot unmarshal number 1e999 into Go value of type float64"),
    ] {
        let json = json.replace('`', "\\\"");
        let text = format!("a: 1\nb: |\n  {{{{ (fromJson \"{json}\").Error }}}}");
        let chart = chart(&[("templates/t.yaml", &text)]);
        let rendered = rendered(&chart, "{}", &Options::default()).unwrap();
        let (_, printed) = rendered.manifests[0].content.split_once("\nb: |\n  ").unwrap();
        assert_eq!(printed.trim_end(), want);
    }
}

/// As Helm 4.2.1 prints them.
#[test]
fn strings_are_sorted_where_they_are() {
    let text = "{{ $l := splitList `,` `b,a` }}{{ $s := sortAlpha $l }}{{ $l }} {{ $s }} \
        {{ $l := list `b` `a` }}{{ $s := sortAlpha $l }}{{ $l }} {{ $s }} \
        {{ sortAlpha (regexFindAll `x` `y` 0) | toJson }}";
    let chart = chart(&[("templates/t.yaml", &format!("a: 1\nb: |\n  {text}"))]);
    let rendered = rendered(&chart, "{}", &Options::default()).unwrap();
    let (_, printed) = rendered.manifests[0].content.split_once("\nb: |\n  ").unwrap();
    assert_eq!(printed.trim_end(), "[a b] [a b] [b a] [a b] null");
}

/// A view of a map in the map itself is a ring, and many of them are a long chain.
#[test]
fn values_within_values_are_dropped() {
    let text = "{{ $_ := set .Values `a` . }}{{ $_ := set . `b` . }}\
        {{ range until 20000 }}{{ $v := $.Values.Table `t` }}{{ $_ := set $.Values `t` (dict `u` $v) }}{{ end }}";
    let chart = chart(&[("values.yaml", "t: {}"), ("templates/t.yaml", text)]);
    rendered(&chart, "{}", &Options::default()).unwrap();
}
