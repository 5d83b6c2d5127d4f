//! GitHub Apps, against a fake that checks what GitHub checks.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::Response;
use http_access::Access;
use jiff::Timestamp;
use key_services::{Ambient, AppError, Bearer, Bearers, Endpoints, GitHubApp};
use serde_json::json;

use crate::fake::{Asked, Public, Rsa, answered, refused, serve, told};

type Entries<'a> = BTreeMap<&'a str, String>;

fn bearers() -> Bearers {
    crate::bearers(Endpoints::default(), Ambient::default())
}

fn entries<'a>(server: &str, key: &str, more: &[(&'a str, &str)]) -> Entries<'a> {
    let mut entries = BTreeMap::from([
        ("githubAppID", "42".to_owned()),
        ("githubAppPrivateKey", key.to_owned()),
        ("githubAppBaseURL", server.to_owned()),
    ]);
    entries.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    entries
}

fn app(entries: &Entries<'_>) -> Result<GitHubApp, AppError> {
    GitHubApp::read(|name| entries.get(name).cloned())
}

async fn token(bearers: &Bearers, entries: &Entries<'_>) -> Result<Bearer, String> {
    let app = app(entries).map_err(|error| told(&error))?;
    let asked = bearers.github_app(&app, true, &Access::default()).await;
    asked.map_err(|error| told(&error))
}

/// GitHub, where `fleet` is an organization with installation 7 and `bob` a user with 8.
fn github(asked: &Asked, public: &Public, life_seconds: i64) -> Response {
    let signed = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    let Some(claims) = public.verified(signed) else { return refused(401) };
    let now = Timestamp::now().as_second();
    let (begin, end) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    let is_now = begin <= now && now < end && end - begin <= 600;
    let has_headers = asked.header("x-github-api-version") == "2022-11-28"
        && asked.header("user-agent").starts_with("ferroflux/");
    if claims["iss"] != "42" || !is_now || !has_headers {
        return refused(401);
    }
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/v3/app") => answered(&json!({"slug": "fleet-bot"})),
        ("GET", "/api/v3/orgs/fleet/installation") => answered(&json!({"id": 7})),
        ("GET", "/api/v3/users/bob/installation") => answered(&json!({"id": 8})),
        ("POST", "/api/v3/app/installations/7/access_tokens") => {
            let end = Timestamp::from_second(now + life_seconds).unwrap();
            answered(&json!({"token": "of-fleet", "expires_at": end.to_string()}))
        }
        ("POST", "/api/v3/app/installations/8/access_tokens") => {
            answered(&json!({"token": "of-bob"}))
        }
        _ => refused(404),
    }
}

/// GitHub for a key, and how often it was asked.
async fn serving(key: &Rsa, life_seconds: i64) -> (String, Arc<AtomicUsize>) {
    let (public, asked) = (key.public(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let server = serve(move |asked| {
        count.fetch_add(1, Ordering::SeqCst);
        github(&asked, &public, life_seconds)
    });
    (server.await + "/api/v3", asked)
}

#[tokio::test]
async fn an_app_signs_and_gets_a_token_of_its_installation() {
    let key = Rsa::generate();
    let (server, _) = serving(&key, 3600).await;
    for (pem, installed, wanted) in [
        (&key.pkcs8, ("githubAppInstallationID", "7"), "of-fleet"),
        (&key.pkcs1(), ("githubAppInstallationID", "7"), "of-fleet"),
        (&key.pkcs8, ("githubAppInstallationOwner", "fleet"), "of-fleet"),
        (&key.pkcs8, ("githubAppInstallationOwner", "bob"), "of-bob"),
    ] {
        let bearer = token(&bearers(), &entries(&server, pem, &[installed])).await.unwrap();
        assert_eq!((bearer.token.as_str(), bearer.slug.as_str()), (wanted, "fleet-bot"));
    }
}

#[tokio::test]
async fn a_token_is_kept_for_most_of_its_life() {
    let key = Rsa::generate();
    for (life_seconds, requests) in [(3600, 2), (0, 4)] {
        let (server, asked) = serving(&key, life_seconds).await;
        let entries = entries(&server, &key.pkcs8, &[("githubAppInstallationID", "7")]);
        let bearers = bearers();
        for _ in 0..2 {
            token(&bearers, &entries).await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), requests, "good for {life_seconds} seconds");
    }
}

#[tokio::test]
async fn what_is_missing_is_told_in_flux_words() {
    let key = Rsa::generate();
    let id = ("githubAppInstallationID", "7");
    let whole = entries("http://127.0.0.1:1", &key.pkcs8, &[id]);
    let with = |name, value: &str| {
        let mut changed = whole.clone();
        changed.insert(name, value.to_owned());
        changed
    };
    for (entries, wanted) in [
        (with("githubAppID", "x"), "app ID must be provided to use github app authentication"),
        (
            with("githubAppInstallationID", ""),
            "app installation owner or ID must be provided to use github app authentication",
        ),
        (
            with("githubAppInstallationOwner", "fleet"),
            "only one of app installation owner or ID must be provided to use github app \
             authentication",
        ),
        (
            with("githubAppPrivateKey", ""),
            "private key must be provided to use github app authentication",
        ),
        (
            with("githubAppPrivateKey", "canary"),
            "could not parse private key: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key",
        ),
        (
            with(
                "githubAppPrivateKey",
                "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----",
            ),
            "could not parse private key: key is not a valid RSA private key",
        ),
        (with("githubAppBaseURL", "::canary"), "invalid API URL: parse <address>: invalid URL"),
        (with("githubAppBaseURL", "ftp://canary"), "invalid API URL: parse <address>: invalid URL"),
        (
            with("githubAppBaseURL", "http://169.254.169.254/canary"),
            "failed to get app information: GET: the address is link-local, where no server of \
             GitHub is",
        ),
    ] {
        let error = token(&bearers(), &entries).await.err().unwrap();
        assert_eq!(error, wanted);
    }
}

#[tokio::test]
async fn what_github_refuses_is_told_without_what_it_says() {
    let (key, other) = (Rsa::generate(), Rsa::generate());
    let (server, _) = serving(&key, 3600).await;
    let id = ("githubAppInstallationID", "7");
    let nobody = ("githubAppInstallationOwner", "canary/../nobody");
    for (entries, wanted) in [
        (entries(&server, &other.pkcs8, &[id]), "failed to get app information: GET 401"),
        (
            entries(&server, &key.pkcs8, &[nobody]),
            "failed to find organization installation: GET 404\n\
             failed to find user installation: GET 404",
        ),
        (
            entries(&server, &key.pkcs8, &[("githubAppInstallationID", "9")]),
            "failed to create installation token: POST 404",
        ),
        (
            entries("http://127.0.0.1:9/canary", &key.pkcs8, &[id]),
            "failed to get app information: GET: dial tcp 127.0.0.1:9: connect: connection refused",
        ),
    ] {
        assert_eq!(token(&bearers(), &entries).await.err().unwrap(), wanted);
    }
    let hostile = serve(|_| answered(&json!({"slug": 1, "token": ["canary"]}))).await;
    let error = token(&bearers(), &entries(&hostile, &key.pkcs8, &[id])).await.err().unwrap();
    assert_eq!(error, "failed to get app information: GET: the answer is not understood");
    let endless = serve(|_| answered(&json!("canary".repeat(100_000)))).await;
    let error = token(&bearers(), &entries(&endless, &key.pkcs8, &[id])).await.err().unwrap();
    assert!(error.ends_with("larger than 65536 bytes"), "{error}");
}
