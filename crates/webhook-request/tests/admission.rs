//! Who is let in, and who is not.

#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use secret_text::Secret;
use webhook_request::token::{bearer, claimed_issuer};
use webhook_request::{Kind, Payload, Rejected, Request, admit, path};

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn try_in(
    kind: Kind,
    pairs: &[(&str, &str)],
    body: &str,
    events: &[&str],
) -> Result<Payload, Rejected> {
    let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
    let headers = headers(pairs);
    admit(kind, &Secret::new("abc"), &events, Request { headers: &headers, body: body.as_bytes() })
}

fn signed(body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"abc").unwrap();
    mac.update(body.as_bytes());
    format!("sha256={:x}", mac.finalize().into_bytes())
}

fn signed_by_nexus(body: &str) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"abc").unwrap();
    mac.update(body.as_bytes());
    format!("{:x}", mac.finalize().into_bytes())
}

/// Flux: SHA-256 of the three, one after the other.
#[test]
fn paths_are_digests_of_token_name_and_namespace() {
    let path = path(&Secret::new("token"), "name", "namespace");
    assert_eq!(path, "/hook/033cd85fb94eef8b750b62b37d50fa65adb47b1f0ab5d6a8f9f6692e516e686a");
}

#[test]
fn a_signature_lets_in_and_a_wrong_one_does_not() {
    // The first of these was sent to Flux (scenario `receiver-hmac`).
    let right = "sha256=19092633e5aa9a849dfcc9d2df4e76db2df1fcba7f38915f2c7833bd8a510f2f";
    assert!(try_in(Kind::GenericHmac, &[("X-Signature", right)], "{}", &[]).is_ok());
    for wrong in [
        "sha256=eec48bdc214a89dbff08a0e2f12083a31f8e62a248a980f78c5c5a1f94a94fcf",
        "sha256=",
        "sha256=19",
        "sha256=zz",
        "md5=19",
        "19092633e5aa9a849dfcc9d2df4e76db2df1fcba7f38915f2c7833bd8a510f2f",
        "",
    ] {
        assert!(
            try_in(Kind::GenericHmac, &[("X-Signature", wrong)], "{}", &[]).is_err(),
            "{wrong}"
        );
    }
    assert!(try_in(Kind::GenericHmac, &[("X-Signature", right)], "{ }", &[]).is_err());
    assert!(try_in(Kind::GenericHmac, &[], "{}", &[]).is_err());
    let twice = [("X-Signature", right), ("X-Signature", right)];
    assert!(try_in(Kind::GenericHmac, &twice, "{}", &[]).is_err());
}

#[test]
fn github_is_known_by_its_signature_and_its_events() {
    let body = r#"{"zen":"x"}"#;
    let signature = signed(body);
    let json = ("Content-Type", "application/json");
    let hub =
        |event| [json, ("X-Hub-Signature-256", signature.as_str()), ("X-GitHub-Event", event)];
    assert_eq!(try_in(Kind::GitHub, &hub("push"), body, &["Push", "ping"]).unwrap(), Payload::Body);
    let other = try_in(Kind::GitHub, &hub("issues"), body, &["push"]).unwrap_err();
    assert_eq!(other.to_string(), "the GitHub event \"issues\" is not authorised");
    let unsigned =
        try_in(Kind::GitHub, &[json, ("X-GitHub-Event", "push")], body, &[]).unwrap_err();
    assert_eq!(unsigned.to_string(), "the GitHub signature header is invalid");
    let form = [("Content-Type", "text/plain"), ("X-Hub-Signature-256", signature.as_str())];
    let refused = try_in(Kind::GitHub, &form, body, &[]).unwrap_err();
    assert_eq!(refused.to_string(), "webhook request has unsupported Content-Type \"text/plain\"");
}

