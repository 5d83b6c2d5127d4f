//! What Providers keep secret.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::ensure;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::{Ca, Reply, Sink, eventually, free_port};

use super::{Canaries, sent, world};
use crate::incidents::{unheard, words};
use crate::notifications::{notifier, post, secret};
use crate::plain_http::ask;

const PATIENCE: Duration = Duration::from_mins(2);
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The ways to keep something secret: by the type, and what is special about it.
const SHAPES: [&str; 30] = [
    "generic-path",
    "generic-userinfo",
    "generic-headers",
    "generic-hmac",
    "slack-userinfo",
    "slack-proxy",
    "slack-old-proxy",
    "rocket-certificate",
    "slack-token",
    "discord-path",
    "googlechat-query",
    "msteams-path",
    "lark-path",
    "webex-token",
    "matrix-token",
    "zulip-login",
    "telegram-token",
    "opsgenie-token",
    "alertmanager-login",
    "grafana-token",
    "datadog-token",
    "sentry-dsn",
    "otel-headers",
    "gitea-token",
    "gitlab-token",
    "bitbucketserver-login",
    "giteapullrequestcomment-token",
    "githubdispatch-app",
    "github-app",
    "googlepubsub-key",
];

/// What a Provider says, and its Secrets.
#[derive(Default)]
struct Dress {
    spec: Value,
    main: Value,
    proxy: Value,
    certificate: Value,
}

/// A Provider of a shape, at an address without a path.
fn dress(shape: &str, name: &str, at: &str, proxy: &str, canaries: &Canaries) -> Dress {
    let (kind, special) = shape.split_once('-').unwrap();
    let canary = |field: &str| canaries.put(&format!("{name}/{field}"));
    let kind = if shape == "generic-hmac" { shape } else { kind };
    let mut dress = Dress { spec: json!({"type": kind, "channel": "a/b"}), ..Dress::default() };
    let with_login = |scheme_and_host: &str| {
        let (scheme, host) = scheme_and_host.split_once("://").unwrap();
        format!("{scheme}://user:{}@{host}", canary("userinfo"))
    };
    let address = match special {
        "path" => format!("{at}/{name}/{}", canary("path")),
        "query" => format!("{at}/{name}?key={}", canary("query")),
        "userinfo" => format!("{}/{name}", with_login(at)),
        "dsn" => {
            let (scheme, host) = at.split_once("://").unwrap();
            format!("{scheme}://{}@{host}/{name}/1", canary("dsn"))
        }
        _ if kind == "bitbucketserver" => format!("{at}/scm/{name}/repository.git"),
        _ if kind.starts_with("git") => format!("{at}/{name}/repository"),
        _ => format!("{at}/{name}"),
    };
    dress.main = match special {
        "token" | "hmac" => json!({"token": canary("token")}),
        "login" => json!({"username": "user", "password": canary("password")}),
        "headers" => json!({
            "headers": format!("Authorization: Bearer {}\nX-Key: {}", canary("bearer"), canary("key")),
        }),
        "old-proxy" => json!({"proxy": with_login(proxy)}),
        "app" => json!({
            "githubAppID": "1", "githubAppInstallationID": "2", "githubAppBaseURL": at,
            "githubAppPrivateKey": private_key(&format!("{name}/key"), canaries),
        }),
        "key" => json!({"token": json!({
            "type": "service_account", "client_email": "a@example.com", "private_key_id": "1",
            "private_key": private_key(&format!("{name}/key"), canaries),
            "token_uri": "https://oauth2.googleapis.com/token",
        }).to_string()}),
        _ => json!({}),
    };
    if special == "proxy" {
        dress.proxy = json!({"address": proxy, "username": "u", "password": canary("password")});
    }
    if special == "certificate" {
        let ca = Ca::new("clients").unwrap();
        let own = ca.client("me", &[]).unwrap();
        canaries.watch(&format!("{name}/key"), own.key_pem.lines().nth(1).unwrap());
        dress.certificate = json!({
            "ca.crt": ca.certificate_pem(), "tls.crt": own.certificate_pem, "tls.key": own.key_pem,
        });
    }
    if matches!(kind, "telegram" | "googlepubsub") {
        // Their addresses are fixed, and there is a proxy before them that lets nobody through.
        dress.proxy = json!({"address": proxy});
        dress.spec["address"] = json!("project");
    } else if shape == "generic-userinfo" {
        dress.spec["address"] = json!(address);
    } else {
        dress.main["address"] = json!(address);
    }
    dress
}

