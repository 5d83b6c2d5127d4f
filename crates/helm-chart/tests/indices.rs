//! Repository indices, small, broken and large.

use std::io::{BufReader, Read};

use helm_chart::index::{Index, Keep};

const INDEX: &str = r"
apiVersion: v1
entries:
  web:
    - name: web
      version: 1.10.0
      urls: [https://x/web-1.10.0.tgz]
      digest: abc
      created: 2020-01-01T00:00:00Z
    - null
    - name: web
      version: 1.9.0
      urls: [web-1.9.0.tgz]
    - name: web
      version: not.a.version
    - name: web
    - {name: web, version: 2.0.0-rc.1, deprecated: yes, keywords: [1, two]}
    - {name: web, version: 2, dependencies: [{name: a}, {name: a}]}
    - {name: web, version: [x]}
  empty: []
  nothing:
";

#[test]
fn broken_entries_are_skipped() {
    let index = Index::read(INDEX.as_bytes(), Keep::All).unwrap();
    let versions: Vec<&str> = index.versions("web").iter().map(|e| &*e.version).collect();
    assert_eq!(versions, ["2", "2.0.0-rc.1", "1.10.0", "1.9.0"]);
    assert_eq!(index.skipped(), 4);
    assert_eq!(index.charts().collect::<Vec<_>>(), ["empty", "nothing", "web"]);
}

#[test]
fn a_version_is_found_as_helm_finds_it() {
    let index = Index::read(INDEX.as_bytes(), Keep::Chart("web")).unwrap();
    let find = |range: &str| {
        index.find("web", range).map(|e| e.version.to_string()).map_err(|e| e.to_string())
    };
    assert_eq!(find("").unwrap(), "2");
    assert_eq!(find("1.x").unwrap(), "1.10.0");
    assert_eq!(find("~1.9").unwrap(), "1.9.0");
    assert_eq!(find("2.0.0-rc.1").unwrap(), "2.0.0-rc.1");
    assert_eq!(find(">=1-0 <2-0").unwrap(), "1.10.0");
    assert_eq!(find("3").unwrap_err(), "no chart version found for web-3");
    assert_eq!(find("latest").unwrap_err(), "improper constraint: \"latest\"");
    assert_eq!(index.find("other", "").unwrap_err().to_string(), "no chart name found");
}

#[test]
fn what_is_no_index_is_refused() {
    let refusal = |text: &str| Index::read(text.as_bytes(), Keep::All).unwrap_err().to_string();
    assert_eq!(refusal(""), "empty index.yaml file");
    assert_eq!(refusal("entries: {}"), "no API version specified");
    assert_eq!(
        refusal("apiVersion: v1\nentries: {}\nentries: []"),
        "error converting YAML to JSON: yaml: key \"entries\" already set in map"
    );
    assert_eq!(refusal("[]"), "cannot read index: the document is no map");
    assert_eq!(refusal("apiVersion: v1\nentries: []"), "cannot read index: entries is no map");
    assert!(refusal("a: [").starts_with("error converting YAML to JSON: yaml: "));
    let deep =
        format!("apiVersion: v1\nentries: {{a: [{}]}}", "[".repeat(1000) + &"]".repeat(1000));
    assert_eq!(Index::read(deep.as_bytes(), Keep::All).unwrap().skipped(), 1);
}

#[test]
fn json_is_an_index_too() {
    let json =
        r#"{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"0.1.0","urls":["a.tgz"]}]}}"#;
    let index = Index::read(json.as_bytes(), Keep::All).unwrap();
    assert_eq!(&*index.versions("a")[0].urls[0], "a.tgz");
}

/// An index of a size that must not be held: it is made while it is read.
struct Endless {
    left: usize,
    line: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.line.is_empty() {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            let (chart, version) = (self.left / 100, self.left % 100);
            let head = if version == 99 { format!("  chart-{chart}:\n") } else { String::new() };
            let text = "lorem ipsum ".repeat(40);
            self.line = format!(
                "{head}  - name: chart-{chart}\n    version: 1.{version}.0\n    description: {text}\n"
            )
            .into_bytes();
        }
        let count = buffer.len().min(self.line.len());
        buffer[..count].copy_from_slice(&self.line[..count]);
        self.line.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_large_index_is_read_as_a_stream() {
    let head = &b"apiVersion: v1\nentries:\n"[..];
    let body = Endless { left: 10_000, line: Vec::new() };
    let index = Index::read(BufReader::new(head.chain(body)), Keep::Chart("chart-7")).unwrap();
    assert_eq!(index.charts().count(), 1);
    assert_eq!(&*index.find("chart-7", "").unwrap().version, "1.99.0");
}
