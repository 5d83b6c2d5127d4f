//! What Flux's notifiers sent for the same events, recorded by `crates/parity/oracles/providers`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what tests share fails as tests do")]

#[path = "golden/otlp.rs"]
mod otlp;

use std::collections::BTreeMap;

use alert_message::{Answer, Error, Kind, Place, Provider, Request, Step, begin};
use event_api::Event;
use secret_text::Secret;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    name: String,
    provider: Settings,
    event: Event,
    #[serde(default)]
    replies: Vec<Reply>,
    #[serde(default)]
    requests: Vec<Recorded>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Settings {
    #[serde(rename = "type")]
    kind: String,
    address: String,
    channel: String,
    username: String,
    password: String,
    token: String,
    headers: BTreeMap<String, String>,
    #[serde(rename = "statusID")]
    status_id: String,
    uid: String,
}

#[derive(Deserialize)]
struct Reply {
    method: String,
    path: String,
    status: u16,
    body: Value,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Recorded {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Requests that a library of Flux sends and that say nothing: which version, who am I first.
const CHATTER: [&str; 2] = ["GET /api/v1/version", "OPTIONS /acme/_apis"];

#[test]
fn providers_are_told_what_flux_tells_them() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("golden/providers.json")).unwrap();
    let mut differing = Vec::new();
    for case in &cases {
        let (requests, error) = play(case);
        let want: Vec<_> =
            case.requests.iter().filter(|request| is_telling(request)).map(canonical).collect();
        let got: Vec<_> = requests.iter().map(canonical).collect();
        // What fails is not told; how much was asked before is the library's own affair.
        if want != got && case.error.is_empty() {
            differing.push(format!("{}:\n  flux {want:#?}\n  ours {got:#?}", case.name));
        }
        let wanted = masked(&case.error, &case.provider.address);
        if !is_same_error(case, &wanted, &error) {
            differing.push(format!("{}:\n  flux error {wanted}\n  ours error {error}", case.name));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

fn is_telling(request: &Recorded) -> bool {
    let path = url::Url::parse(&request.url).unwrap().path().to_owned();
    !CHATTER.contains(&format!("{} {path}", request.method).as_str())
}

/// Plays a conversation with the replies of the case.
fn play(case: &Case) -> (Vec<Recorded>, String) {
    let mut requests = Vec::new();
    let mut step = begin(&provider(&case.provider), &case.event, Place::Alone);
    loop {
        step = match step {
            Ok(Step::Ask(request, then)) => {
                let request = recorded(&request);
                let answer = answer(case, &request);
                requests.push(request);
                then(&answer)
            }
            Ok(Step::Done | Step::Begun(_) | Step::Publish(_)) => return (requests, String::new()),
            Err(error) => return (requests, Error::to_string(&error).replace('\'', "")),
        };
    }
}

fn provider(settings: &Settings) -> Provider {
    Provider {
        channel: settings.channel.clone(),
        username: settings.username.clone(),
        password: Secret::new(settings.password.as_str()),
        token: Secret::new(settings.token.as_str()),
        headers: settings
            .headers
            .iter()
            .map(|(k, v)| (k.clone(), Secret::new(v.as_str())))
            .collect(),
        status_id: settings.status_id.clone(),
        uid: settings.uid.clone(),
        alert: alert_message::AlertIdentity {
            name: "on-call".to_owned(),
            namespace: "apps".to_owned(),
            uid: "6f1c2a9e-9f5b-4d5e-8a57-2f3a7c9b1d10".to_owned(),
        },
        ..Provider::new(Kind::named(&settings.kind).unwrap(), settings.address.as_str())
    }
}

fn recorded(request: &Request) -> Recorded {
    let (content_type, body) = match &request.body {
        Some((content_type @ "application/x-protobuf", body)) => {
            (Some(*content_type), otlp::read(body).to_string())
        }
        Some((content_type, body)) => {
            (Some(*content_type), String::from_utf8(body.clone()).unwrap())
        }
        None => (None, String::new()),
    };
    let mut headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
        .collect();
    headers.extend(content_type.map(|value| ("Content-Type".to_owned(), value.to_owned())));
    assert!(request.shared_key.is_none(), "no recorded case is signed with a time");
    let (method, url) = (request.method.name().to_owned(), request.url.to_string());
    Recorded { method, url, headers, body }
}

fn answer(case: &Case, request: &Recorded) -> Answer {
    let path = url::Url::parse(&request.url).unwrap().path().to_owned();
    let decoded = path.replace("%2F", "/");
    case.replies
        .iter()
        .find(|reply| reply.method == request.method && decoded.starts_with(&reply.path))
        .map_or_else(
            || Answer { status: 200, body: b"{}".to_vec() },
            |reply| Answer { status: reply.status, body: reply.body.to_string().into_bytes() },
        )
}

/// A request without what carries no meaning: the order of members and headers, and the order of
/// facts where Flux prints a map as it comes.
fn canonical(request: &Recorded) -> Recorded {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.split(';').next().unwrap().to_owned()))
        .filter(|(name, _)| !name.starts_with("x-tfs-"))
        .filter(|(name, _)| name != "content-type" || !request.body.is_empty())
        .map(|(name, value)| match name.as_str() {
            "x-sentry-auth" => (name, value.rsplit("sentry_key").next().unwrap().to_owned()),
            _ => (name, value),
        })
        .collect();
    let text = envelope(request).unwrap_or_else(|| request.body.clone());
    let body = match serde_json::from_str::<Value>(&text) {
        Ok(mut body) => {
            if let Some(span) = body.pointer_mut("/resourceSpans/0/scopeSpans/0/spans/0") {
                span.as_object_mut()
                    .unwrap()
                    .retain(|key, _| key != "spanId" && key != "endTimeUnixNano");
            }
            format!("{:#}", sorted(body))
        }
        Err(_) => request.body.clone(),
    };
    let mut url = url::Url::parse(&request.url).unwrap();
    let mut query: Vec<_> = url.query_pairs().into_owned().collect();
    // Azure DevOps takes its version from the address as well as from the header of its library.
    query.retain(|(key, _)| key != "api-version");
    query.sort();
    url.set_query(None);
    Recorded { method: request.method.clone(), url: format!("{url}?{query:?}"), headers, body }
}

/// The item of one of our envelopes as the recorder keeps Flux's: without what describes the sender.
fn envelope(request: &Recorded) -> Option<String> {
    let (_, rest) = request.body.split_once('\n')?;
    let (header, item) = rest.split_once('\n')?;
    let header: Value = serde_json::from_str(header).ok()?;
    let mut item: Value = serde_json::from_str(item).ok()?;
    let members = item.as_object_mut()?;
    for key in ["platform", "event_id", "spans"] {
        members.remove(key);
    }
    if let Some(trace) = item.pointer_mut("/contexts/trace") {
        trace["trace_id"] = Value::from("");
        trace["span_id"] = Value::from("");
    }
    Some(serde_json::json!({"type": header["type"], "item": item}).to_string())
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::String(text) => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            lines.sort_unstable();
            Value::String(lines.join("\n"))
        }
        other => other,
    }
}

