//! Payloads as the services document them: whole, without any one member, and none at all.

#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

mod sender;

use http::{HeaderMap, HeaderName, HeaderValue};
use secret_text::Secret;
use sender::{TOKEN, prove};
use serde_json::{Map, Value, json};
use webhook_request::{Kind, Payload, Rejected, Request, admit};

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("tables/payloads.json")).unwrap()
}

/// The headers of a table.
fn headers(of: &Map<String, Value>) -> HeaderMap {
    let text = |value: &Value| HeaderValue::from_str(value.as_str().unwrap()).unwrap();
    of.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), text(value))).collect()
}

fn judged(kind: Kind, body: &[u8], headers: &HeaderMap) -> Result<Payload, Rejected> {
    let mut headers = headers.clone();
    prove(kind, body, &mut headers);
    let judged = admit(kind, &Secret::new(TOKEN), &[], Request { headers: &headers, body });
    if let Ok(payload) = &judged {
        // Filters see it or see why not.
        drop(payload.json(body));
    }
    judged
}

/// The value without each of its members and items, one at a time, and with null in their place.
fn partial(value: &Value) -> Vec<Value> {
    let mut all = vec![Value::Null];
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                all.push(without.into());
                all.extend(partial(member).into_iter().map(|part| {
                    let mut with = members.clone();
                    with.insert(name.clone(), part);
                    with.into()
                }));
            }
        }
        Value::Array(items) => {
            all.push(json!([]));
            for (at, item) in items.iter().enumerate() {
                all.extend(partial(item).into_iter().map(|part| {
                    let mut with = items.clone();
                    with[at] = part;
                    with.into()
                }));
            }
        }
        _ => {}
    }
    all
}

#[test]
fn what_the_services_send_is_taken() {
    let cases = cases();
    for case in &cases {
        let kind = Kind::named(case["kind"].as_str().unwrap()).unwrap();
        let headers = headers(case["headers"].as_object().unwrap());
        let taken = judged(kind, case["body"].to_string().as_bytes(), &headers);
        assert!(taken.is_ok(), "{kind:?}, {}: {taken:?}", case["what"]);
    }
    let has =
        |kind| cases.iter().any(|case| Kind::named(case["kind"].as_str().unwrap()) == Some(kind));
    assert!(Kind::all().all(has));
}

#[test]
fn what_lacks_something_is_taken_or_refused() {
    let mut judgements = 0;
    for case in cases() {
        let kind = Kind::named(case["kind"].as_str().unwrap()).unwrap();
        let headers = headers(case["headers"].as_object().unwrap());
        for part in partial(&case["body"]) {
            drop(judged(kind, part.to_string().as_bytes(), &headers));
            judgements += 1;
        }
    }
    assert!(judgements > 250, "{judgements}");
}

/// Only the services whose payload Flux decodes refuse one that is empty.
#[test]
fn empty_payloads() {
    let json: HeaderMap =
        [(http::header::CONTENT_TYPE, "application/json".parse().unwrap())].into_iter().collect();
    for kind in Kind::all() {
        let taken = |body: &str| judged(kind, body.as_bytes(), &json).is_ok();
        let decodes = matches!(
            kind,
            Kind::DockerHub | Kind::Quay | Kind::Acr | Kind::Nexus | Kind::Gcr | Kind::CdEvents
        );
        for body in ["", "[]", "0", "{", "\"\""] {
            assert_eq!(taken(body), !decodes, "{kind:?} {body}");
        }
        assert_eq!(taken("{}"), !matches!(kind, Kind::Gcr | Kind::CdEvents), "{kind:?}");
    }
}
