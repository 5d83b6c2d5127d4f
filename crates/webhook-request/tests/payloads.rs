//! Payloads as the services document them: whole, without any one member, and none at all.

#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

mod sender;

use std::collections::BTreeMap;

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

/// How often payloads that lack something get which answer.
#[test]
fn what_lacks_something_is_taken_or_refused() {
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases() {
        let name = case["kind"].as_str().unwrap();
        let kind = Kind::named(name).unwrap();
        let headers = headers(case["headers"].as_object().unwrap());
        for part in partial(&case["body"]) {
            let answer = match judged(kind, part.to_string().as_bytes(), &headers) {
                Ok(_) => "taken".to_owned(),
                Err(error) => error.to_string(),
            };
            *answers.entry(format!("{name}: {answer}")).or_default() += 1;
        }
    }
    let answers: Vec<_> = answers.iter().map(|(what, count)| format!("{count} {what}")).collect();
    assert_eq!(answers, include_str!("tables/partial.txt").lines().collect::<Vec<_>>());
}

/// What GitHub sends as a form is taken, but filters do not see it.
#[test]
fn forms() {
    let taken = |content_type: &'static str, body: &str| {
        let content_type = HeaderValue::from_static(content_type);
        let headers = [(http::header::CONTENT_TYPE, content_type)].into_iter().collect();
        judged(Kind::GitHub, body.as_bytes(), &headers)
    };
    let form = "application/x-www-form-urlencoded";
    let push = "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%7D";
    for content_type in [form, "Application/X-WWW-Form-Urlencoded; charset=utf-8"] {
        let payload = taken(content_type, push).unwrap();
        assert_eq!((&payload, payload.json(b"").unwrap()), (&Payload::Opaque, json!({})));
    }
    for body in ["payload=%7", "payload=%zz", "%", "a=1;b=2"] {
        assert!(matches!(taken(form, body), Err(Rejected::Form)), "{body}");
    }
    for body in ["", "payload", "a=%25%7b&b=+"] {
        assert!(taken(form, body).is_ok(), "{body}");
    }
    assert!(matches!(taken("text/plain", push), Err(Rejected::ContentType { .. })));
}

/// What filters see of a body.
#[test]
fn bodies() {
    let seen = |content_type: &'static str, body: &str| {
        let content_type = HeaderValue::from_static(content_type);
        let headers = [(http::header::CONTENT_TYPE, content_type)].into_iter().collect();
        let payload = judged(Kind::Generic, body.as_bytes(), &headers).unwrap();
        payload.json(body.as_bytes()).ok()
    };
    let one = json!({"a": 1});
    for content_type in
        ["application/json", "Application/JSON; charset=utf-8", "a/b, application/json"]
    {
        assert_eq!(seen(content_type, r#"{"a": 1} and more"#), Some(one.clone()), "{content_type}");
    }
    for body in ["[1]", "1", "", "{", "no"] {
        assert_eq!(seen("application/json", body), None, "{body}");
        assert_eq!(seen("text/plain", body), Some(json!({})), "{body}");
    }
    assert_eq!(seen("application/json", "null"), Some(json!({})));
}

/// Google's registries say null where there is no tag.
#[test]
fn a_digest_without_a_tag() {
    // {"action":"DELETE","digest":"d","tag":null}
    let data = "eyJhY3Rpb24iOiJERUxFVEUiLCJkaWdlc3QiOiJkIiwidGFnIjpudWxsfQ==";
    let body = json!({"message": {"data": data}}).to_string();
    let payload = judged(Kind::Gcr, body.as_bytes(), &HeaderMap::new()).unwrap();
    let wanted = json!({"action": "DELETE", "digest": "d", "tag": ""});
    assert_eq!(payload, Payload::Unwrapped(wanted));
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
