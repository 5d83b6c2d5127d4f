//! Secrets stay secret: each place where a controller reads one holds a canary of its own, everything
//! is logged, things go well and wrong, and then no canary may be found where people look.

mod applying;
mod charts;
mod providers;
mod receivers;

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use system_tests::World;
use testbed::{Received, StackFlags};

use crate::plain_http::ask;

/// Controllers that log all they can.
fn world() -> &'static World {
    static WORLD: OnceLock<&'static World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let all = || vec!["--log-level=trace".to_owned()];
        World::own_with(StackFlags {
            source: all(),
            kustomize: all(),
            helm: Some(all()),
            notification: Some(all()),
        })
    })
}

/// Unique texts, with the places where they were put.
#[derive(Debug, Default)]
struct Canaries(RefCell<Vec<Canary>>);

#[derive(Clone, Debug)]
struct Canary {
    place: String,
    /// The text, and what becomes of it in base64.
    forms: Vec<String>,
}

impl Canaries {
    /// A new one for a place.
    fn put(&self, place: &str) -> String {
        let random = RandomState::new();
        let text = format!("Canary{:016x}{:016x}", random.hash_one(place), random.hash_one("2"));
        self.watch(place, &text);
        text
    }

    /// Cares for a text that is what it is.
    fn watch(&self, place: &str, text: &str) {
        // Whatever stands before it, one of three shifts is what it became in base64.
        let encoded = (0..3).map(|shift: usize| {
            let before = "x".repeat(shift);
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{text}"));
            // The first and the last letters depend on what is around.
            encoded[4 * shift.div_ceil(3)..encoded.len() - 2].to_owned()
        });
        let forms = encoded.chain([text.to_owned()]).collect();
        self.0.borrow_mut().push(Canary { place: place.to_owned(), forms });
    }

    /// The places whose canaries a text holds.
    fn found_in(&self, text: &str) -> Vec<String> {
        let all = self.0.borrow();
        let is_in = |canary: &&Canary| canary.forms.iter().any(|form| text.contains(form.as_str()));
        all.iter().filter(is_in).map(|canary| canary.place.clone()).collect()
    }

    /// Where a text tells what it should not: a line of it each.
    fn leaks(&self, title: &str, text: &str) -> Vec<String> {
        let mut leaks = Vec::new();
        for canary in self.0.borrow().iter() {
            for form in &canary.forms {
                let Some(at) = text.find(form.as_str()) else { continue };
                let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
                let line = line.max(text.floor_char_boundary(at.saturating_sub(300)));
                let end = text.floor_char_boundary((at + form.len() + 100).min(text.len()));
                leaks.push(format!("{} in {title}: …{}…", canary.place, &text[line..end]));
                break;
            }
        }
        leaks
    }

    /// Fails if one is told in logs, events, status or metrics, or something panicked.
    async fn assert_untold(&self) {
        let mut leaks = Vec::new();
        for log in world().logs() {
            let text = String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned();
            assert!(!text.contains("panicked"), "{} panicked", log.display());
            assert!(text.contains("\"trace\""), "{} says little", log.display());
            leaks.extend(self.leaks(&log.file_name().unwrap().to_string_lossy(), &text));
        }
        leaks.extend(self.leaks("events", &kubectl(&["get", "events", "-A", "-o", "json"])));
        let kinds = kubectl(&["api-resources", "--no-headers", "-o", "name"]);
        let kinds: Vec<_> =
            kinds.lines().filter(|kind| kind.ends_with(".toolkit.fluxcd.io")).collect();
        let objects = kubectl(&["get", &kinds.join(","), "-A", "-o", "json"]);
        let objects: Value = serde_json::from_str(&objects).unwrap();
        for object in objects["items"].as_array().unwrap() {
            let told = json!([object["status"], object["metadata"]]).to_string();
            leaks.extend(self.leaks(&object["metadata"]["name"].to_string(), &told));
        }
        let metrics: Vec<_> = world().stack().lock().await.metrics().map(str::to_owned).collect();
        assert_eq!(metrics.len(), 4);
        for url in metrics {
            let answer = ask("GET", &url, &[], "").await.unwrap();
            assert!(answer.body.contains("process_cpu"), "{answer:?}");
            leaks.extend(self.leaks(&url, &answer.body));
        }
        assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    }
}

/// All that was sent in a request, in one text.
fn sent(request: &Received) -> String {
    format!("{} {:?} {}", request.path, request.headers, request.text)
}

fn kubectl(args: &[&str]) -> String {
    world().cluster().kubectl(args).unwrap()
}

#[test]
fn canaries_are_found_in_base64_too() {
    let canaries = Canaries::default();
    let text = canaries.put("somewhere");
    for before in ["", "u:", "user:", "s3:"] {
        let encoded = STANDARD_NO_PAD.encode(format!("{before}{text}\n"));
        assert_eq!(canaries.found_in(&format!("Basic {encoded}")), ["somewhere"], "{before}");
        assert_eq!(canaries.leaks("log", &format!("a\nb {encoded}")).len(), 1);
    }
    assert!(canaries.found_in("nothing").is_empty());
}
