//! Values over defaults, sub-charts in and out, schemas.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

use helm_chart::{Chart, ChartFile, Rules, dependencies, schema, values};
use serde_json::{Map, Value};

fn chart(files: &[(&str, &str)]) -> Chart {
    let file = |(name, text): &(&str, &str)| ChartFile {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec().into(),
    };
    Chart::from_files(files.iter().map(file).collect()).unwrap()
}

fn yaml(text: &str) -> Map<String, Value> {
    values::read(text.as_bytes()).unwrap()
}

/// The values that templates see, as JSON.
fn seen(chart: &Chart, user: &str, rules: Rules) -> String {
    let (mut chart, user) = (chart.clone(), yaml(user));
    dependencies::process(&mut chart, &user, rules).unwrap();
    Value::from(values::coalesce(&chart, &user, rules).unwrap()).to_string()
}

const PARENT: &str = "apiVersion: v2\nname: p\nversion: 1.0.0\n";
const SUB: &str = "apiVersion: v2\nname: sub\nversion: 1.2.3\n";

#[test]
fn a_null_of_the_user_takes_a_default_away() {
    let chart =
        chart(&[("Chart.yaml", PARENT), ("values.yaml", "a: {b: 1, c: 2}\nd: 3\ne: null\n")]);
    assert_eq!(
        seen(&chart, "{a: {b: null}, d: null, x: null}", Rules::Helm4),
        r#"{"a":{"c":2.0},"x":null}"#
    );
    assert_eq!(seen(&chart, "{}", Rules::Helm4), r#"{"a":{"b":1.0,"c":2.0},"d":3.0}"#);
    assert_eq!(seen(&chart, "{}", Rules::Helm3), r#"{"a":{"b":1.0,"c":2.0},"d":3.0,"e":null}"#);
}

#[test]
fn globals_reach_every_chart() {
    let chart = chart(&[
        ("Chart.yaml", PARENT),
        ("values.yaml", "global: {a: 1}\nsub: {global: {b: 2}, v: 1}\n"),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/sub/values.yaml", "v: 0\nw: 0\nglobal: {c: 3}\n"),
    ]);
    assert_eq!(
        seen(&chart, "{}", Rules::Helm4),
        r#"{"global":{"a":1.0},"sub":{"global":{"a":1.0,"b":2.0,"c":3.0},"v":1.0,"w":0.0}}"#
    );
}

#[test]
fn conditions_outweigh_tags() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies:\n- {name: sub, version: 1.x, \
             condition: sub.live, tags: [t]}\n- {name: sub, version: ~1.2, alias: twin, tags: [t, u]}\n",
        ),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/other/Chart.yaml", "name: other\nversion: 0.1.0\n"),
    ]);
    let names = |user: &str| {
        let mut chart = chart.clone();
        dependencies::process(&mut chart, &yaml(user), Rules::Helm4).unwrap();
        chart.dependencies.iter().map(|d| d.name().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("{}"), "other sub twin");
    assert_eq!(names("{tags: {t: false}}"), "other");
    assert_eq!(names("{tags: {t: false, u: true}}"), "other twin");
    assert_eq!(names("{tags: {t: false}, sub: {live: true}}"), "other sub");
    assert_eq!(names("{sub: {live: false}}"), "other twin");
}

