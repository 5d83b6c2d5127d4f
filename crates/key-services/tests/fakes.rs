//! The services as fakes on the loopback interface, which check what real ones check: signatures,
//! tokens, what a key is bound to. And services that are hostile.
#![expect(clippy::unwrap_used, reason = "a fake that fails fails the test")]

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD as BASE64, BASE64_URL_SAFE_NO_PAD as URL};
use futures::future::BoxFuture;
use key_services::{
    Ambient, Bearers, Client, Credentials, Endpoints, Identity, IdentityError, Limits, Services,
};
use serde_json::{Value, json};
use sops_decrypt::{KeyService as _, Recipient};
use zeroize::Zeroizing;

const PLAIN: &[u8] = b"0123456789abcdef0123456789abcdef";
const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/k";

type Answer = Box<dyn Fn(&str, &HeaderMap, &[u8]) -> Response + Send + Sync>;

/// Serves `answer`; gives the address.
async fn serve(answer: Answer) -> String {
    let answer = Arc::new(answer);
    let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let answer = Arc::clone(&answer);
        async move { answer(&uri.to_string(), &headers, &body) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A service account whose tokens say who it is.
struct Account;

impl Identity for Account {
    fn token<'a>(
        &'a self,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Zeroizing<String>, IdentityError>> {
        let claims = json!({"sub": "system:serviceaccount:apps:sops", "aud": audience});
        let token = format!("e30.{}.sig", URL.encode(claims.to_string()));
        Box::pin(async move { Ok(Zeroizing::new(token)) })
    }

    fn aws_role(&self) -> BoxFuture<'_, Result<String, IdentityError>> {
        Box::pin(async { Ok("arn:aws:iam::1:role/r".to_owned()) })
    }

    fn azure_client(&self) -> BoxFuture<'_, Result<(String, String), IdentityError>> {
        Box::pin(async { Ok(("tenant-w".to_owned(), "client-w".to_owned())) })
    }

    fn google_metadata(&self) -> bool {
        true
    }

    fn vault_admits<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<(), IdentityError>> {
        Box::pin(async move { self.vault_login(address).await.map(drop) })
    }

    fn vault_login<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<String, IdentityError>> {
        Box::pin(async move {
            if address.contains("127.0.0.1") {
                return Ok("auth/kubernetes/login".to_owned());
            }
            Err(IdentityError::Untrusted { address: address.to_owned() })
        })
    }
}

fn credentials(entries: &[(&str, &str)]) -> Credentials {
    let mut credentials = Credentials::default();
    for (key, value) in entries {
        credentials.import(key, value.as_bytes()).unwrap();
    }
    credentials
}

/// Asks as a controller does: from a thread that may block.
async fn open(
    endpoints: Endpoints,
    entries: &[(&str, &str)],
    recipient: Recipient,
) -> Result<Vec<u8>, String> {
    let client = Client::with_timeout(Duration::from_millis(500)).unwrap();
    let runtime = tokio::runtime::Handle::current();
    let credentials = credentials(entries);
    let limits = Limits { tokens: 10, longest: Duration::from_hours(1) };
    let bearers = Arc::new(Bearers::new(client, endpoints, Ambient::default(), limits));
    let services = Services::new(bearers, credentials, Arc::new(Account), runtime);
    let opened = tokio::task::spawn_blocking(move || services.open(&recipient)).await.unwrap();
    opened.map(|part| part.to_vec()).map_err(|error| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    })
}

fn json_answer(value: &Value) -> Response {
    value.to_string().into_response()
}

fn refused(code: &str) -> Response {
    (StatusCode::FORBIDDEN, json!({"__type": code, "message": "s3cr3t"}).to_string())
        .into_response()
}

// ---- AWS

const AWS: (&str, &str) =
    ("sops.aws-kms", "aws_access_key_id: AKID\naws_secret_access_key: s3cr3t/key\n");

/// Computes the signature anew, from what came in.
fn is_signed(headers: &HeaderMap, body: &[u8], secret: &str, service: &str) -> bool {
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    let authorization = header("authorization");
    let Some((_, rest)) = authorization.split_once("SignedHeaders=") else { return false };
    let (names, signature) = rest.split_once(", Signature=").unwrap();
    let hex = |bytes: &[u8]| {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    };
    let sha = |data: &[u8]| hex(digest::digest(&digest::SHA256, data).as_ref());
    let lines: Vec<_> = names.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
    let lines = lines.concat();
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", sha(body));
    let time = header("x-amz-date");
    let scope = format!("{}/eu-west-1/{service}/aws4_request", &time[..8]);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha(canonical.as_bytes()));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [&time[..8], "eu-west-1", service, "aws4_request", &to_sign] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
        key = tag.as_ref().to_vec();
    }
    names.contains("host") && names.contains("x-amz-date") && hex(&key) == signature
}

