//! Tokens that are not the provider's own: of identities at clouds, and of GitHub Apps.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use alert_message::{Answer, Kind, Place, Provider, Request, Step, TokenOf, begin};
use event_api::Event;
use secret_text::Secret;

fn provider(kind: Kind, address: &str, channel: &str, token_of: TokenOf) -> Provider {
    Provider {
        channel: channel.to_owned(),
        token: Secret::new("canary"),
        token_of,
        status_id: "id".to_owned(),
        uid: "uid".to_owned(),
        ..Provider::new(kind, address)
    }
}

fn event() -> Event {
    serde_json::from_value(serde_json::json!({
        "involvedObject": {"kind": "Kustomization", "namespace": "apps", "name": "web"},
        "severity": "info", "message": "applied", "reason": "ReconciliationSucceeded",
        "metadata": {
            "revision": "main@sha1:f7f8d5e5ac3a1c1c0f7a7a1d9b0e6a2c7f1d2b3a", "change_request": "7",
        },
    }))
    .unwrap()
}

fn first(provider: &Provider) -> Result<Request, String> {
    match begin(provider, &event(), Place::Alone).map_err(|error| error.to_string())? {
        Step::Ask(request, _) => Ok(request),
        Step::Done | Step::Begun(_) | Step::Publish(_) => Err("nothing is asked".to_owned()),
    }
}

#[test]
fn the_token_of_an_identity_goes_to_its_cloud_only() {
    let repository = |server: &str| format!("{server}/org/project/_git/repo");
    let devops = |server: &str, of| provider(Kind::AzureDevOps, &repository(server), "", of);
    for server in ["https://dev.azure.com", "https://org.visualstudio.com", "http://127.0.0.1:1"] {
        let request = first(&devops(server, TokenOf::Identity)).unwrap();
        assert!(request.headers.iter().any(|(name, _)| name == "Authorization"), "{server}");
    }
    let hub = |namespace: &str, of| provider(Kind::AzureEventHub, "hub", namespace, of);
    for namespace in ["ns", "ns.servicebus.chinacloudapi.cn"] {
        let request = first(&hub(namespace, TokenOf::Identity)).unwrap();
        let bearer = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        assert_eq!(bearer.1.expose(), "Bearer canary", "{namespace}");
    }
    for stranger in [
        devops("https://evil.example", TokenOf::Identity),
        devops("https://dev.azure.com.evil.example", TokenOf::Identity),
        devops("https://dev.azure.com:8443", TokenOf::Identity),
        devops("http://dev.azure.com", TokenOf::Identity),
        devops("https://evil.example/dev.azure.com", TokenOf::Identity),
        hub("ns.servicebus.evil.example", TokenOf::Identity),
        hub("evil.example/", TokenOf::Identity),
        hub("evil.example?", TokenOf::Identity),
        hub("x@evil.example/.servicebus.windows.net", TokenOf::Identity),
    ] {
        let error = first(&stranger).err().unwrap();
        assert!(error.contains("no server of the cloud"), "{error}");
    }
    // Who sets a provider up says where their own token goes.
    first(&devops("https://devops.example", TokenOf::Owner)).unwrap();
    first(&hub("ns.servicebus.example", TokenOf::Owner)).unwrap();
}

#[test]
fn pub_sub_is_asked_by_identities_and_never_sent_a_key() {
    let pubsub = |of| provider(Kind::GooglePubSub, "project", "topic", of);
    let request = first(&pubsub(TokenOf::Identity)).unwrap();
    let url = "https://pubsub.googleapis.com/v1/projects/project/topics/topic:publish";
    assert_eq!(request.url.as_str(), url);
    assert_eq!(request.headers[0].1.expose(), "Bearer canary");
    assert!(first(&pubsub(TokenOf::Owner)).is_err());
}

#[test]
fn an_app_comments_under_its_own_name() {
    let app = TokenOf::GitHubApp { login: "fleet[bot]".to_owned() };
    let address = "https://github.com/acme/fleet";
    let provider = provider(Kind::GitHubPullRequestComment, address, "", app);
    let Step::Ask(list, then) = begin(&provider, &event(), Place::Alone).unwrap() else {
        panic!("no request")
    };
    assert!(list.url.path().ends_with("/issues/7/comments"), "{}", list.url);
    let body = "<!-- flux-pr-comment-key:uid/Kustomization/apps/web -->";
    let comments = serde_json::json!([
        {"id": 1, "user": {"login": "fleet"}, "body": body},
        {"id": 2, "user": {"login": "fleet[bot]"}, "body": body},
    ]);
    let answer = Answer { status: 200, body: comments.to_string().into_bytes() };
    let Step::Ask(edit, _) = then(&answer).unwrap() else { panic!("no request") };
    assert!(edit.url.path().ends_with("/issues/comments/2"), "{}", edit.url);
}