#[test]
fn values_are_imported_from_subcharts() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies:\n- name: sub\n  version: 1.x\n  \
             import-values:\n  - data\n  - {child: inner.deep, parent: up.here}\n",
        ),
        ("values.yaml", "mine: 1\nup: {here: {x: 9}}\n"),
        ("charts/sub/Chart.yaml", SUB),
        (
            "charts/sub/values.yaml",
            "exports: {data: {mine: 2, theirs: 3}}\ninner: {deep: {x: 1, z: 2}}\n",
        ),
    ]);
    let seen = seen(&chart, "{}", Rules::Helm4);
    assert!(seen.starts_with(r#"{"mine":1.0,"sub":"#), "{seen}");
    assert!(seen.ends_with(r#""theirs":3.0,"up":{"here":{"x":9.0,"z":2.0}}}"#), "{seen}");
}

#[test]
fn a_subchart_wants_a_map() {
    let chart = chart(&[("Chart.yaml", PARENT), ("charts/sub/Chart.yaml", SUB)]);
    let error = values::coalesce(&chart, &yaml("sub: notamap"), Rules::Helm4).unwrap_err();
    assert_eq!(error.to_string(), "type mismatch on sub: %!t(string=notamap)");
    let error = values::coalesce(&chart, &yaml("sub: 5"), Rules::Helm4).unwrap_err();
    assert_eq!(error.to_string(), "type mismatch on sub: %!t(float64=5)");
}

/// What a schema says about values, without the line that names the chart.
fn complaint(schema: &str, user: &str) -> String {
    let chart = chart(&[("Chart.yaml", PARENT), ("values.schema.json", schema)]);
    let Err(error) = schema::validate(&chart, &yaml(user)) else { return String::new() };
    error.to_string().split_once(":\np:\n").unwrap().1.to_owned()
}

#[test]
fn a_schema_is_worded_as_in_helm() {
    for (schema, user, want) in [
        (
            r#"{"required":["m"],"properties":{"num":{"type":"integer","minimum":10}}}"#,
            "num: 5",
            "- at '': missing property 'm'\n- at '/num': minimum: got 5, want 10\n",
        ),
        (
            r#"{"additionalProperties":false}"#,
            "num: 5",
            "- at '': additional properties 'num' not allowed\n",
        ),
        (
            r#"{"properties":{"num":{"type":["string","null"]}}}"#,
            "num: 5.5",
            "- at '/num': got number, want null or string\n",
        ),
        (
            r#"{"properties":{"num":{"enum":["a",1]}}}"#,
            "num: b",
            "- at '/num': value must be one of 'a', 1\n",
        ),
        (
            r#"{"properties":{"num":{"anyOf":[{"type":"string"},{"maximum":3}]}}}"#,
            "num: 5",
            "- at '/num': 'anyOf' failed\n  - at '/num': got number, want string\n  - at '/num': maximum: got 5, want 3\n",
        ),
        (
            r##"{"properties":{"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"required":["x","y"]}}}"##,
            "a: {}",
            "- at '/a': missing properties 'x', 'y'\n",
        ),
        (
            r#"{"properties":{"a":{"items":{"type":"string"}}}}"#,
            "a: [x, 1, 2]",
            "- at '/a/1': got number, want string\n- at '/a/2': got number, want string\n",
        ),
        (
            r#"{"properties":{"p":{"maximum":65535}}}"#,
            "p: 70000",
            "- at '/p': maximum: got 70,000, want 65,535\n",
        ),
        (
            r#"{"properties":{"p":{"maximum":-1e22}}}"#,
            "p: 1234567.5",
            "- at '/p': maximum: got 1.2345675×10⁰⁶, want -1×10²²\n",
        ),
        (
            r#"{"properties":{"p":{"minLength":1000000}}}"#,
            "p: x",
            "- at '/p': minLength: got 1, want 1,000,000\n",
        ),
        (
            r#"{"properties":{"a/b":{"pattern":"^x"}}}"#,
            "a/b: y'",
            "- at '/a~1b': 'y\\'' does not match pattern '^x'\n",
        ),
        // Drafts know the keywords of their time.
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","const":1,"propertyNames":false,
            "dependentRequired":{"a":["b"]},"properties":{"l":{"contains":false}}}"#,
            "a: 1\nl: [1]",
            "",
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"l":{"contains":
            {"type":"null"},"minContains":0}},"unevaluatedProperties":false}"#,
            "l: [1]",
            "- at '/l': no items match contains schema\n  - at '/l/0': got number, want null\n",
        ),
        // Patterns are Go's: a lone brace is a brace, and digits are ASCII.
        (r#"{"properties":{"a":{"pattern":"^{{.*}}$"}}}"#, "a: '{{ x }}'", ""),
        (
            r#"{"properties":{"a":{"pattern":"\\d"}}}"#,
            "a: ٣",
            "- at '/a': '٣' does not match pattern '\\\\d'\n",
        ),
        (
            r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#,
            "a: 1",
            "- at '': missing property 'b'\n",
        ),
        (
            r#"{"unevaluatedProperties":false,"allOf":[{"properties":{"a":true}}]}"#,
            "{a: 1, b: 2}",
            "- at '/b': false schema\n",
        ),
        (
            r#"{"$ref":"https://example.com/x.json"}"#,
            "{}",
            "failing loading \"https://example.com/x.json\": remote references are not allowed",
        ),
        (
            r#"{"$ref":"file:///dev/zero"}"#,
            "{}",
            "failing loading \"file:///dev/zero\": remote references are not allowed",
        ),
        ("{bad", "{}", "invalid character 'b' looking for beginning of object key string"),
    ] {
        assert_eq!(complaint(schema, user), want, "{schema}");
    }
}

