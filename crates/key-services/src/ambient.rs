//! Who the controller itself is, as the environment of its pod says. Whoever writes that environment
//! is trusted with the controller's files.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::credentials::GoogleKey;
use crate::desk::{Desk, Granted};
use crate::entra::{self, Proof};
use crate::error::Reason;
use crate::google::{self, Federated};
use crate::identity::Secret;

/// Limit: bytes of a file with a credential or a token.
const FILE_BYTES: u64 = 64 << 10;

/// What the environment says.
#[derive(Clone, Default)]
pub struct Ambient {
    /// A file with credentials of Google; without it, the account of the machine is meant.
    pub google_credentials: Option<PathBuf>,
    /// The tenant of Azure.
    pub azure_tenant: Option<String>,
    /// The client of Azure.
    pub azure_client: Option<String>,
    /// The secret of that client.
    pub azure_client_secret: Option<Secret>,
    /// Where a token for that client is.
    pub azure_token_file: Option<PathBuf>,
}

/// Credentials of Google in a file.
enum File {
    Key(GoogleKey),
    External(External),
}

/// An identity of elsewhere, whose token is in another file.
#[derive(Deserialize)]
struct External {
    audience: String,
    subject_token_type: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
}

#[derive(Deserialize)]
struct Source {
    file: PathBuf,
    #[serde(default)]
    format: Format,
}

/// The file is the token, unless it is JSON with a member that is.
#[derive(Default, Deserialize)]
struct Format {
    subject_token_field_name: Option<String>,
}

impl Ambient {
    /// A token of Google. `machine` reaches the metadata server.
    pub(crate) async fn google(
        &self,
        desk: Desk<'_>,
        machine: Desk<'_>,
        scopes: &[&str],
    ) -> Result<Granted, Reason> {
        let Some(path) = &self.google_credentials else {
            return google::of_machine(machine, scopes).await;
        };
        match read(path).await.and_then(|text| File::parse(&text))? {
            File::Key(key) => google::of_key(desk, &key, scopes).await,
            File::External(external) => external.granted(desk, scopes).await,
        }
    }

    /// A token of Azure. `machine` reaches the metadata server.
    pub(crate) async fn azure(
        &self,
        desk: Desk<'_>,
        machine: Desk<'_>,
        scope: &str,
    ) -> Result<Granted, Reason> {
        let id = self.azure_client.as_deref();
        let client = self.azure_tenant.as_deref().zip(id);
        let client = client.map(|(tenant, id)| entra::Client { tenant, id, authority: None });
        match (client, &self.azure_client_secret, &self.azure_token_file) {
            (Some(client), Some(secret), _) => {
                entra::of_client(desk, &client, &Proof::Secret(secret), scope).await
            }
            (Some(client), None, Some(path)) => {
                let token = read(path).await?;
                entra::of_client(desk, &client, &Proof::Token(token.trim()), scope).await
            }
            _ => {
                let resource = scope.strip_suffix("/.default").unwrap_or(scope);
                entra::of_machine(machine, id, resource).await
            }
        }
    }
}

impl File {
    fn parse(text: &str) -> Result<Self, Reason> {
        let unusable = || Reason::Credential { what: "file of Google credentials" };
        let json: Value = serde_json::from_str(text).map_err(|_quotes| unusable())?;
        if json["type"] == "external_account" {
            return serde_json::from_value(json).map(Self::External).map_err(|_quotes| unusable());
        }
        GoogleKey::read(text.as_bytes()).map(Self::Key).map_err(|_no_key| unusable())
    }
}

impl External {
    async fn granted(&self, desk: Desk<'_>, scopes: &[&str]) -> Result<Granted, Reason> {
        let held = read(&self.credential_source.file).await?;
        let subject = match &self.credential_source.format.subject_token_field_name {
            None => held,
            Some(member) => {
                let json: Option<Value> = serde_json::from_str(&held).ok();
                let token = json.as_ref().and_then(|json| json[member].as_str());
                let token = token.ok_or(Reason::Credential { what: "subject token" })?;
                Zeroizing::new(token.to_owned())
            }
        };
        let identity = Federated {
            audience: &self.audience,
            subject: subject.trim(),
            subject_type: &self.subject_token_type,
            acts_as: self.acts_as()?,
        };
        google::of_federated(desk, &identity, scopes).await
    }

    /// The account that the address of its token names.
    fn acts_as(&self) -> Result<Option<&str>, Reason> {
        let Some(url) = &self.service_account_impersonation_url else { return Ok(None) };
        let email = url
            .strip_prefix("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/")
            .and_then(|rest| rest.strip_suffix(":generateAccessToken"));
        let what = "service_account_impersonation_url";
        email.map(Some).ok_or(Reason::Credential { what })
    }
}

/// The text of a file that the environment names.
async fn read(path: &Path) -> Result<Secret, Reason> {
    use tokio::io::AsyncReadExt as _;
    let unusable = |_| Reason::Credential { what: "file that the environment names" };
    let file = tokio::fs::File::open(path).await.map_err(unusable)?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES).read_to_string(&mut text).await.map_err(unusable)?;
    Ok(text)
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ambient")
            .field("google_credentials", &self.google_credentials)
            .field("azure_tenant", &self.azure_tenant)
            .field("azure_client", &self.azure_client)
            .field("azure_token_file", &self.azure_token_file)
            .finish_non_exhaustive()
    }
}