/// The one RSA key, as a PEM file.
fn private_key(place: &str, canaries: &Canaries) -> String {
    static KEY: OnceLock<String> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        STANDARD.encode(der.as_ref())
    });
    let lines: Vec<_> = key.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    canaries.watch(place, &lines[10]);
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// The Provider, its Secrets, and an Alert.
fn objects(name: &str, dress: Dress) -> Vec<Value> {
    let mut spec = dress.spec;
    spec["timeout"] = json!("1s");
    let mut objects = Vec::new();
    for (field, data) in [
        ("secretRef", dress.main),
        ("proxySecretRef", dress.proxy),
        ("certSecretRef", dress.certificate),
    ] {
        if data.as_object().is_some_and(|data| !data.is_empty()) {
            let secret_name = format!("{name}-{}", field.to_lowercase());
            spec[field] = json!({"name": secret_name});
            objects.push(secret(&secret_name, &data));
        }
    }
    let alert = json!({
        "providerRef": {"name": name}, "eventSources": [{"kind": "Kustomization", "name": "*"}],
    });
    objects.extend([notifier("Provider", name, &spec), notifier("Alert", name, &alert)]);
    objects
}

/// Providers whose secrets are of no use at any server, or not what they should be.
fn lonely(closed: &str, canaries: &Canaries) -> Vec<Vec<Value>> {
    let canary = |place: &str| canaries.put(place);
    let nats = json!({"address": closed.replace("http:", "nats:")});
    let hub = format!(
        "Endpoint={};SharedAccessKeyName=n;SharedAccessKey={}",
        closed.replace("http:", "sb:"),
        canary("event-hub/key")
    );
    let key = canary("no-certificate/key");
    let no_certificate = Dress {
        spec: json!({"type": "generic", "address": closed}),
        certificate: json!({"tls.crt": "no certificate", "tls.key": key}),
        ..Dress::default()
    };
    let others = [
        ("nats-key", "nats", json!({"nkey": canary("nats-key/nkey")}), nats.clone()),
        ("nats-creds", "nats", json!({"creds": canary("nats-creds/creds")}), nats),
        ("event-hub", "azureeventhub", json!({"address": hub}), json!({})),
        (
            "no-headers",
            "generic",
            json!({"headers": format!("- {}", canary("no-headers/headers"))}),
            json!({"address": closed}),
        ),
    ];
    let others = others.map(|(name, kind, main, mut spec)| {
        (spec["type"], spec["channel"]) = (json!(kind), json!("channel"));
        objects(name, Dress { spec, main, ..Dress::default() })
    });
    others.into_iter().chain([objects("no-certificate", no_certificate)]).collect()
}

/// Applies objects at once, because there are very many.
async fn apply(scene: &Scene, objects: &[Value]) -> anyhow::Result<()> {
    let applied = objects.iter().map(|object| {
        let kind = match object["kind"].as_str() {
            Some("Provider") => Kind::Provider,
            Some("Alert") => Kind::Alert,
            _ => Kind::Secret,
        };
        scene.server_side_apply(kind, object)
    });
    futures::stream::iter(applied).buffer_unordered(16).try_collect().await
}

/// Providers of the scene that were told, or not.
async fn counted(scene: &Scene) -> usize {
    let metrics = world().stack().lock().await;
    let url = metrics.metrics().map(str::to_owned).collect::<Vec<_>>();
    drop(metrics);
    let mut names = std::collections::BTreeSet::new();
    let own = format!("namespace=\"{}\"", scene.namespace().name());
    for url in url {
        let answer = ask("GET", &url, &[], "").await.unwrap();
        let lines = answer.body.lines().filter(|line| line.starts_with("gotk_notification_total"));
        let lines = lines.filter(|line| line.contains(&own));
        let name = |line: &str| Some(line.split_once(",name=\"")?.1.split_once('"')?.0.to_owned());
        names.extend(lines.filter_map(name));
    }
    names.len()
}