fn kms(secret: &'static str, token: Option<&'static str>) -> Answer {
    Box::new(move |_, headers, body| {
        let sent: Value = serde_json::from_slice(body).unwrap();
        let has_token = headers.get("x-amz-security-token").map(|it| it.to_str().unwrap());
        if !is_signed(headers, body, secret, "kms") || has_token != token {
            return refused("com.amazon#InvalidSignatureException");
        }
        if headers["x-amz-target"] != "TrentService.Decrypt"
            || sent["EncryptionContext"] != json!({"app": "x"})
            || sent["CiphertextBlob"] != "c2VhbGVk"
            || sent["KeyId"] != ARN
        {
            return refused("InvalidCiphertextException");
        }
        json_answer(&json!({"Plaintext": BASE64.encode(PLAIN)}))
    })
}

fn aws_key(role: &str) -> Recipient {
    Recipient::AwsKms {
        arn: ARN.to_owned(),
        role: role.to_owned(),
        context: vec![("app".to_owned(), "x".to_owned())],
        enc: "c2VhbGVk".to_owned(),
    }
}

fn aws(kms: String, sts: Option<String>) -> Endpoints {
    Endpoints { aws_kms: Some(kms), aws_sts: sts, ..Endpoints::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_kms_opens_what_is_signed() {
    let kms = serve(kms("s3cr3t/key", None)).await;
    assert_eq!(open(aws(kms.clone(), None), &[AWS], aws_key("")).await.unwrap(), PLAIN);
    let wrong = ("sops.aws-kms", "aws_access_key_id: AKID\naws_secret_access_key: other\n");
    let error = open(aws(kms, None), &[wrong], aws_key("")).await.unwrap_err();
    assert_eq!(
        error,
        "failed to decrypt sops data key with AWS KMS: decrypt: the service answered 403 \
         InvalidSignatureException"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_roles_are_assumed_by_keys_and_by_tokens() {
    let sts = serve(Box::new(|_, headers, body| {
        let form = String::from_utf8(body.to_vec()).unwrap();
        let allowed = if form.contains("Action=AssumeRoleWithWebIdentity") {
            form.contains("WebIdentityToken=e30.") && form.contains("RoleArn=arn%3Aaws%3Aiam")
        } else {
            form.contains("Action=AssumeRole&") && is_signed(headers, body, "s3cr3t/key", "sts")
        };
        if !allowed {
            return refused("AccessDenied");
        }
        "<R><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>tmp</SecretAccessKey>\
         <SessionToken>session</SessionToken></Credentials></R>"
            .into_response()
    }))
    .await;
    let kms = serve(kms("tmp", Some("session"))).await;
    let endpoints = || aws(kms.clone(), Some(sts.clone()));
    let role = aws_key("arn:aws:iam::123456789012:role/sops");
    assert_eq!(open(endpoints(), &[AWS], role).await.unwrap(), PLAIN);
    assert_eq!(open(endpoints(), &[], aws_key("")).await.unwrap(), PLAIN);
}

// ---- GCP

const RESOURCE: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

fn gcp_key() -> Recipient {
    Recipient::GcpKms { resource_id: RESOURCE.to_owned(), enc: "c2VhbGVk".to_owned() }
}

async fn gcp_kms() -> String {
    serve(Box::new(|path, headers, body| {
        let sent: Value = serde_json::from_slice(body).unwrap();
        let authorized = headers["authorization"] == "Bearer google-token";
        if !authorized || path != format!("/v1/{RESOURCE}:decrypt") {
            return refused("PERMISSION_DENIED");
        }
        assert_eq!(sent["ciphertext"], "c2VhbGVk");
        json_answer(&json!({"plaintext": BASE64.encode(PLAIN)}))
    }))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn gcp_kms_opens_for_an_account_that_signs() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&key);
    let pem = BASE64.encode(pkcs8.unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
    let account = |pem: &str| {
        json!({
            "type": "service_account", "client_email": "sops@p.iam", "private_key_id": "kid",
            "private_key": pem, "token_uri": "https://oauth2.googleapis.com/token",
        })
        .to_string()
    };
    let public = key.public_key().as_ref().to_vec();
    let tokens = serve(Box::new(move |_, _, body| {
        let form = String::from_utf8(body.to_vec()).unwrap();
        let (_, assertion) = form.split_once("assertion=").unwrap();
        let (text, signature) = assertion.rsplit_once('.').unwrap();
        let signature = URL.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        let claims = URL.decode(text.split_once('.').unwrap().1).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let fits = claims["aud"] == "https://oauth2.googleapis.com/token"
            && claims["iss"] == "sops@p.iam"
            && claims["scope"] == "https://www.googleapis.com/auth/cloudkms";
        if public.verify(text.as_bytes(), &signature).is_err() || !fits {
            return refused("invalid_grant");
        }
        json_answer(&json!({"access_token": "google-token", "expires_in": 3600}))
    }))
    .await;
    let endpoints = Endpoints {
        gcp_kms: Some(gcp_kms().await),
        google_token: Some(tokens),
        ..Endpoints::default()
    };
    let entries = account(&pem);
    let opened = open(endpoints.clone(), &[("sops.gcp-kms", &entries)], gcp_key()).await;
    assert_eq!(opened.unwrap(), PLAIN);

    let other = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&other);
    let pem = BASE64.encode(pkcs8.unwrap().as_ref());
    let entries =
        account(&format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----"));
    let error = open(endpoints, &[("sops.gcp-kms", &entries)], gcp_key()).await.unwrap_err();
    assert!(error.ends_with("the service answered 403 invalid_grant"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gcp_kms_opens_for_the_account_of_the_machine() {
    let metadata = serve(Box::new(|path, headers, _| {
        assert_eq!(headers["metadata-flavor"], "Google");
        assert!(path.ends_with("/service-accounts/default/token"));
        json_answer(&json!({"access_token": "google-token"}))
    }))
    .await;
    let endpoints = Endpoints {
        gcp_kms: Some(gcp_kms().await),
        google_metadata: Some(metadata),
        ..Endpoints::default()
    };
    assert_eq!(open(endpoints, &[], gcp_key()).await.unwrap(), PLAIN);
}

// ---- Azure

fn azure_key(vault_url: &str) -> Recipient {
    Recipient::AzureKeyVault {
        vault_url: vault_url.to_owned(),
        name: "k".to_owned(),
        version: "v1".to_owned(),
        enc: "c2VhbGVk".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_key_vault_opens_for_secrets_and_tokens() {
    let authority = serve(Box::new(|path, _, body| {
        let form = String::from_utf8(body.to_vec()).unwrap();
        let scope = form.contains("scope=https%3A%2F%2Fvault.azure.net%2F.default");
        let by_secret = path == "/tenant-s/oauth2/v2.0/token"
            && form.contains("client_id=client-s")
            && form.contains("client_secret=s3cr3t");
        let by_token = path == "/tenant-w/oauth2/v2.0/token"
            && form.contains("client_id=client-w")
            && form.contains("client_assertion=e30.");
        if !scope || !(by_secret || by_token) {
            return refused("invalid_client");
        }
        json_answer(&json!({"access_token": "azure-token"}))
    }))
    .await;
    let vault = serve(Box::new(|path, headers, body| {
        let sent: Value = serde_json::from_slice(body).unwrap();
        if headers["authorization"] != "Bearer azure-token" {
            return refused("Unauthorized");
        }
        assert_eq!(path, "/keys/k/v1/decrypt?api-version=7.4");
        assert_eq!(sent, json!({"alg": "RSA-OAEP-256", "value": "c2VhbGVk"}));
        json_answer(&json!({"value": URL.encode(PLAIN)}))
    }))
    .await;
    let endpoints = Endpoints {
        azure_authority: Some(authority),
        azure_vault: Some(vault),
        ..Endpoints::default()
    };
    let key = || azure_key("https://v.vault.azure.net");
    let of = |secret: &str| {
        json!({"tenantId": "tenant-s", "clientId": "client-s", "clientSecret": secret}).to_string()
    };
    let right = of("s3cr3t");
    let opened = open(endpoints.clone(), &[("sops.azure-kv", &right)], key()).await;
    assert_eq!(opened.unwrap(), PLAIN);
    assert_eq!(open(endpoints.clone(), &[], key()).await.unwrap(), PLAIN);
    let wrong = of("other");
    let error = open(endpoints, &[("sops.azure-kv", &wrong)], key()).await.unwrap_err();
    assert!(error.ends_with("the service answered 403 invalid_client"), "{error}");
}

// ---- Vault

fn vault_key(address: &str) -> Recipient {
    Recipient::Vault {
        address: address.to_owned(),
        engine_path: "sops".to_owned(),
        key_name: "k".to_owned(),
        enc: "vault:v1:c2VhbGVk".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vault_opens_for_tokens_and_service_accounts() {
    let vault = serve(Box::new(|path, headers, body| {
        let sent: Value = serde_json::from_slice(body).unwrap();
        if path == "/v1/auth/kubernetes/login" {
            assert_eq!(sent["role"], "apps_sops");
            return json_answer(&json!({"auth": {"client_token": "s.login"}}));
        }
        let token = headers["x-vault-token"].to_str().unwrap();
        if !["s.static", "s.login"].contains(&token) {
            return refused("denied");
        }
        assert_eq!(path, "/v1/sops/decrypt/k");
        assert_eq!(sent["ciphertext"], "vault:v1:c2VhbGVk");
        json_answer(&json!({"data": {"plaintext": BASE64.encode(PLAIN)}}))
    }))
    .await;
    let ask = |token: Option<&'static str>| {
        let (vault, entries) = (vault.clone(), token.map(|token| ("sops.vault-token", token)));
        async move {
            let entries: Vec<_> = entries.into_iter().collect();
            open(Endpoints::default(), &entries, vault_key(&vault)).await
        }
    };
    assert_eq!(ask(Some("s.static")).await.unwrap(), PLAIN);
    assert_eq!(ask(None).await.unwrap(), PLAIN);
    assert!(ask(Some("s.other")).await.unwrap_err().contains("answered 403"));
    // A token of the Secret goes where the Secret says, or else to who is trusted.
    let elsewhere = ("sops.vault-address", "https://a.invalid\nhttps://b.invalid");
    let here = format!("https://a.invalid {vault}/");
    for (address, problem) in [
        (elsewhere, Some("is no host of the service")),
        (("sops.vault-address", here.as_str()), None),
    ] {
        let entries = [("sops.vault-token", "s.static"), address];
        let opened = open(Endpoints::default(), &entries, vault_key(&vault)).await;
        match problem {
            None => assert_eq!(opened.unwrap(), PLAIN),
            Some(problem) => assert!(opened.unwrap_err().contains(problem)),
        }
    }
    let entries = [("sops.vault-token", "s.static")];
    let stranger = vault_key("https://vault.invalid:8200");
    let error = open(Endpoints::default(), &entries, stranger).await.unwrap_err();
    assert!(error.contains("no Vault login path configured for address"), "{error}");
    let untrusted = vault_key("https://vault.invalid:8200");
    let error = open(Endpoints::default(), &[], untrusted).await.unwrap_err();
    assert!(error.contains("no Vault login path configured for address"), "{error}");
}

// ---- hostile

#[tokio::test(flavor = "multi_thread")]
async fn hostile_answers_are_errors() {
    let elsewhere =
        serve(Box::new(|_, _, _| unreachable!("credentials were sent elsewhere"))).await;
    let cases: [(Answer, &str); 6] = [
        (Box::new(move |_, _, _| Redirect::temporary(&elsewhere).into_response()), "answered 307"),
        (Box::new(|_, _, _| "x".repeat(1 << 20).into_response()), "longer than 65536 bytes"),
        (Box::new(|_, _, _| "s3cr3t".into_response()), "not understood"),
        (Box::new(|_, _, _| json_answer(&json!({"data": {"plaintext": "%"}}))), "not understood"),
        (Box::new(|_, _, _| refused("s3cr3t and more words")), "answered 403"),
        (Box::new(|_, _, _| json_answer(&json!([]))), "not understood"),
    ];
    for (answer, wanted) in cases {
        let vault = vault_key(&serve(answer).await);
        let entries = [("sops.vault-token", "s3cr3t-token")];
        let error = open(Endpoints::default(), &entries, vault).await.unwrap_err();
        assert!(error.contains(wanted) && !error.contains("s3cr3t"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_hangs_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let began = std::time::Instant::now();
    let entries = [("sops.vault-token", "t")];
    let error = open(Endpoints::default(), &entries, vault_key(&address)).await.unwrap_err();
    assert!(error.contains("no answer in time"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_from_files_lead_nowhere_else() {
    let token = ("sops.vault-token", "t");
    let azure = ("sops.azure-kv", r#"{"tenantId": "t", "clientId": "c", "clientSecret": "s"}"#);
    let mut climbing = vault_key("http://127.0.0.1:1");
    if let Recipient::Vault { engine_path, .. } = &mut climbing {
        "../../v1/sys".clone_into(engine_path);
    }
    let malformed_arn = Recipient::AwsKms {
        arn: "arn:aws:kms:evil.example/:1:key/x".to_owned(),
        role: String::new(),
        context: Vec::new(),
        enc: String::new(),
    };
    let cases = [
        (azure, azure_key("https://evil.example"), "is no host of the service"),
        (azure, azure_key("http://v.vault.azure.net"), "malformed vault address"),
        (token, vault_key("ftp://x"), "malformed Vault address"),
        (token, vault_key("http://user@x"), "malformed Vault address"),
        (token, climbing, "malformed key path"),
        (AWS, malformed_arn, "malformed ARN"),
    ];
    for (entry, recipient, wanted) in cases {
        let error = open(Endpoints::default(), &[entry], recipient).await.unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}
