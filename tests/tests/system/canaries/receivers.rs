//! What Receivers and their senders keep secret.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::{Issuer, eventually};

use super::{Canaries, world};
use crate::notifications::{post, secret};

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn receivers_tell_no_secret() {
    let scene = Scene::on(world(), "canary-receivers").await.unwrap();
    let (canaries, issuer) = (Canaries::default(), Issuer::http().unwrap());
    scene.apply_source("app", &json!({"suspend": true})).unwrap();
    let receiver = |name: &str, spec: &Value| {
        let mut full = json!({"resources": [{"kind": "GitRepository", "name": "app"}]});
        full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        json!({
            "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
            "metadata": {"name": name}, "spec": full,
        })
    };
    let kinds = [
        ("generic", ""),
        ("generic-hmac", "X-Signature"),
        ("github", "X-Hub-Signature-256"),
        ("gitlab", "X-Gitlab-Token"),
        ("bitbucket", "X-Hub-Signature"),
        ("harbor", "Authorization"),
        ("nexus", "X-Nexus-Webhook-Signature"),
        ("gcr", "Authorization"),
        ("dockerhub", ""),
        ("cdevents", ""),
    ];
    let mut objects = Vec::new();
    let mut tokens = Vec::new();
    for (kind, header) in kinds {
        let token = canaries.put(&format!("{kind}/token"));
        let data = json!({"token": token, "email": "a@example.com", "audience": "a"});
        objects.push(secret(kind, &data));
        let spec = json!({"type": kind, "secretRef": {"name": kind}});
        objects.push(receiver(kind, &spec));
        tokens.push((kind, header, token));
    }
    let spec = json!({"type": "generic-oidc", "oidcProviders": [{
        "issuerURL": issuer.url(),
        "validations": [{"expression": "claims.sub == 'ci'", "message": "wrong sender"}],
    }]});
    objects.push(receiver("oidc", &spec));
    // What refers to no token has none, and says so.
    let other = canaries.put("no-token/other");
    objects.extend([
        secret("no-token", &json!({"other": other})),
        receiver("no-token", &json!({"type": "github", "secretRef": {"name": "no-token"}})),
    ]);
    scene.apply_all(&objects).unwrap();
    scene.until_failed(Kind::Receiver, "no-token", "required fields 'token'").await.unwrap();

    let now = jiff::Timestamp::now().as_second();
    let claims = |subject: &str| {
        json!({
            "iss": issuer.url(), "aud": "notification-controller", "exp": now + 300, "sub": subject,
        })
    };
    for subject in ["ci", "somebody"] {
        let token = issuer.token(&claims(subject)).unwrap();
        canaries.watch(&format!("oidc/{subject}"), token.rsplit('.').next().unwrap());
        tokens.push(("oidc", "Authorization", format!("Bearer {token}")));
    }
    let url = world().stack().lock().await.webhooks();
    for (name, header, token) in tokens {
        scene.until_ready(Kind::Receiver, name, "Receiver initialized").await.unwrap();
        let receiver = scene.get(Kind::Receiver, name).await.unwrap();
        let path = receiver["status"]["webhookPath"].as_str().unwrap().to_owned();
        let body = json!({"password": canaries.put(&format!("{name}/body"))}).to_string();
        let wrong = canaries.put(&format!("{name}/wrong"));
        let mut attempts = vec![vec![(header, token.clone())], vec![(header, wrong.clone())]];
        attempts.push(vec![(header, format!("Bearer {wrong}")), (header, token)]);
        attempts.push(vec![(header, format!("sha256={wrong}"))]);
        attempts.push(vec![(header, format!("Bearer a.{wrong}.b"))]);
        for headers in attempts {
            let headers: Vec<_> = headers
                .iter()
                .filter(|(name, _)| !name.is_empty())
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            for path in [path.clone(), format!("/hook/{wrong}")] {
                let answered = eventually(PATIENCE, || async {
                    let status = post(&url, &path, &headers, &body).await?;
                    ensure!(status < 500, "{name}: answered {status}");
                    Ok(())
                });
                answered.await.unwrap();
            }
        }
    }
    canaries.assert_untold().await;
}