async fn tell(scene: &Scene) -> anyhow::Result<()> {
    let event = json!({
        "involvedObject": {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "app",
            "namespace": scene.namespace().name(), "uid": "u",
        },
        "severity": "error", "timestamp": "2026-01-02T03:04:05Z", "message": words(unheard()),
        "reason": "BuildFailed", "reportingController": "kustomize-controller",
        "metadata": {
            "kustomize.toolkit.fluxcd.io/revision": format!("main@sha1:{COMMIT}"),
            "event.toolkit.fluxcd.io/change_request": "1",
        },
    });
    let events = world().stack().lock().await.events();
    let events = events.trim_end_matches('/');
    let status = post(events, "/", &[], &event.to_string()).await?;
    ensure!(status == 202, "answered {status}");
    Ok(())
}

#[tokio::test]
async fn providers_tell_no_secret() {
    let scene = Scene::on(world(), "canary-providers").await.unwrap();
    let canaries = Canaries::default();
    let ca = Ca::new("servers").unwrap();
    let [well, echoing, failing, redirecting, silent, proxy, elsewhere] =
        [(); 7].map(|()| Sink::start().unwrap());
    let strange = Sink::https(&ca, None).unwrap();
    echoing.reply_to_all(Reply::Echo(400));
    failing.reply_to_all(Reply::Echo(500));
    let location = format!("{}/elsewhere", elsewhere.url());
    redirecting.reply_to_all(Reply::Header(307, "location", location));
    silent.reply_to_all(Reply::Silence);
    proxy.reply_to_all(Reply::Echo(407));
    let closed = format!("http://127.0.0.1:{}", free_port().unwrap());
    let no_tls = well.url().replace("http:", "https:");
    let servers = [
        ("well", well.url()),
        ("echoing", echoing.url()),
        ("failing", failing.url()),
        ("redirecting", redirecting.url()),
        ("silent", silent.url()),
        ("strange", strange.url()),
        ("closed", &closed),
        ("no-tls", &no_tls),
        ("malformed", "http://[bad"),
    ];
    let mut all = Vec::new();
    for (server, url) in servers {
        for shape in SHAPES {
            let name = format!("{shape}-{server}");
            let dress = dress(shape, &name, url, proxy.url(), &canaries);
            all.push(objects(&name, dress));
        }
    }
    all.extend(lonely(&closed, &canaries));
    let wanted = all.len();
    apply(&scene, &all.concat()).await.unwrap();
    let told = eventually(PATIENCE, || async {
        tell(&scene).await?;
        let counted = counted(&scene).await;
        ensure!(counted == wanted, "{counted} of {wanted} were told");
        Ok(())
    });
    told.await.unwrap();

    canaries.assert_untold().await;
    // Only questions follow a redirect, and without who asks.
    for request in elsewhere.all() {
        assert_eq!(request.method.as_str(), "GET");
        let found = canaries.found_in(&sent(&request));
        assert!(found.is_empty(), "{found:?} go where a redirect leads");
    }
    let mut places = std::collections::BTreeSet::new();
    for sink in [&well, &echoing, &failing, &redirecting, &silent, &proxy, &strange] {
        for request in sink.all() {
            let found = canaries.found_in(&sent(&request));
            let mut owners: Vec<_> = found.iter().map(|it| it.split('/').next().unwrap()).collect();
            owners.dedup();
            assert!(owners.len() < 2, "the secrets of {owners:?} go to one server");
            places.extend(found);
        }
    }
    // Otherwise nothing would be found where something is.
    let well: Vec<_> = places.iter().filter(|it| it.contains("-well/")).collect();
    assert!(well.len() >= 15, "servers were told {well:?} only");
}
