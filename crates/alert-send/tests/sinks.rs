//! Servers that record, hang, redirect, are busy, and echo what they were sent.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alert_message::{Kind, Place, Provider};
use alert_send::{Error, Retries, Sender};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use event_api::Event;
use futures::{StreamExt as _, stream};
use http_access::{Access, Login, Proxy, Secret};

const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked: path and headers.
type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// A server that answers the `n`th request with what `answer(n)` says.
async fn sink(
    answer: impl Fn(usize, &Uri) -> Response + Clone + Send + Sync + 'static,
) -> (String, Asked) {
    let asked = Asked::default();
    let recorded = Arc::clone(&asked);
    let respond = move |request: Request| {
        let (uri, headers) = (request.uri().clone(), request.headers().clone());
        let mut recorded = recorded.lock().unwrap();
        recorded.push((uri.path().to_owned(), headers));
        let answer = answer(recorded.len() - 1, &uri);
        async move { answer }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(respond);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), asked)
}

fn provider(kind: Kind, address: impl Into<String>) -> Provider {
    Provider {
        token: Secret::new("canary-token"),
        status_id: "kustomization/web/1".to_owned(),
        uid: "uid".to_owned(),
        ..Provider::new(kind, address)
    }
}

fn event() -> Event {
    serde_json::from_value(serde_json::json!({
        "involvedObject": {"kind": "Kustomization", "namespace": "apps", "name": "web"},
        "severity": "info", "message": "applied", "reason": "ReconciliationSucceeded",
        "metadata": {"revision": "main@sha1:f7f8d5e5ac3a1c1c0f7a7a1d9b0e6a2c7f1d2b3a"},
    }))
    .unwrap()
}

