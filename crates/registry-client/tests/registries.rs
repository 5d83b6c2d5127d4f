//! Registries over TLS that want a login, and registries that lie.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::{fmt::Write as _, time::Duration};

use http_access::{Access as Reach, Client, Login, Secret};
use registry_client::{Descriptor, Error, Registry};
use sha2::{Digest as _, Sha256};
use testbed::{Access, Ca, ChartServer};
use tokio::time::Instant;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn login(password: &str) -> Login {
    Login { username: "me".to_owned(), password: Secret::new(password) }
}

/// The repository `app` of a server, with one layer.
fn publish(server: &ChartServer, layer: &[u8]) -> Descriptor {
    let manifest = format!(
        r#"{{"layers": [{{"mediaType": "x", "digest": "{}", "size": {}}}]}}"#,
        digest(layer),
        layer.len()
    );
    server.put("/v2/app/tags/list", r#"{"name": "app", "tags": ["1.0.0"]}"#.as_bytes());
    server.put("/v2/app/manifests/1.0.0", manifest.into_bytes());
    server.put(&format!("/v2/app/blobs/{}", digest(layer)), layer.to_vec());
    Descriptor { media_type: "x".to_owned(), digest: digest(layer), size: layer.len() as u64 }
}

fn at(server: &ChartServer, reach: &Reach, login: Option<Login>) -> Registry {
    let (scheme, host) = server.url().split_once("://").unwrap();
    let client = Client::new(reach).unwrap();
    Registry::new(&format!("oci://{host}/app"), scheme == "http", client, login).unwrap()
}

#[tokio::test]
async fn an_encrypted_registry_gives_its_layers_to_whom_it_knows() {
    let ca = Ca::new("registry").unwrap();
    let server = ChartServer::https(&ca).unwrap();
    let layer = publish(&server, b"layer");
    let (user, password) = ("me".to_owned(), "secret".to_owned());
    server.set_access(Access::Basic { user, password });
    let pem = Some(ca.certificate_pem().as_bytes().to_vec());
    let trusting = Reach { ca_pem: pem, ..Reach::default() };

    let registry = at(&server, &trusting, Some(login("secret")));
    assert_eq!(registry.tags(soon()).await.unwrap(), ["1.0.0"]);
    let manifest = registry.manifest("1.0.0", soon()).await.unwrap();
    assert_eq!(manifest.layers[0].digest, layer.digest);
    assert_eq!(registry.blob(&manifest.layers[0], 100, soon()).await.unwrap(), "layer");

    for (reach, login) in [
        (&trusting, None),
        (&trusting, Some(login("wrong"))),
        (&Reach::default(), Some(self::login("secret"))),
    ] {
        assert!(at(&server, reach, login).tags(soon()).await.is_err());
    }
}

#[tokio::test]
async fn a_registry_that_sends_something_else_is_found_out() {
    let server = ChartServer::http().unwrap();
    let layer = publish(&server, b"layer");
    let registry = at(&server, &Reach::default(), None);
    let tampered = async |bytes: &str| {
        server.put(&format!("/v2/app/blobs/{}", layer.digest), bytes.as_bytes().to_vec());
        registry.blob(&layer, 100, soon()).await.unwrap_err()
    };
    assert!(matches!(tampered("other").await, Error::Digest { .. }));
    assert!(matches!(tampered("lay").await, Error::Digest { .. }));
    assert!(matches!(tampered("layer and more").await, Error::Read(_)));
    let large = registry.blob(&layer, 4, soon()).await.unwrap_err();
    assert!(matches!(large, Error::TooLarge { limit_bytes: 4, .. }));

    // A tag may be moved between two looks; what a digest names may not.
    let manifest = registry.manifest("1.0.0", soon()).await.unwrap();
    let path = format!("/v2/app/manifests/{}", manifest.digest);
    server.put(&path, r#"{"layers": []}"#.as_bytes());
    let error = registry.manifest(&manifest.digest, soon()).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }));
    server.put("/v2/app/manifests/1.0.0", "<html>".as_bytes());
    let error = registry.manifest("1.0.0", soon()).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }));
    assert!(registry.manifest("2.0.0", soon()).await.is_err());
}
