//! Receivers whose senders an identity provider vouches for.

use std::time::Duration;

use crate::incidents::Notified;
use crate::notifications::{post, secret, world};
use anyhow::ensure;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use system_tests::{Kind, Replica, Scene};
use testbed::{Ca, Issuer, eventually};

const PATIENCE: Duration = Duration::from_mins(1);
const ASKED: &str = "reconcile.fluxcd.io/requestedAt";

fn receiver(name: &str, spec: &Value) -> Value {
    let mut full = json!({"resources": [{"kind": "GitRepository", "name": "app"}]});
    full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({
        "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
        "metadata": {"name": name}, "spec": full,
    })
}

async fn path(scene: &Scene, name: &str) -> String {
    scene.until_ready(Kind::Receiver, name, "Receiver initialized").await.unwrap();
    let receiver = scene.get(Kind::Receiver, name).await.unwrap();
    receiver["status"]["webhookPath"].as_str().unwrap().to_owned()
}

/// Posts are answered with 404 until the replica has heard of the Receiver.
async fn until_heard_of(replica: &Replica, path: &str) {
    let heard = eventually(PATIENCE, || async {
        let status = post(&replica.webhooks(), path, &[], "{}").await?;
        ensure!(status == 400, "answered {status}");
        Ok(())
    });
    heard.await.unwrap();
}

async fn asked(scene: &Scene) -> Value {
    let object = scene.get(Kind::GitRepository, "app").await.unwrap();
    object["metadata"]["annotations"][ASKED].clone()
}

#[tokio::test]
async fn only_a_right_token_of_the_right_issuer_wakes() {
    let (ca, dir) = (Ca::new("issuer").unwrap(), tempfile::tempdir().unwrap());
    let bundle = dir.path().join("ca.pem");
    std::fs::write(&bundle, ca.certificate_pem()).unwrap();
    let (issuer, stranger) = (Issuer::https(&ca).unwrap(), Issuer::https(&ca).unwrap());
    let replica = Replica::start(world(), &[], &[("SSL_CERT_FILE", &bundle)]).unwrap();
    let notified = Notified::new("oidc").await;
    let scene = &notified.scene;
    scene.apply_source("app", &json!({"suspend": true})).unwrap();
    let spec = json!({"type": "generic-oidc", "oidcProviders": [{
        "issuerURL": issuer.url(),
        "audience": "fleet",
        "variables": [{"name": "repo", "expression": "claims.sub.split(':')[1]"}],
        "validations": [
            {"expression": "vars.repo == 'acme/fleet'", "message": "wrong repository"},
            {"expression": "claims.branch == 'main'", "message": "wrong branch"},
        ],
    }]});
    scene.apply_all(&[receiver("oidc", &spec)]).unwrap();
    let path = path(scene, "oidc").await;

    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "iss": issuer.url(), "aud": ["other", "fleet"], "exp": now + 300, "iat": now,
        "sub": "repo:acme/fleet", "branch": "main",
    });
    let with = |changes: Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let token = |changes: Value| issuer.token(&with(changes)).unwrap();
    let right = token(json!({}));
    let header = |header: Value| issuer.token_with(&header, &claims).unwrap();
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none", "kid": "first"})), part(&claims));
    let (head, rest) = right.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let changed = format!("{head}.{}.{signature}", part(&with(json!({"branch": "dev"}))));
    let unfit = "token is signed with an algorithm that is not accepted";
    let failed = |what: &str| format!("token validation failed: {what}");
    until_heard_of(&replica, &path).await;
    for (what, token, wanted) in [
        ("nothing", String::new(), "the Authorization header is missing or malformed"),
        ("no token", "x.y".to_owned(), "token is not a JWT"),
        ("of nobody", token(json!({"iss": null})), "token is missing the 'iss' claim"),
        (
            "of a stranger",
            stranger.token(&with(json!({"iss": stranger.url()}))).unwrap(),
            "no oidcProvider configured for issuer",
        ),
        (
            "of a stranger with the name of the issuer",
            stranger.token(&claims).unwrap(),
            "the signature of the token is wrong",
        ),
        ("changed", changed, "the signature of the token is wrong"),
        ("unsigned", unsigned, "token is not a JWT"),
        ("none", header(json!({"alg": "none", "kid": "first"})), "token is not a JWT"),
        ("forged", issuer.forged_token(&claims).unwrap(), unfit),
        (
            "other key",
            header(json!({"alg": "RS256", "kid": "other"})),
            "token is signed with a key that its issuer does not publish",
        ),
        (
            "for others",
            token(json!({"aud": "notification-controller"})),
            "token is not for the audience \"fleet\"",
        ),
        ("for nobody", token(json!({"aud": null})), "token is not for the audience \"fleet\""),
        ("expired", token(json!({"exp": now - 1})), "token is expired"),
        ("endless", token(json!({"exp": null})), "token is expired"),
        ("early", token(json!({"nbf": now + 3600})), "token is not valid yet"),
        ("branch", token(json!({"branch": "dev"})), &failed("wrong branch")),
        (
            "both",
            token(json!({"sub": "repo:acme/other", "branch": "dev"})),
            &failed("wrong repository; wrong branch"),
        ),
        ("no variable", token(json!({"sub": "x"})), "failed to evaluate variable \"repo\""),
    ] {
        let before = replica.log().unwrap().len();
        let header = format!("Bearer {token}");
        let status = post(&replica.webhooks(), &path, &[("Authorization", &header)], "{}").await;
        assert_eq!(status.unwrap(), 400, "{what}");
        let log = replica.log().unwrap();
        // The log is JSON.
        let told = log[before..].replace("\\\"", "\"");
        assert!(told.contains(wanted), "{what}: {told} instead of {wanted}");
        assert!(token.is_empty() || !told.contains(&token), "{what}: the token is told");
    }
    let header = format!("Bearer {right}");
    let two = [("Authorization", header.as_str()), ("Authorization", header.as_str())];
    assert_eq!(post(&replica.webhooks(), &path, &two, "{}").await.unwrap(), 400);
    assert!(asked(scene).await.is_null(), "it was woken");

    let one = &two[..1];
    assert_eq!(post(&replica.webhooks(), &path, one, "{}").await.unwrap(), 200);
    assert!(!asked(scene).await.is_null(), "it was not woken");
}