async fn tell(provider: &Provider) -> Result<(), Error> {
    let soon = Duration::from_millis(5);
    let sender = Sender::new(Retries { limit: 4, shortest: soon, longest: soon });
    sender.tell(provider, &event(), &Access::default(), PATIENCE).await
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_no_other_is() {
    let busy = |n, _: &Uri| if n < 2 { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    let (address, asked) = sink(move |n, uri| busy(n, uri).into_response()).await;
    tell(&provider(Kind::Generic, address)).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 3);
    let (address, asked) = sink(|_, _| StatusCode::BAD_REQUEST.into_response()).await;
    tell(&provider(Kind::Generic, address)).await.unwrap_err();
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (address, asked) = sink(|_, _| StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
    tell(&provider(Kind::Generic, address)).await.unwrap_err();
    assert_eq!(asked.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_server_that_says_when_is_asked_then() {
    let (address, asked) = sink(|n, _| match n {
        0 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let began = Instant::now();
    tell(&provider(Kind::Generic, address)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1) && asked.lock().unwrap().len() == 2);
    // Not within the time that there is.
    let later = || (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")]).into_response();
    let (address, asked) = sink(move |_, _| later()).await;
    let began = Instant::now();
    tell(&provider(Kind::Generic, address)).await.unwrap_err();
    assert!(began.elapsed() < PATIENCE && asked.lock().unwrap().len() == 1);
}

#[tokio::test]
async fn a_conversation_begins_anew_rather_than_in_its_middle() {
    // Looked up, not set; looked up again, set.
    let (address, asked) = sink(|n, _| match n {
        1 => StatusCode::BAD_GATEWAY.into_response(),
        _ => "[]".into_response(),
    })
    .await;
    tell(&provider(Kind::GitLab, address + "/acme/fleet")).await.unwrap();
    let asked = asked.lock().unwrap();
    let looks = asked.iter().filter(|(path, _)| path.contains("/repository/")).count();
    assert_eq!((asked.len(), looks), (4, 2), "{asked:?}");
}

#[tokio::test]
async fn no_credential_follows_a_redirect() {
    let (elsewhere, strangers) = sink(|_, _| "[]".into_response()).await;
    let (address, asked) = sink(move |_, uri| {
        let to = format!("{elsewhere}{uri}");
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
    })
    .await;
    // The look-up is a GET, which is followed; the token stays.
    tell(&provider(Kind::GitLab, address + "/acme/fleet")).await.unwrap_err();
    assert_eq!(asked.lock().unwrap()[0].1["private-token"], "canary-token");
    let strangers = strangers.lock().unwrap();
    assert!(!strangers.is_empty() && !format!("{strangers:?}").contains("canary"));
    // A message is not handed on.
    assert!(strangers.iter().all(|(path, _)| path.contains("/repository/")));
}

#[tokio::test]
async fn no_error_shows_what_a_server_echoes_or_where_it_is() {
    let echo = |_, uri: &Uri| (StatusCode::FORBIDDEN, format!("no canary-token for {uri}"));
    let (address, _) = sink(move |n, uri| echo(n, uri).into_response()).await;
    let error = tell(&provider(Kind::Generic, address + "/canary-path")).await.unwrap_err();
    let text = error_text(&error);
    let wanted = "request failed with status code 403: no ***** for /*****";
    assert!(text.contains(wanted) && !text.contains("canary"), "{text}");
    let error = tell(&provider(Kind::Slack, "http://127.0.0.1:9/canary-path")).await.unwrap_err();
    let text = error_text(&error);
    assert!(text.contains("connection refused") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn no_error_shows_what_was_sent_whatever_the_kind() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&heard);
    let echo = async move |request: Request| {
        record.lock().unwrap().push(request.headers().clone());
        (StatusCode::FORBIDDEN, format!("{} {:?}", request.uri(), request.headers()))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(echo);
    tokio::spawn(async move { axum::serve(listener, router).await });
    // As a proxy, it hears what is meant for others, too.
    let access = Access { proxy: Some(Proxy { url, login: None }), ..Access::default() };
    let sender = Sender::new(Retries { limit: 0, ..Retries::default() });
    let logins =
        [("", "", "canary-token"), ("me", "canary-password", ""), ("me", "", "canary-token")];
    let mut told = BTreeSet::new();
    for kind in Kind::all().filter(|kind| *kind != Kind::Nats) {
        for (username, password, token) in logins {
            let mut provider = provider(kind, "http://canary-key@sink.example/acme/fleet");
            provider.username = username.to_owned();
            (provider.password, provider.token) = (Secret::new(password), Secret::new(token));
            provider.channel = "channel/topic".to_owned();
            let end = sender.tell(&provider, &event(), &access, PATIENCE).await;
            let text = end.map_or_else(|error| error_text(&error), |()| String::new());
            assert!(!text.contains("canary"), "{kind:?}: {text}");
            for headers in std::mem::take(&mut *heard.lock().unwrap()) {
                told.insert(kind.name());
                let login = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
                let login =
                    login.and_then(|value| value.strip_prefix("Basic ")).unwrap_or_default();
                let plain = String::from_utf8(BASE64.decode(login).unwrap()).unwrap();
                assert!(!plain.contains("canary") || !text.contains(login), "{kind:?}: {text}");
            }
        }
    }
    assert!(told.len() > 20, "{told:?}");
}

#[tokio::test]
async fn no_error_shows_who_we_are_to_a_proxy() {
    let echo = async |request: Request| {
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, format!("{:?}", request.headers()))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    let sender = Sender::new(Retries { limit: 0, ..Retries::default() });
    let password = Secret::new("canary-proxy");
    let login = Some(Login { username: "me".to_owned(), password });
    for (url, login, sent) in [
        (format!("http://{address}"), login, "me:canary-proxy"),
        (format!("http://me:canary%2Durl@{address}"), None, "me:canary-url"),
    ] {
        let access = Access { proxy: Some(Proxy { url, login }), ..Access::default() };
        let provider = provider(Kind::Generic, "http://sink.example/");
        let error = sender.tell(&provider, &event(), &access, PATIENCE).await.unwrap_err();
        let text = error_text(&error);
        assert!(text.contains("407") && text.contains("Basic *****"), "{text}");
        assert!(!text.contains(&BASE64.encode(sent)) && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_says_nonsense_about_time_is_not_believed() {
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let never = u64::MAX.to_string();
        let answer = move || (status, [(header::RETRY_AFTER, never.clone())]).into_response();
        let (address, asked) = sink(move |_, _| answer()).await;
        let provider = provider(Kind::Generic, address);
        let error =
            Sender::default().tell(&provider, &event(), &Access::default(), Duration::MAX).await;
        assert!(error_text(&error.unwrap_err()).contains(status.as_str()));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_timeout_and_metadata_servers_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let sender = Sender::default();
    let timeout = Duration::from_millis(300);
    let provider = provider(Kind::Generic, address);
    let error = sender.tell(&provider, &event(), &Access::default(), timeout).await.unwrap_err();
    assert!(error_text(&error).contains("context deadline exceeded"), "{}", error_text(&error));
    let metadata = self::provider(Kind::Generic, "http://169.254.169.254/latest/meta-data");
    let error = tell(&metadata).await.unwrap_err();
    assert!(error.to_string().contains("link-local"), "{error}");
    let url = "http://169.254.169.254".to_owned();
    let access = Access { proxy: Some(Proxy { url, login: None }), ..Access::default() };
    let error = sender.tell(&provider, &event(), &access, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("link-local"), "{error}");
}

fn error_text(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let all = std::iter::successors(Some(first), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_server_that_says_when_by_a_date_is_asked_then() {
    // A date has no fractions of a second.
    let soon = jiff::Timestamp::now() + Duration::from_secs(2);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon);
    let date = date.unwrap();
    let (address, asked) = sink(move |n, _| match n {
        0 => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, &date)]).into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let began = Instant::now();
    tell(&provider(Kind::Generic, address)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900) && asked.lock().unwrap().len() == 2);
}

#[tokio::test]
async fn a_message_is_not_handed_on() {
    for status in [StatusCode::FOUND, StatusCode::SEE_OTHER, StatusCode::PERMANENT_REDIRECT] {
        let (elsewhere, strangers) = sink(|_, _| StatusCode::OK.into_response()).await;
        let redirect = move || (status, [(header::LOCATION, elsewhere.clone())]).into_response();
        let (address, asked) = sink(move |_, _| redirect()).await;
        let error = tell(&provider(Kind::Generic, address)).await.unwrap_err();
        assert!(error_text(&error).contains(status.as_str()), "{}", error_text(&error));
        assert_eq!((asked.lock().unwrap().len(), strangers.lock().unwrap().len()), (1, 0));
    }
}

/// An answer whose body begins with a token and has no end: it goes on forever, or not at all.
fn endless(status: StatusCode, goes_on: bool) -> Response {
    let begin = stream::iter(["canary-token".to_owned()]);
    let chunk = move || if goes_on { Some("x".repeat(1 << 16)) } else { None };
    let rest = stream::repeat_with(chunk).then(async |chunk| match chunk {
        Some(chunk) => chunk,
        None => std::future::pending().await,
    });
    let body = axum::body::Body::from_stream(begin.chain(rest).map(Ok::<_, std::io::Error>));
    (status, body).into_response()
}

#[tokio::test]
async fn an_answer_without_end_costs_no_second_message() {
    for goes_on in [true, false] {
        let timeout = Duration::from_secs(if goes_on { 60 } else { 1 });
        let told = async |kind, path: &str, status| {
            let (address, asked) = sink(move |_, _| endless(status, goes_on)).await;
            let soon = Duration::from_millis(5);
            let sender = Sender::new(Retries { limit: 2, shortest: soon, longest: soon });
            let provider = provider(kind, address + path);
            let end = sender.tell(&provider, &event(), &Access::default(), timeout).await;
            let asked = asked.lock().unwrap().len();
            (end.map_err(|error| error_text(&error)), asked)
        };
        // Taken is taken.
        assert!(matches!(told(Kind::Generic, "", StatusCode::OK).await, (Ok(()), 1)));
        let (refused, asked) = told(Kind::Generic, "", StatusCode::FORBIDDEN).await;
        let refused = refused.unwrap_err();
        let wanted = "request failed with status code 403: *****";
        assert!(refused.contains(wanted) && refused.len() < 1200 && asked == 1, "{refused}");
        // Half of what was looked up may lack just that.
        let (unread, asked) = told(Kind::GitLab, "/acme/fleet", StatusCode::OK).await;
        let unread = unread.unwrap_err();
        assert!(unread.contains("unable to read response body"), "{unread}");
        assert_eq!(asked, if goes_on { 3 } else { 1 });
    }
}

#[tokio::test]
async fn a_server_says_what_others_can_be_told_below() {
    let answers = |n, _: &Uri| match n {
        0 => StatusCode::BAD_GATEWAY.into_response(),
        _ => r#"{"ok": true, "ts": "1.2"}"#.into_response(),
    };
    let (address, asked) = sink(answers).await;
    let soon = Duration::from_millis(5);
    let sender = Sender::new(Retries { limit: 1, shortest: soon, longest: soon });
    let (provider, access) = (provider(Kind::Slack, address), Access::default());
    let tell = async |place| sender.tell_at(place, &provider, &event(), &access, PATIENCE).await;
    let thread = tell(Place::First).await.unwrap().unwrap();
    assert_eq!(tell(Place::Last(&thread)).await.unwrap(), None);
    assert_eq!(asked.lock().unwrap().len(), 3);
}
