//! Who may publish, and what.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http_access::{Access, Secret};
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::real_server::RealServer;
use crate::subscriber::Subscriber;
use crate::{SUBJECT, event, provider, refusal, tell};

/// A user for the one who listens.
const READER: &str = r#"{user: reader, password: "reader"}"#;

async fn reader(server: &RealServer) -> Subscriber {
    let login = |_: &str| json!({"user": "reader", "pass": "reader"});
    Subscriber::new(server, &Access::default(), login).await
}

async fn heard(subscriber: &mut Subscriber) {
    let event: Value = serde_json::from_str(&event().to_json()).unwrap();
    assert_eq!(subscriber.next().await, (SUBJECT.to_owned(), event));
}

#[tokio::test]
async fn everybody_may_publish_where_nobody_is_asked() {
    let server = RealServer::start("");
    let mut subscriber = Subscriber::anybody(&server).await;
    tell(&provider(server.url())).await.unwrap();
    heard(&mut subscriber).await;
    // Without a scheme, and behind a server that is not there.
    tell(&provider(format!("127.0.0.1:1, {}", server.address))).await.unwrap();
    heard(&mut subscriber).await;
    // A login that nobody asks for does no harm; a key cannot be used.
    let mut told = provider(server.url());
    told.nats_credentials = Secret::new(KeyPair::new_user().seed().unwrap());
    tell(&told).await.unwrap();
    heard(&mut subscriber).await;
    told.nats_credentials = Secret::default();
    told.nats_seed = Secret::new(KeyPair::new_user().seed().unwrap());
    let text = refusal(&told).await;
    assert_eq!(text, "error connecting to server: nats: nkeys not supported by the server");
}

#[tokio::test]
async fn a_password_lets_in_and_a_wrong_one_does_not() {
    let users = format!(
        r#"authorization {{ users: [{READER}, {{user: me, password: "canary-pass/word"}}] }}"#
    );
    let server = RealServer::start(&users);
    let mut subscriber = reader(&server).await;
    let mut told = provider(server.url());
    told.username = "me".to_owned();
    told.password = Secret::new("canary-pass/word");
    tell(&told).await.unwrap();
    heard(&mut subscriber).await;
    told.password = Secret::new("canary-other");
    let text = refusal(&told).await;
    assert_eq!(text, "error connecting to server: nats: Authorization Violation");
    // The address comes first.
    told.address = Secret::new(format!("nats://me:canary-pass%2Fword@{}", server.address));
    tell(&told).await.unwrap();
    heard(&mut subscriber).await;
    told.address = Secret::new(format!("nats://me:canary@{}", server.address));
    assert_eq!(refusal(&told).await, text);
}