#[tokio::test]
async fn a_new_key_is_fetched_and_the_old_one_forgotten() {
    let (issuer, liar) = (Issuer::http().unwrap(), Issuer::http().unwrap());
    liar.rename("http://127.0.0.1/somebody-else");
    let replica = Replica::start(world(), &[], &[]).unwrap();
    let notified = Notified::new("oidc-keys").await;
    let scene = &notified.scene;
    scene.apply_source("app", &json!({"suspend": true})).unwrap();
    let provider = |issuer: &Issuer| {
        json!({
            "issuerURL": issuer.url(),
            "validations": [{"expression": "claims.sub == 'ci'", "message": "wrong sender"}],
        })
    };
    let providers = json!([provider(&issuer), provider(&liar)]);
    let spec = json!({"type": "generic-oidc", "oidcProviders": providers});
    let gcr = json!({"type": "gcr", "secretRef": {"name": "gcr"}});
    let data = json!({"token": "t", "email": "ci@example.com", "audience": "fleet"});
    let objects = [receiver("oidc", &spec), receiver("gcr", &gcr), secret("gcr", &data)];
    scene.apply_all(&objects).unwrap();
    let (oidc, gcr) = (path(scene, "oidc").await, path(scene, "gcr").await);
    let now = jiff::Timestamp::now().as_second();
    let token = |issuer: &Issuer| {
        let claims = json!({
            "iss": issuer.url(), "aud": "notification-controller", "exp": now + 300, "sub": "ci",
        });
        format!("Bearer {}", issuer.token(&claims).unwrap())
    };
    let sent = async |path: &str, tokens: &[&str]| {
        let headers: Vec<_> = tokens.iter().map(|token| ("Authorization", *token)).collect();
        post(&replica.webhooks(), path, &headers, "{}").await.unwrap()
    };
    let old = token(&issuer);
    eventually(PATIENCE, || async {
        let status = sent(&oidc, &[&old]).await;
        ensure!(status == 200, "answered {status}");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(sent(&oidc, &[&token(&liar)]).await, 400, "it is not who it says it is");
    issuer.rotate("second").unwrap();
    assert_eq!(sent(&oidc, &[&token(&issuer)]).await, 200, "the new key");
    assert_eq!(sent(&oidc, &[&old]).await, 400, "the old key");
    assert_eq!(issuer.asked(), 2);
    // Of whom Google does not vouch for, nothing is asked.
    for tokens in [&[][..], &["Basic eDp5"], &[&old, &old]] {
        assert_eq!(sent(&gcr, tokens).await, 400, "{tokens:?}");
    }
}
