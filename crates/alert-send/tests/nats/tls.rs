//! Encrypted connections.

use http_access::Access;
use serde_json::json;

use crate::certificates::{Authority, Certificate};
use crate::real_server::RealServer;
use crate::subscriber::Subscriber;
use crate::{SUBJECT, provider, refusal, refusal_by, tell_by};

/// A server that speaks TLS, as these further lines say.
fn server(
    dir: &tempfile::TempDir,
    authority: &Authority,
    own: &Certificate,
    lines: &str,
) -> RealServer {
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (ca, certificate) = (file("ca.pem", &authority.pem), file("server.pem", &own.pem));
    let key = file("server.key", &own.key_pem);
    RealServer::start(&format!(
        "tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", ca_file: \"{ca}\", {lines} }}"
    ))
}

#[tokio::test]
async fn both_sides_show_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let own = authority.certificate("me.example");
    let server = server(&dir, &authority, &authority.certificate("127.0.0.1"), "verify: true");
    let access = authority.access(Some(&own));
    let mut subscriber = Subscriber::new(&server, &access, |_| json!({})).await;
    for scheme in ["nats", "tls"] {
        tell_by(&provider(format!("{scheme}://{}", server.address)), &access).await.unwrap();
        assert_eq!(subscriber.next().await.0, SUBJECT);
    }
    let nobody = refusal_by(&provider(server.url()), &authority.access(None)).await;
    assert!(nobody.starts_with("error connecting to server: "), "{nobody}");
    let untrusted = refusal(&provider(server.url())).await;
    assert_eq!(
        untrusted,
        "error connecting to server: nats: tls error: tls: failed to verify certificate: x509: \
         certificate signed by unknown authority"
    );
    let garbage = Access { ca_pem: Some(b"nothing".to_vec()), ..Access::default() };
    let text = refusal_by(&provider(server.url()), &garbage).await;
    assert_eq!(text, "error connecting to server: failed to parse CA certificate");
}

#[tokio::test]
async fn a_certificate_is_for_one_host() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = server(&dir, &authority, &authority.certificate("nats.example"), "");
    let text = refusal_by(&provider(server.url()), &authority.access(None)).await;
    assert!(text.ends_with("x509: certificate is not valid for 127.0.0.1"), "{text}");
}

#[tokio::test]
async fn who_wants_tls_says_nothing_without_it() {
    let server = RealServer::start("");
    let authority = Authority::new();
    let text = refusal_by(&provider(server.url()), &authority.access(None)).await;
    assert_eq!(text, "error connecting to server: nats: secure connection not available");
    let text = refusal(&provider(format!("tls://{}", server.address))).await;
    assert_eq!(text, "error connecting to server: nats: secure connection not available");
}
