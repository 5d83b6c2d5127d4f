//! Tokens of Google and Azure: for keys, for the controller, for service accounts.

use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse as _, Response};
use futures::future::BoxFuture;
use http_access::Proxy;
use jiff::Timestamp;
use key_services::{
    Ambient, Bearer, BearerError, Bearers, Credentials, Endpoints, Identity, IdentityError,
    ServiceAccount, Services,
};
use serde_json::{Value, json};
use sops_decrypt::{KeyService as _, Recipient};
use zeroize::Zeroizing;

use crate::bearers;
use crate::fake::{Asked, Rsa, answered, refused, serve, told};

const SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/cloud-platform", "b"];
const IDENTITY_SCOPES: &str = "https://www.googleapis.com/auth/cloud-platform \
                               https://www.googleapis.com/auth/userinfo.email";
const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/p/providers/k";
const EMAIL: &str = "web@p.iam.gserviceaccount.com";
const HUBS: &str = "https://eventhubs.azure.net//.default";

fn result(asked: Result<Bearer, BearerError>) -> Result<String, String> {
    asked.map(|bearer| bearer.token.to_string()).map_err(|error| told(&error))
}

fn granted(token: &str) -> Response {
    answered(&json!({"access_token": token, "expires_in": 3600}))
}

/// A proxy that must not be asked.
async fn forbidden_proxy() -> Proxy {
    let url = serve(|_| unreachable!("the proxy was asked for a token of the machine")).await;
    Proxy { url, login: None }
}

// ---- keys of Google

fn account_key(key: &Rsa, token_uri: &str) -> String {
    json!({
        "type": "service_account", "client_email": "web@p.iam", "private_key_id": "kid",
        "private_key": key.pkcs8, "token_uri": token_uri,
    })
    .to_string()
}