#[test]
fn an_empty_token_lets_nobody_in() {
    let headers = headers(&[("Content-Type", "application/json"), ("X-Gitlab-Token", "")]);
    for kind in Kind::all().filter(|kind| kind.has_token()) {
        let request = Request { headers: &headers, body: b"{}" };
        let refused = admit(kind, &Secret::default(), &[], request).unwrap_err();
        assert!(matches!(refused, Rejected::EmptyToken), "{kind:?}");
    }
}

#[test]
fn tokens_and_payloads_of_the_services() {
    let nexus = r#"{"action":"CREATED","repositoryName":"r"}"#;
    let nexus_signature = signed_by_nexus(nexus);
    let event = r#"{"context":{"version":"0.4.1","id":"1","source":"/s","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2026-03-04T05:06:07Z"},"subject":{"id":"mr","type":"change","content":{}}}"#;
    for (kind, headers, body, is_in) in [
        (Kind::Generic, vec![], "anything", true),
        (Kind::GitLab, vec![("X-Gitlab-Token", "abc")], "", true),
        (Kind::GitLab, vec![("X-Gitlab-Token", "abcd")], "", false),
        (Kind::GitLab, vec![], "", false),
        (Kind::Harbor, vec![("Authorization", "abc")], "", true),
        (Kind::Harbor, vec![("Authorization", "Bearer abc")], "", false),
        (Kind::Nexus, vec![("X-Nexus-Webhook-Signature", nexus_signature.as_str())], nexus, true),
        (Kind::Nexus, vec![], nexus, false),
        (
            Kind::DockerHub,
            vec![],
            r#"{"push_data":{"tag":"1"},"repository":{"repo_url":"u"}}"#,
            true,
        ),
        (Kind::DockerHub, vec![], r#"{"push_data":{"tag":1}}"#, false),
        (Kind::Quay, vec![], r#"{"docker_url":"u","updated_tags":["a"]}"#, true),
        (Kind::Quay, vec![], "[]", false),
        (Kind::Acr, vec![], r#"{"action":"push","target":{"repository":"r","tag":"t"}}"#, true),
        (Kind::Acr, vec![], "not json", false),
        (Kind::CdEvents, vec![("Ce-Type", "dev.cdevents.change.merged.0.2.0")], event, true),
        (Kind::CdEvents, vec![], "{}", false),
        (Kind::Gcr, vec![], r#"{"message":{"data":"bm90IGpzb24="}}"#, false),
    ] {
        assert_eq!(try_in(kind, &headers, body, &[]).is_ok(), is_in, "{kind:?} {headers:?} {body}");
    }
    let push = r#"{"message":{"data":"eyJhY3Rpb24iOiJJTlNFUlQiLCJ0YWciOiJyOjEifQ=="}}"#;
    let unwrapped = try_in(Kind::Gcr, &[], push, &[]).unwrap().json(push.as_bytes()).unwrap();
    assert_eq!(unwrapped, serde_json::json!({"action": "INSERT", "digest": "", "tag": "r:1"}));
}

proptest! {
    #[test]
    fn whatever_comes_is_judged(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        values in proptest::collection::vec("[ -~]{0,60}", 10),
    ) {
        let names = [
            "x-signature", "x-hub-signature", "x-hub-signature-256", "x-github-event", "x-gitlab-token",
            "authorization", "x-nexus-webhook-signature", "ce-type", "content-type", "x-event-key",
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in names.into_iter().zip(&values) {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        for kind in Kind::all() {
            let request = Request { headers: &headers, body: &body };
            let verdict = admit(kind, &Secret::new("a secret that nobody guesses"), &[], request);
            let proves = matches!(kind, Kind::GenericHmac | Kind::GitHub | Kind::GitLab | Kind::Bitbucket | Kind::Harbor | Kind::Nexus);
            prop_assert!(!(proves && verdict.is_ok()), "{kind:?}");
        }
        if let Ok(token) = bearer(&headers) {
            prop_assert!(claimed_issuer(token).is_err(), "{token}");
        }
    }
}