/// What Helm 4.2.1 says of each.
#[test]
fn a_schema_that_is_none_is_refused() {
    let refused = |draft: &str, what: &str| {
        format!(
            "\"file:///values.schema.json#\" is not valid against metaschema: jsonschema validation failed with '{draft}#'\n{what}"
        )
    };
    let newest = "https://json-schema.org/draft/2020-12/schema";
    let types =
        "value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'";
    for (schema, draft, want) in [
        ("[]", newest, "- at '': got array, want boolean or object".to_owned()),
        ("null", newest, "- at '': got null, want boolean or object".to_owned()),
        (
            r#"{"required":"x"}"#,
            newest,
            "- at '': 'allOf' failed\n  - at '/required': got string, want array".to_owned(),
        ),
        (
            r#"{"properties":{"a":{"properties":{"b":{"items":3}}}}}"#,
            newest,
            "- at '': 'allOf' failed\n  - at '/properties/a': 'allOf' failed\n    - at '/properties/a/properties/b': 'allOf' failed\n      - at '/properties/a/properties/b/items': got number, want boolean or object".to_owned(),
        ),
        (
            r#"{"patternProperties":{"a(":{}}}"#,
            newest,
            "- at '': 'allOf' failed\n  - at '': invalid propertyName 'a('\n    - at '': 'a(' is not valid regex: error parsing regexp: missing closing ): `a(`".to_owned(),
        ),
        (
            r#"{"$schema":"https://json-schema.org/draft/2019-09/schema","properties":{"a":{"type":"nope","minimum":"x"}}}"#,
            "https://json-schema.org/draft/2019-09/schema",
            format!("- at '': 'allOf' failed\n  - at '/properties/a': 'allOf' failed\n    - at '/properties/a': validation failed\n      - at '/properties/a/type': 'anyOf' failed\n        - at '/properties/a/type': {types}\n        - at '/properties/a/type': got string, want array\n      - at '/properties/a/minimum': got string, want number"),
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-06/schema#","type":["string","string"]}"#,
            "http://json-schema.org/draft-06/schema",
            format!("- at '/type': 'anyOf' failed\n  - at '/type': {types}\n  - at '/type': items at 0 and 1 are equal"),
        ),
        (
            r#"{"$schema":"json-schema.org/draft-07/schema"}"#,
            "http://json-schema.org/draft-07/schema",
            "- at '/$schema': 'json-schema.org/draft-07/schema' is not valid uri: relative url".to_owned(),
        ),
    ] {
        let want = refused(draft, &want);
        let lines = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            // Helm itself puts properties in any order.
            lines.sort();
            lines
        };
        assert_eq!(lines(&complaint(schema, "{}")), lines(&want), "{schema}");
    }
    for (schema, want) in [
        (r#"{"$schema":"nope"}"#, "failing loading \"nope\": no URLLoader registered for \"nope\""),
        (
            r##"{"properties":{"z":{"$ref":"#/nope"}}}"##,
            "json-pointer in \"file:///values.schema.json#/nope\" not found",
        ),
        (r##"{"$defs":{"z":{"$ref":"#/nope"}}}"##, ""),
        (
            r##"{"$ref":"#foo"}"##,
            "anchor in \"file:///values.schema.json#foo\" not found in schema \"file:///values.schema.json\"",
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"i":{"minimum":5,"exclusiveMinimum":true}}}"#,
            "- at '/i': exclusiveMinimum: got 5, want 5\n",
        ),
        (
            r#"{"properties":{"l":{"prefixItems":[true],"items":false}}}"#,
            "- at '/l/0': false schema\n",
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"s":{"format":"email"}}}"#,
            "- at '/s': 'a b' is not valid email: missing @\n",
        ),
    ] {
        assert_eq!(complaint(schema, "{i: 5, l: [1, 2], s: a b}"), want, "{schema}");
    }
}

#[test]
fn commands_do_not_install_libraries_and_halves() {
    let library =
        chart(&[("Chart.yaml", "{apiVersion: v2, name: l, version: 1.0.0, type: library}")]);
    let error = library.check_installable().unwrap_err();
    assert_eq!(error.to_string(), "library charts are not installable");
    let half = chart(&[(
        "Chart.yaml",
        "{apiVersion: v2, name: h, version: 1.0.0, dependencies: [{name: x, version: '1'}]}",
    )]);
    let error = half.check_installable().unwrap_err().to_string();
    assert!(error.ends_with("found in Chart.yaml, but missing in charts/ directory: x"), "{error}");
}

#[test]
fn charts_of_other_formats_are_not_loaded() {
    for (metadata, want) in [
        ("{apiVersion: v3, name: a, version: 1.0.0}", "invalid chart apiVersion"),
        ("{apiVersion: v9, name: a, version: 1.0.0}", "unsupported chart version"),
        (
            "[]",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type loader.chartBase",
        ),
    ] {
        let files = vec![ChartFile { name: "Chart.yaml".to_owned(), bytes: metadata.into() }];
        assert_eq!(Chart::from_files_of_any_format(files).unwrap_err().to_string(), want);
    }
}

#[test]
fn a_hostile_schema_ends() {
    for schema in [
        r##"{"$ref":"#"}"##.to_owned(),
        r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##.to_owned(),
        format!("{}true{}", r#"{"not":"#.repeat(100), "}".repeat(100)),
        format!("{}true{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000)),
        r#"{"properties":{"a":{"pattern":"(a{1000}){1000}"}}}"#.to_owned(),
    ] {
        let started = std::time::Instant::now();
        drop(complaint(&schema, "a: x"));
        assert!(
            started.elapsed() < std::time::Duration::from_secs(2),
            "{}",
            &schema[..40.min(schema.len())]
        );
    }
}