#[tokio::test]
async fn a_key_of_google_signs_for_its_scopes() {
    const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
    let (key, other) = (Rsa::generate(), Rsa::generate());
    let public = key.public();
    let google_token = serve(move |asked| {
        if asked.field("grant_type") == "refresh_token" {
            let fields = ["client_id", "client_secret", "refresh_token"].map(|it| asked.field(it));
            return if fields == ["c", "s", "r"] { granted("of-user") } else { refused(400) };
        }
        let Some(claims) = public.verified(&asked.field("assertion")) else { return refused(400) };
        let now = Timestamp::now().as_second();
        let (begin, end) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        let fits = asked.field("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            && claims["iss"] == "web@p.iam"
            && claims["aud"] == TOKEN_URI
            && claims["scope"] == SCOPES.join(" ")
            && begin <= now
            && (1..=3600).contains(&(end - now));
        if fits { granted("of-account") } else { refused(400) }
    });
    let endpoints = Endpoints { google_token: Some(google_token.await), ..Endpoints::default() };
    let bearers = bearers(endpoints, Ambient::default());
    let ask = async |json: &str| result(bearers.google_key(json, &SCOPES, None).await);
    assert_eq!(ask(&account_key(&key, TOKEN_URI)).await.unwrap(), "of-account");
    let user =
        r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
    assert_eq!(ask(user).await.unwrap(), "of-user");
    let error = ask(&account_key(&other, TOKEN_URI)).await.unwrap_err();
    assert!(error.ends_with("the service answered 400 invalid_grant"), "{error}");
    for unusable in [
        "canary",
        r#"{"type": "canary"}"#,
        r#"{"type": "service_account", "private_key": "canary"}"#,
        r#"{"type": "service_account", "client_email": "e", "private_key": "canary"}"#,
        // It would have us read files and addresses of others.
        r#"{"type": "external_account", "credential_source": {"file": "/canary"}}"#,
    ] {
        let error = ask(unusable).await.unwrap_err();
        assert!(!error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_key_of_google_leads_to_google_only() {
    let key = Rsa::generate();
    let bearers = bearers(Endpoints::default(), Ambient::default());
    for stranger in [
        "http://127.0.0.1:1/token",
        "https://evil.example/token",
        "https://x@oauth2.googleapis.com",
    ] {
        let asked = bearers.google_key(&account_key(&key, stranger), &SCOPES, None).await;
        let error = result(asked).unwrap_err();
        assert!(error.ends_with("the token_uri cannot be used"), "{error}");
    }
}

// ---- the controller itself

#[tokio::test]
async fn the_controller_is_the_account_of_its_machine() {
    let google_metadata = serve(|asked| {
        assert_eq!(asked.header("metadata-flavor"), "Google");
        let wanted = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=\
                      https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform%2C\
                      https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email";
        if asked.path == wanted { granted("of-machine") } else { refused(404) }
    });
    let azure_metadata = serve(|asked| {
        assert_eq!(asked.header("metadata"), "true");
        let wanted = "/metadata/identity/oauth2/token?api-version=2018-02-01&\
                      resource=https%3A%2F%2Feventhubs.azure.net%2F&client_id=client-m";
        let token = json!({"access_token": "of-machine", "expires_in": "3600"});
        if asked.path == wanted { answered(&token) } else { refused(404) }
    });
    let endpoints = Endpoints {
        google_metadata: Some(google_metadata.await),
        azure_metadata: Some(azure_metadata.await),
        ..Endpoints::default()
    };
    let ambient = Ambient { azure_client: Some("client-m".to_owned()), ..Ambient::default() };
    let bearers = bearers(endpoints, ambient);
    let proxy = forbidden_proxy().await;
    assert_eq!(result(bearers.google(None, Some(&proxy)).await).unwrap(), "of-machine");
    assert_eq!(result(bearers.azure(None, HUBS, Some(&proxy)).await).unwrap(), "of-machine");
}

#[tokio::test]
async fn the_controller_is_who_its_environment_says() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let token = file("token", " of-cluster\n");
    let google = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": format!(
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
        ),
        "credential_source": {"file": token, "format": {"type": "text"}},
    });
    let azure_authority = serve(|asked| {
        let by_secret = asked.field("client_secret") == "s3cr3t";
        let by_token = asked.field("client_assertion") == "of-cluster";
        let fits = asked.path == "/tenant/oauth2/v2.0/token"
            && asked.field("client_id") == "client"
            && asked.field("scope") == HUBS
            && asked.field("grant_type") == "client_credentials";
        match (fits, by_secret, by_token) {
            (true, true, false) => granted("by-secret"),
            (true, false, true) => granted("by-token"),
            _ => refused(401),
        }
    });
    let endpoints = Endpoints {
        azure_authority: Some(azure_authority.await),
        ..google_exchange("//iam.googleapis.com/x", "of-cluster", true).await
    };
    let ambient = Ambient {
        google_credentials: Some(file("google.json", &google.to_string())),
        azure_tenant: Some("tenant".to_owned()),
        azure_client: Some("client".to_owned()),
        azure_token_file: Some(token),
        azure_client_secret: None,
    };
    let of_files = bearers(endpoints.clone(), ambient.clone());
    assert_eq!(result(of_files.google(None, None).await).unwrap(), "of-web");
    assert_eq!(result(of_files.azure(None, HUBS, None).await).unwrap(), "by-token");
    let azure_client_secret = Some(Zeroizing::new("s3cr3t".to_owned()));
    let ambient = Ambient { azure_client_secret, ..ambient };
    assert!(!format!("{ambient:?}").contains("s3cr3t"));
    let of_secret = bearers(endpoints.clone(), ambient);
    assert_eq!(result(of_secret.azure(None, HUBS, None).await).unwrap(), "by-secret");
    let missing = Ambient { google_credentials: Some("/nowhere".into()), ..Ambient::default() };
    let error = result(bearers(endpoints, missing).google(None, None).await).unwrap_err();
    let wanted = "failed to create provider access token for the controller: the file that the \
                  environment names cannot be used";
    assert_eq!(error, wanted);
}

// ---- service accounts

/// Google's exchange of tokens, and its acting as an account.
async fn google_exchange(audience: &'static str, subject: &'static str, acts: bool) -> Endpoints {
    let google_sts = serve(move |asked| {
        let scope = if acts { SCOPES[0] } else { IDENTITY_SCOPES };
        let wanted = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", audience),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", subject),
            ("scope", scope),
        ];
        let fits = wanted.iter().all(|(name, value)| asked.field(name) == *value);
        if fits { granted("federated") } else { refused(400) }
    });
    let google_iam = serve(|asked| {
        let wanted =
            "/v1/projects/-/serviceAccounts/web%40p.iam.gserviceaccount.com:generateAccessToken";
        let fits = asked.path == wanted
            && asked.header("authorization") == "Bearer federated"
            && asked.json()["scope"] == json!(IDENTITY_SCOPES.split(' ').collect::<Vec<_>>());
        let end = Timestamp::from_second(Timestamp::now().as_second() + 3600).unwrap();
        let token = json!({"accessToken": "of-web", "expireTime": end.to_string()});
        if fits { answered(&token) } else { refused(403) }
    });
    Endpoints {
        google_sts: Some(google_sts.await),
        google_iam: Some(google_iam.await),
        ..Endpoints::default()
    }
}

/// An API server with one service account, `apps/web`, whose annotations may change.
struct Cluster {
    client: kube::Client,
    annotations: Arc<Mutex<Value>>,
}