/// Cases that fail in other words: what Flux prints there is the text of a library.
const OTHER_WORDS: [&str; 6] = [
    "bitbucketserver-nohash",
    "bitbucketserver-sha256",
    "bitbucketserver-trace",
    "bitbucketserver-refused-4",
    "gitlabmergerequestcomment-badchange",
    "sentry-refused-10",
];

/// Kinds whose libraries keep failures to themselves. We tell them.
const SILENT: [&str; 2] = ["otel", "sentry"];

fn is_same_error(case: &Case, wanted: &str, error: &str) -> bool {
    if OTHER_WORDS.contains(&case.name.as_str()) {
        return !error.is_empty() && wanted != error;
    }
    if SILENT.contains(&case.provider.kind.as_str()) && case.name.contains("-status-") {
        return wanted.is_empty() && error.contains("failed with status code");
    }
    // Three kinds do not say what is wrong with an address; ours always do.
    let says_less = ["googlechat", "grafana", "lark"].contains(&case.provider.kind.as_str());
    if says_less && !wanted.is_empty() { error.starts_with(wanted) } else { error == wanted }
}

/// Flux prints addresses in errors, with and without quotes; we do not.
fn masked(error: &str, address: &str) -> String {
    let error = error.replace('\'', "");
    if address.is_empty() {
        return error.replace("URL :", "URL <address>:");
    }
    let error = error.replace(&format!("{address:?}"), "<address>").replace(address, "<address>");
    // The libraries for git services print what they asked.
    let words: Vec<&str> = error
        .split(' ')
        .map(|word| match word.strip_suffix(':') {
            Some(url) if url.starts_with("https://") => "<address>:",
            _ => word,
        })
        .collect();
    words.join(" ")
}