#[tokio::test]
async fn a_token_of_the_address_lets_in() {
    let server = RealServer::start(r#"authorization { token: "canary-token" }"#);
    let login = |_: &str| json!({"auth_token": "canary-token"});
    let mut subscriber = Subscriber::new(&server, &Access::default(), login).await;
    tell(&provider(format!("nats://canary-token@{}", server.address))).await.unwrap();
    heard(&mut subscriber).await;
    refusal(&provider(format!("nats://canary@{}", server.address))).await;
}

#[tokio::test]
async fn a_key_lets_in_before_a_password() {
    let key = KeyPair::new_user();
    let users = format!("authorization {{ users: [{READER}, {{nkey: {}}}] }}", key.public_key());
    let server = RealServer::start(&users);
    let mut subscriber = reader(&server).await;
    let mut told = provider(server.url());
    (told.username, told.password) = ("me".to_owned(), Secret::new("canary-password"));
    told.nats_seed = Secret::new(key.seed().unwrap() + "\n");
    tell(&told).await.unwrap();
    heard(&mut subscriber).await;
    told.nats_seed = Secret::new(KeyPair::new_user().seed().unwrap());
    let text = refusal(&told).await;
    assert_eq!(text, "error connecting to server: nats: Authorization Violation");
    told.nats_seed = Secret::new("SUcanary");
    assert_eq!(refusal(&told).await, "error parsing nkey seed: nkeys: invalid seed");
}

#[tokio::test]
async fn credentials_let_in_before_a_key() {
    let (operator, account, user) =
        (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let signed = |issuer: &KeyPair, key: &KeyPair, claims: Value| {
        let encode = |part: Value| BASE64.encode(part.to_string());
        let body = json!({"iss": issuer.public_key(), "sub": key.public_key(), "name": "test",
            "iat": 1_700_000_000, "jti": "test", "nats": claims});
        let token = encode(json!({"typ": "JWT", "alg": "ed25519-nkey"})) + "." + &encode(body);
        let signature = BASE64.encode(issuer.sign(token.as_bytes()).unwrap());
        format!("{token}.{signature}")
    };
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "wildcards": true, "conn": -1, "leaf": -1});
    let operator_token = signed(&operator, &operator, json!({"type": "operator", "version": 2}));
    let account_token =
        signed(&operator, &account, json!({"type": "account", "version": 2, "limits": limits}));
    let user_claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let user_token = signed(&account, &user, user_claims.clone());
    let server = RealServer::start(&format!(
        "operator: {operator_token}\nresolver: MEMORY\nresolver_preload: {{ {}: {account_token} }}\n",
        account.public_key()
    ));
    let login = |nonce: &str| {
        let signature = BASE64.encode(user.sign(nonce.as_bytes()).unwrap());
        json!({"jwt": user_token, "sig": signature})
    };
    let mut subscriber = Subscriber::new(&server, &Access::default(), login).await;
    let file = |token: &str, key: &KeyPair| {
        Secret::new(format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            key.seed().unwrap()
        ))
    };
    let mut told = provider(server.url());
    told.nats_seed = Secret::new(KeyPair::new_user().seed().unwrap());
    told.nats_credentials = file(&user_token, &user);
    tell(&told).await.unwrap();
    heard(&mut subscriber).await;
    let violation = "error connecting to server: nats: Authorization Violation";
    // Somebody else's token, and a token that nobody known has signed.
    told.nats_credentials = file(&user_token, &KeyPair::new_user());
    assert_eq!(refusal(&told).await, violation);
    let stranger = KeyPair::new_account();
    told.nats_credentials = file(&signed(&stranger, &user, user_claims), &user);
    assert_eq!(refusal(&told).await, violation);
    told.nats_credentials = Secret::new("canary");
    let text = refusal(&told).await;
    assert!(
        text.ends_with("unable to extract key pair from bytes: nkeys: no nkey seed found"),
        "{text}"
    );
}

#[tokio::test]
async fn what_may_not_be_published_is_said() {
    let server = RealServer::start(
        "authorization { users: [{user: me, password: canary-word, permissions: {publish: other}}] }",
    );
    let mut told = provider(server.url());
    (told.username, told.password) = ("me".to_owned(), Secret::new("canary-word"));
    assert_eq!(
        refusal(&told).await,
        "error publishing message to server: nats: permissions violation: Permissions Violation for \
         Publish to \"flux.events\""
    );
    let server = RealServer::start("max_payload: 100");
    let text = refusal(&provider(server.url())).await;
    let begin =
        "error publishing message to server: nats: maximum payload exceeded: the message has ";
    assert!(text.starts_with(begin) && text.ends_with(" bytes, the server takes 100"), "{text}");
    for subject in ["flux events", "flux\r\nPUB", "flux\u{0}"] {
        let mut told = provider(server.url());
        told.channel = subject.to_owned();
        let error = tell(&told).await.unwrap_err();
        let source = std::error::Error::source(&error).and_then(std::error::Error::source);
        assert_eq!(source.unwrap().to_string(), "nats: invalid subject");
    }
}