impl Cluster {
    /// Its tokens say for whom they are.
    async fn start(annotations: Value) -> Self {
        let annotations = Arc::new(Mutex::new(annotations));
        let said = Arc::clone(&annotations);
        let address = serve(move |asked| Self::answer(&asked, &said.lock().unwrap())).await;
        let config = kube::Config::new(address.parse().unwrap());
        Self { client: kube::Client::try_from(config).unwrap(), annotations }
    }

    fn answer(asked: &Asked, annotations: &Value) -> Response {
        let path = asked.path.split('?').next().unwrap_or_default();
        match (asked.method.as_str(), path) {
            ("GET", "/api/v1/namespaces/apps/serviceaccounts/web") => answered(&json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "web", "namespace": "apps", "annotations": annotations},
            })),
            ("POST", "/api/v1/namespaces/apps/serviceaccounts/web/token") => {
                let request = asked.json();
                assert_eq!(request["spec"]["expirationSeconds"], 600);
                let audiences = &request["spec"]["audiences"];
                assert_eq!(audiences.as_array().map(Vec::len), Some(1));
                let token = format!("web for {}", audiences[0].as_str().unwrap());
                answered(&json!({
                    "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                    "metadata": {}, "spec": request["spec"],
                    "status": {"token": token, "expirationTimestamp": "2100-01-01T00:00:00Z"},
                }))
            }
            _ => {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": "serviceaccounts \"gone\" not found", "reason": "NotFound", "code": 404,
                });
                (axum::http::StatusCode::NOT_FOUND, status.to_string()).into_response()
            }
        }
    }

    fn account(&self) -> ServiceAccount {
        ServiceAccount::named(self.client.clone(), "apps".to_owned(), "web".to_owned())
    }
}

#[tokio::test]
async fn a_service_account_acts_as_one_of_google() {
    const AUDIENCE: &str =
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k";
    const SUBJECT: &str = "web for //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k";
    let annotations = json!({
        "gcp.auth.fluxcd.io/workload-identity-provider": PROVIDER,
        "iam.gke.io/gcp-service-account": EMAIL,
    });
    let cluster = Cluster::start(annotations).await;
    let endpoints = google_exchange(AUDIENCE, SUBJECT, true).await;
    let bearers = bearers(endpoints, Ambient::default());
    assert_eq!(result(bearers.google(Some(&cluster.account()), None).await).unwrap(), "of-web");
}

/// As who a Kustomization decrypts.
struct Decrypts(ServiceAccount);

