//! Webhooks that were signed wrongly, of each type that has signatures.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::eventually;

use crate::notifications::{post, secret, world};

const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
const BODY: &str = r#"{"zen": "Design for failure."}"#;

/// Who says what in which header, and who could have said it.
struct Type {
    kind: &'static str,
    header: &'static str,
    algorithm: hmac::Algorithm,
    prefix: &'static str,
}

const SIGNED: [Type; 6] = [
    Type {
        kind: "generic-hmac",
        header: "X-Signature",
        algorithm: hmac::HMAC_SHA256,
        prefix: "sha256=",
    },
    Type {
        kind: "generic-hmac",
        header: "X-Signature",
        algorithm: hmac::HMAC_SHA512,
        prefix: "sha512=",
    },
    Type {
        kind: "github",
        header: "X-Hub-Signature-256",
        algorithm: hmac::HMAC_SHA256,
        prefix: "sha256=",
    },
    Type {
        kind: "github",
        header: "X-Hub-Signature",
        algorithm: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        prefix: "sha1=",
    },
    Type {
        kind: "bitbucket",
        header: "X-Hub-Signature",
        algorithm: hmac::HMAC_SHA256,
        prefix: "sha256=",
    },
    Type {
        kind: "nexus",
        header: "X-Nexus-Webhook-Signature",
        algorithm: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        prefix: "",
    },
];

impl Type {
    fn sign(&self, key: &str, body: &str) -> String {
        let key = hmac::Key::new(self.algorithm, key.as_bytes());
        let mut signature = self.prefix.to_owned();
        for byte in hmac::sign(&key, body.as_bytes()).as_ref() {
            // Writing to a String cannot fail.
            _ = write!(signature, "{byte:02x}");
        }
        signature
    }
}

/// The Receivers of a scene, each with an object of its name.
struct Hooks {
    scene: Scene,
    url: String,
}

impl Hooks {
    async fn new() -> Self {
        let scene = Scene::on(world(), "signatures").await.unwrap();
        scene.apply_all(&[secret("token", &json!({"token": "t0ken"}))]).unwrap();
        let kinds = ["generic-hmac", "github", "bitbucket", "nexus", "gitlab", "harbor"];
        let receiver = |kind| {
            json!({
                "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
                "metadata": {"name": kind},
                "spec": {
                    "type": kind, "secretRef": {"name": "token"},
                    "resources": [{"kind": "GitRepository", "name": kind}],
                },
            })
        };
        scene.apply_all(&kinds.map(receiver)).unwrap();
        for kind in kinds {
            scene.apply_source(kind, &json!({"suspend": true})).unwrap();
        }
        let url = world().stack().lock().await.webhooks();
        Self { scene, url }
    }

    async fn path(&self, kind: &str) -> String {
        self.scene.until_ready(Kind::Receiver, kind, "Receiver initialized").await.unwrap();
        let receiver = self.scene.get(Kind::Receiver, kind).await.unwrap();
        receiver["status"]["webhookPath"].as_str().unwrap().to_owned()
    }

    /// The answer, and whether the object was woken.
    async fn answer(
        &self,
        kind: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, bool)> {
        let (path, before) = (self.path(kind).await, self.woken(kind).await?);
        let mut all = vec![("X-GitHub-Event", "push"), ("X-Event-Key", "repo:refs_changed")];
        all.extend([("X-Gitlab-Event", "Push Hook")]);
        all.extend(headers);
        let status = eventually(PATIENCE, || async {
            let status = post(&self.url, &path, &all, body).await?;
            ensure!(status != 404 && status != 503, "it is not known yet");
            Ok(status)
        });
        Ok((status.await?, self.woken(kind).await? != before))
    }

    async fn woken(&self, kind: &str) -> Result<Value> {
        let object = self.scene.get(Kind::GitRepository, kind).await?;
        Ok(object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].clone())
    }
}

#[tokio::test]
async fn only_what_was_signed_with_the_token_wakes() {
    let hooks = Hooks::new().await;
    for signed in &SIGNED {
        let kind = signed.kind;
        let (right, what) = (signed.sign("t0ken", BODY), format!("{kind} {}", signed.header));
        let half = &right[..right.len() / 2];
        let long = format!("{right}00");
        let (stranger, other) =
            (signed.sign("token", BODY), signed.sign("t0ken", &BODY.replace("failure", "success")));
        let bare = right.strip_prefix(signed.prefix).filter(|bare| *bare != right);
        let wrong = [half, &long, &stranger, &other, "", "sha256=", "sha256=zz", "t0ken"];
        for value in wrong.into_iter().chain(bare) {
            let answer = hooks.answer(kind, &[(signed.header, value)], BODY).await.unwrap();
            assert_eq!(answer, (400, false), "{what}: `{value}`");
        }
        let none = hooks.answer(kind, &[], BODY).await.unwrap();
        assert_eq!(none, (400, false), "{what}: nothing");
        let two = [(signed.header, right.as_str()), (signed.header, &stranger)];
        for two in [two, [two[1], two[0]]] {
            let answer = hooks.answer(kind, &two, BODY).await.unwrap();
            assert_eq!(answer, (400, false), "{what}: two of them");
        }
        let truncated = &BODY[..BODY.len() - 1];
        let answer = hooks.answer(kind, &[(signed.header, &right)], truncated).await.unwrap();
        assert_eq!(answer, (400, false), "{what}: a part of the body");
        let answer = hooks.answer(kind, &[(signed.header, &right)], BODY).await.unwrap();
        assert_eq!(answer.0, 200, "{what}");
    }
}

#[tokio::test]
async fn only_who_knows_the_token_wakes() {
    let hooks = Hooks::new().await;
    for (kind, header) in [("gitlab", "X-Gitlab-Token"), ("harbor", "Authorization")] {
        for value in ["", "t0ke", "t0ken2", "T0KEN", "Bearer t0ken"] {
            let answer = hooks.answer(kind, &[(header, value)], BODY).await.unwrap();
            assert_eq!(answer, (400, false), "{kind}: `{value}`");
        }
        assert_eq!(hooks.answer(kind, &[], BODY).await.unwrap(), (400, false), "{kind}: nothing");
        let two = [(header, "t0ken"), (header, "t0ken")];
        assert_eq!(hooks.answer(kind, &two, BODY).await.unwrap(), (400, false), "{kind}: two");
        let answer = hooks.answer(kind, &[(header, "t0ken")], BODY).await.unwrap();
        assert_eq!(answer, (200, true), "{kind}");
    }
}
