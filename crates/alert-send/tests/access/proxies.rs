//! What a proxy gets to see, and who gets through it.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use http_access::{Access, Login, Secret};

use crate::certificates::Authority;
use crate::proxy::Proxy;
use crate::tls_sink::TlsSink;
use crate::{provider, refusal, tell};

const LOGIN: &str = "Basic bWU6Y2FuYXJ5LXB3";

fn through(proxy: &Proxy, password: Option<&str>) -> http_access::Proxy {
    let login = password
        .map(|password| Login { username: "me".to_owned(), password: Secret::new(password) });
    http_access::Proxy { url: proxy.url.clone(), login }
}

#[tokio::test]
async fn a_server_is_told_that_only_the_proxy_knows() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sink = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&asked);
    let record = move |request: Request| {
        recorded.lock().unwrap().push(request.headers().clone());
        async {}
    };
    let router = axum::Router::new().fallback(record);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let told = provider("http://sink.example/hook");

    let open = Proxy::new(sink, None);
    let access = Access { proxy: Some(through(&open, None)), ..Access::default() };
    tell(&told, &access).await.unwrap();
    assert!(open.heads()[0].starts_with("POST http://sink.example/hook HTTP/1.1"));

    let closed = Proxy::new(sink, Some(LOGIN));
    let access = Access { proxy: Some(through(&closed, Some("canary-pw"))), ..Access::default() };
    tell(&told, &access).await.unwrap();
    assert_eq!(closed.heads().len(), 1);
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(asked.len(), 2);
    for headers in asked {
        assert_eq!(headers["authorization"], "Bearer canary-token");
        assert!(!headers.contains_key("proxy-authorization"));
    }

    for password in [None, Some("canary-other")] {
        let access = Access { proxy: Some(through(&closed, password)), ..Access::default() };
        let text = refusal(&told, &access).await;
        assert!(text.contains("request failed with status code 407"), "{text}");
        assert_eq!(closed.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_proxy_sees_nothing_of_what_is_encrypted() {
    let authority = Authority::new();
    let sink = TlsSink::new(&authority.certificate("sink.example"), None);
    let told = provider("https://sink.example/hook");
    let proxy = Proxy::new(sink.address, Some(LOGIN));
    let access = |password: Option<&str>| Access {
        proxy: Some(through(&proxy, password)),
        ..authority.access(None)
    };
    tell(&told, &access(Some("canary-pw"))).await.unwrap();
    let (seen, got) = (proxy.heads().join("\n"), sink.heads().join("\n"));
    assert!(seen.starts_with("CONNECT sink.example:443") && !seen.contains("canary"), "{seen}");
    assert!(got.contains("bearer canary-token") && !got.contains("proxy-authorization"), "{got}");
    refusal(&told, &access(None)).await;
    refusal(&told, &access(Some("canary-other"))).await;
    assert_eq!(sink.heads().len(), 0);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_from_a_server() {
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = http_access::Proxy { url: format!("http://me:canary@{at}"), login: None };
    let access = Access { proxy: Some(proxy), ..Access::default() };
    let text = refusal(&provider("https://sink.example/canary"), &access).await;
    let wanted = format!("proxyconnect tcp: dial tcp {at}: connect: connection refused");
    assert!(text.ends_with(&wanted), "{text}");
}

#[tokio::test]
async fn no_proxy_leads_to_metadata_servers() {
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::new(nowhere, None);
    let access = Access { proxy: Some(through(&proxy, None)), ..Access::default() };
    let text = refusal(&provider("http://169.254.169.254/latest/meta-data"), &access).await;
    assert!(text.contains("link-local"), "{text}");
    assert_eq!(proxy.heads().len(), 0);
}