impl Identity for Decrypts {
    fn token<'a>(
        &'a self,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Zeroizing<String>, IdentityError>> {
        Box::pin(async move { Ok(self.0.token(audience).await?) })
    }

    fn aws_role(&self) -> BoxFuture<'_, Result<String, IdentityError>> {
        unreachable!("no key is at AWS")
    }

    fn azure_client(&self) -> BoxFuture<'_, Result<(String, String), IdentityError>> {
        unreachable!("no key is at Azure")
    }

    fn google_account(&self) -> Option<&ServiceAccount> {
        Some(&self.0)
    }

    fn google_metadata(&self) -> bool {
        false
    }

    fn vault_admits<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), IdentityError>> {
        unreachable!("no key is in Vault")
    }

    fn vault_login<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String, IdentityError>> {
        unreachable!("no key is in Vault")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_opens_keys_of_google() {
    const AUDIENCE: &str =
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k";
    const SUBJECT: &str = "web for //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k";
    let key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
    let gcp_kms = serve(move |asked| {
        let fits = asked.path == format!("/v1/{key}:decrypt")
            && asked.header("authorization") == "Bearer federated";
        if fits { answered(&json!({"plaintext": "b3BlbmVk"})) } else { refused(403) }
    });
    let endpoints = Endpoints {
        gcp_kms: Some(gcp_kms.await),
        ..google_exchange(AUDIENCE, SUBJECT, false).await
    };
    let annotations = json!({"gcp.auth.fluxcd.io/workload-identity-provider": PROVIDER});
    let cluster = Cluster::start(annotations).await;
    let bearers = Arc::new(bearers(endpoints, Ambient::default()));
    let identity = Arc::new(Decrypts(cluster.account()));
    let runtime = tokio::runtime::Handle::current();
    let services = Services::new(bearers, Credentials::default(), identity, runtime);
    let open = move || {
        let enc = "c2VhbGVk".to_owned();
        services.open(&Recipient::GcpKms { resource_id: key.to_owned(), enc })
    };
    let opened = tokio::task::spawn_blocking(open).await.unwrap();
    assert_eq!(opened.unwrap().as_slice(), b"opened");
}

#[tokio::test]
async fn a_service_account_of_a_cluster_of_google_needs_no_annotation() {
    const AUDIENCE: &str = "identitynamespace:p-1.svc.id.goog:https://container.googleapis.com/v1/\
                            projects/p-1/locations/europe-west1/clusters/main";
    let google_metadata = serve(|asked| match asked.path.as_str() {
        "/computeMetadata/v1/project/project-id" => "p-1\n".into_response(),
        "/computeMetadata/v1/instance/attributes/cluster-location" => {
            "europe-west1".into_response()
        }
        "/computeMetadata/v1/instance/attributes/cluster-name" => "main".into_response(),
        _ => refused(404),
    });
    let endpoints = Endpoints {
        google_metadata: Some(google_metadata.await),
        ..google_exchange(AUDIENCE, "web for p-1.svc.id.goog", false).await
    };
    let cluster = Cluster::start(json!({})).await;
    let bearers = bearers(endpoints, Ambient::default());
    assert_eq!(result(bearers.google(Some(&cluster.account()), None).await).unwrap(), "federated");
}

#[tokio::test]
async fn what_is_said_of_a_service_account_counts_at_once() {
    let identity = |client: &str| {
        json!({
            "azure.workload.identity/tenant-id": "tenant",
            "azure.workload.identity/client-id": client,
        })
    };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let clients = Arc::clone(&asked);
    let azure_authority = serve(move |asked| {
        let fits = asked.field("client_assertion") == "web for api://AzureADTokenExchange"
            && asked.field("scope") == HUBS;
        let client = asked.field("client_id");
        clients.lock().unwrap().push(client.clone());
        if fits { granted(&client) } else { refused(401) }
    });
    let endpoints =
        Endpoints { azure_authority: Some(azure_authority.await), ..Endpoints::default() };
    let cluster = Cluster::start(identity("one")).await;
    let bearers = bearers(endpoints, Ambient::default());
    let account = cluster.account();
    for client in ["one", "one", "two"] {
        *cluster.annotations.lock().unwrap() = identity(client);
        let token = result(bearers.azure(Some(&account), HUBS, None).await).unwrap();
        assert_eq!(token, client);
    }
    // The second time it was still known.
    assert_eq!(*asked.lock().unwrap(), ["one", "two"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_service_account_is_told_in_flux_words() {
    let cluster = Cluster::start(json!({"iam.gke.io/gcp-service-account": "x@y"})).await;
    let google_metadata = serve(|asked| {
        let name = if asked.path.contains("cluster-name") { "a/../b" } else { "x" };
        name.into_response()
    })
    .await;
    let endpoints = Endpoints { google_metadata: Some(google_metadata), ..Endpoints::default() };
    let with_metadata = bearers(endpoints, Ambient::default());
    let error = result(with_metadata.google(Some(&cluster.account()), None).await).unwrap_err();
    let wanted = "failed to get provider audience: failed to get GKE cluster name from the metadata \
                  service: ask the metadata server: the answer is not understood";
    assert_eq!(error, wanted);
    *cluster.annotations.lock().unwrap() = json!({
        "iam.gke.io/gcp-service-account": "x@y",
        "gcp.auth.fluxcd.io/workload-identity-provider": PROVIDER,
    });
    let bearers: &Bearers = &bearers(Endpoints::default(), Ambient::default());
    let google = async |account: &ServiceAccount| {
        result(bearers.google(Some(account), None).await).unwrap_err()
    };
    let error = google(&cluster.account()).await;
    let wanted = "failed to get provider identity from service account 'apps/web' annotations: \
                  invalid iam.gke.io/gcp-service-account annotation: 'x@y'. must match \
                  ^[a-zA-Z0-9-]{1,100}@";
    assert!(error.starts_with(wanted), "{error}");
    let error = result(bearers.azure(Some(&cluster.account()), HUBS, None).await).unwrap_err();
    let wanted = "failed to get provider identity from service account 'apps/web' annotations: azure \
                  tenant ID is not set in the service account annotation \
                  azure.workload.identity/tenant-id";
    assert_eq!(error, wanted);
    let account = |make: fn(kube::Client, String, String) -> ServiceAccount| {
        make(cluster.client.clone(), "apps".to_owned(), "gone".to_owned())
    };
    let error = google(&account(ServiceAccount::named)).await;
    let wanted = "failed to get service account 'apps/gone': serviceaccounts \"gone\" not found";
    assert_eq!(error, wanted);
    let error = google(&account(ServiceAccount::default_of)).await;
    let wanted = "failed to get service account 'apps/gone': the specified default service account \
                  does not exist in the object namespace. your cluster is subject to multi-tenant \
                  workload identity lockdown";
    assert!(error.starts_with(wanted), "{error}");
}
