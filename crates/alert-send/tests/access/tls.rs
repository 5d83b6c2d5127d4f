//! Certificates of both sides.

use http_access::Access;

use crate::certificates::Authority;
use crate::tls_sink::TlsSink;
use crate::{provider, refusal, tell};

#[tokio::test]
async fn a_server_of_an_own_authority_is_told() {
    let authority = Authority::new();
    let sink = TlsSink::new(&authority.certificate("127.0.0.1"), None);
    let provider = provider(format!("https://{}/hook", sink.address));
    tell(&provider, &authority.access(None)).await.unwrap();
    assert!(sink.heads()[0].contains("authorization: bearer canary-token"));
    let untrusted = "postMessage failed: failed to execute request: tls: failed to verify certificate: \
                     x509: certificate signed by unknown authority";
    assert_eq!(refusal(&provider, &Access::default()).await, untrusted);
    assert_eq!(refusal(&provider, &Authority::new().access(None)).await, untrusted);
    let garbage = Access { ca_pem: Some(b"canary".to_vec()), ..Access::default() };
    assert_eq!(refusal(&provider, &garbage).await, "failed to parse CA certificate");
    assert_eq!(sink.heads().len(), 0);
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_the_right_one() {
    let authority = Authority::new();
    let sink = TlsSink::new(&authority.certificate("127.0.0.1"), Some(&authority));
    let provider = provider(format!("https://{}/hook", sink.address));
    let own = authority.certificate("me.example");
    tell(&provider, &authority.access(Some(&own))).await.unwrap();
    assert_eq!(sink.heads().len(), 1);
    let strangers = Authority::new().certificate("me.example");
    for access in [authority.access(None), authority.access(Some(&strangers))] {
        refusal(&provider, &access).await;
        assert_eq!(sink.heads().len(), 0);
    }
}
