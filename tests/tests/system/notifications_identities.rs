//! Providers whose tokens are of somebody: a service account that is known at Azure, a GitHub App.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD as BASE64, BASE64_URL_SAFE_NO_PAD as URL};
use serde_json::{Value, json};
use system_tests::{Kind, Scene, World};
use testbed::{StackFlags, eventually};

use crate::notifications::{notifier, post};

const PATIENCE: Duration = Duration::from_mins(1);
const COMMIT: &str = "f7f8d5e5ac3a1c1c0f7a7a1d9b0e6a2c7f1d2b3a";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Azure and GitHub on the loopback.
#[derive(Default)]
struct Services {
    /// The tokens of the cluster that came to Azure.
    assertions: Vec<String>,
    /// The tokens that an App signed.
    signed: Vec<String>,
    /// What was told with the tokens that were handed out.
    told: Vec<(String, Value)>,
}

impl Services {
    fn answer(&mut self, uri: &Uri, headers: &HeaderMap, body: &str) -> Response {
        let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
        let authorization = authorization.unwrap_or_default();
        let devops = format!("Basic {}", BASE64.encode(":of-azure-canary"));
        let hour = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
        match uri.path() {
            "/tenant/oauth2/v2.0/token" => {
                let field = |name: &str| {
                    let fields = body.split('&').filter_map(|field| field.split_once('='));
                    fields.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
                };
                let scope = "499b84ac-1321-427f-aa17-267ca6975798%2F.default";
                if field("client_id") != Some("client") || field("scope") != Some(scope) {
                    return StatusCode::BAD_REQUEST.into_response();
                }
                self.assertions.extend(field("client_assertion").map(ToOwned::to_owned));
                json!({"access_token": "of-azure-canary", "expires_in": 3600})
                    .to_string()
                    .into_response()
            }
            "/app/installations/7/access_tokens" => {
                self.signed.extend(authorization.strip_prefix("Bearer ").map(ToOwned::to_owned));
                json!({"token": "of-app-canary", "expires_at": hour}).to_string().into_response()
            }
            path if authorization == devops || authorization == "Bearer of-app-canary" => {
                let body = serde_json::from_str(body).unwrap_or_default();
                self.told.push((path.to_owned(), body));
                // It echoes what nobody may see.
                if path.contains("/refusing/") {
                    return (StatusCode::FORBIDDEN, format!("no {authorization}")).into_response();
                }
                "{}".into_response()
            }
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    }

    async fn start() -> (String, Arc<Mutex<Self>>) {
        let services = Arc::new(Mutex::new(Self::default()));
        let shared = Arc::clone(&services);
        let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: String| {
            let answer = shared.lock().unwrap().answer(&uri, &headers, &body);
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (address, services)
    }
}

#[tokio::test]
async fn providers_are_told_with_tokens_of_who_they_are() {
    let (address, services) = Services::start().await;
    let flags = vec![
        "--feature-gates=ObjectLevelWorkloadIdentity=true".to_owned(),
        format!("--azure-authority-host={address}"),
    ];
    let world = World::own_with(StackFlags { notification: Some(flags), ..StackFlags::default() });
    let scene = Scene::on(world, "identities").await.unwrap();
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    scene.apply_all(&objects(&address, &key)).unwrap();

    let events = world.stack().lock().await.events();
    let events = events.trim_end_matches('/').to_owned();
    let mut attempt = 0;
    let namespace = scene.namespace().name();
    eventually(PATIENCE, || {
        attempt += 1;
        let (event, events) = (event(namespace, attempt), events.clone());
        let told: Vec<_> =
            services.lock().unwrap().told.iter().map(|(path, _)| path.clone()).collect();
        async move {
            ensure!(post(&events, "/", &[], &event.to_string()).await? == 202, "not taken");
            let has = |part: &str| told.iter().any(|path| path.contains(part));
            ensure!(has("/statuses") && has("/acme/fleet/dispatches"), "{told:?}");
            ensure!(has("/acme/refusing/dispatches"), "{told:?}");
            Ok(())
        }
    })
    .await
    .unwrap();

    let (assertion, signed) = {
        let services = services.lock().unwrap();
        let dispatch = services.told.iter().find(|(path, _)| path.contains("/fleet/")).unwrap();
        assert_eq!(dispatch.1["client_payload"]["involvedObject"]["name"], "web", "{dispatch:?}");
        // Both tokens were kept, however many were told; two Apps are one.
        assert_eq!((services.assertions.len(), services.signed.len()), (1, 1));
        (services.assertions[0].clone(), services.signed[0].clone())
    };
    reviewed(world, namespace, &assertion).unwrap();
    let claims = verified(&key, &signed).unwrap();
    assert_eq!(claims["iss"], "42");

    // Who is nobody at Azure is told so, and what a server echoes is masked.
    let message = async |alert: &'static str| {
        eventually(PATIENCE, || async {
            let events = scene.list(Kind::Event).await?;
            let event = events.into_iter().find(|event| {
                event["involvedObject"]["name"] == alert
                    && event["reason"] == "NotificationDispatchFailed"
            });
            let event = event.context("nothing is told")?;
            Ok(event["message"].as_str().unwrap_or_default().to_owned())
        })
        .await
        .unwrap()
    };
    let wanted = format!(
        "failed to initialize notifier for provider 'nobody': failed to initialize notifier: failed \
         to acquire azure devops token: failed to get token: failed to get provider identity from \
         service account '{namespace}/nobody' annotations: azure tenant ID is not set in the service \
         account annotation azure.workload.identity/tenant-id"
    );
    let nobody = message("nobody").await;
    assert!(nobody.contains(&wanted), "{nobody}");
    assert!(
        message("refusing").await.contains("could not send github repository dispatch webhook")
    );
    let log = std::fs::read_to_string(world.dir().join("notification-controller.log")).unwrap();
    assert!(!log.contains("canary") && !log.contains(&assertion) && !log.contains(&signed));
}

/// Four providers, each with an alert of its name.
fn objects(address: &str, key: &KeyPair) -> Vec<Value> {
    let pem = BASE64.encode(key.as_der().map(|der: Pkcs8V1Der<'_>| der.as_ref().to_vec()).unwrap());
    let app = json!({
        "githubAppID": "42", "githubAppInstallationID": "7", "githubAppBaseURL": address,
        "githubAppPrivateKey": format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----"),
    });
    let account = |name: &str, annotations: Value| {
        let metadata = json!({"name": name, "annotations": annotations});
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    };
    let devops = |account: &str| {
        let address = format!("{address}/org/project/_git/repo");
        json!({"type": "azuredevops", "address": address, "serviceAccountName": account})
    };
    let dispatch = |repository: &str| {
        let address = format!("{address}/acme/{repository}");
        json!({"type": "githubdispatch", "address": address, "secretRef": {"name": "app"}})
    };
    let known = json!({
        "azure.workload.identity/tenant-id": "tenant", "azure.workload.identity/client-id": "client",
    });
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"}, "stringData": app}),
        account("devops", known),
        account("nobody", json!({})),
    ];
    for (name, provider) in [
        ("devops", devops("devops")),
        ("nobody", devops("nobody")),
        ("dispatch", dispatch("fleet")),
        ("refusing", dispatch("refusing")),
    ] {
        let sources = json!([{"kind": "Kustomization", "name": "*"}]);
        let alert = json!({"providerRef": {"name": name}, "eventSources": sources});
        objects.push(notifier("Provider", name, &provider));
        objects.push(notifier("Alert", name, &alert));
    }
    objects
}

fn event(namespace: &str, attempt: u32) -> Value {
    json!({
        "involvedObject": {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "web",
            "namespace": namespace,
        },
        "severity": "info", "timestamp": "2026-01-02T03:04:05Z", "reason": "ReconciliationSucceeded",
        "message": format!("applied for the {attempt}. time"), "reportingController": "test",
        "metadata": {
            "event.toolkit.fluxcd.io/commit": COMMIT,
            "kustomize.toolkit.fluxcd.io/revision": format!("main@sha1:{COMMIT}"),
        },
    })
}

/// Whether the API server knows a token as one that it made for Azure.
fn reviewed(world: &World, namespace: &str, token: &str) -> Result<()> {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "spec": {"token": token, "audiences": [AUDIENCE]},
    });
    let args = ["create", "--filename=-", "--output=json"];
    let said = world.cluster().kubectl_with_input(&args, &review.to_string())?;
    let status = serde_json::from_str::<Value>(&said)?["status"].clone();
    let user = format!("system:serviceaccount:{namespace}:devops");
    ensure!(status["authenticated"] == true && status["user"]["username"] == user, "{status}");
    ensure!(status["audiences"] == json!([AUDIENCE]), "{status}");
    Ok(())
}

/// The claims of a token that a key signed.
fn verified(key: &KeyPair, token: &str) -> Result<Value> {
    let (text, signature) = token.rsplit_once('.').context("no token")?;
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    ensure!(public.verify(text.as_bytes(), &URL.decode(signature)?).is_ok(), "not signed");
    let claims = text.split_once('.').context("no claims")?.1;
    Ok(serde_json::from_slice(&URL.decode(claims)?)?)
}
