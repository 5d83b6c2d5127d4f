//! Credentials from the entries of a Secret, as Flux reads them.

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::identity::Secret;

/// What a Secret holds. It cannot be printed, and is wiped when it goes.
#[derive(Default)]
pub struct Credentials {
    pub(crate) aws: Option<AwsKeys>,
    pub(crate) azure: Option<AzureClient>,
    pub(crate) google: Option<GoogleKey>,
    pub(crate) vault_token: Option<Secret>,
    /// The servers that the token is for; none if nothing is said.
    pub(crate) vault_addresses: Option<Vec<String>>,
}

/// Why an entry is no credential. Nothing of it is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is no YAML or JSON of the right shape.
    #[error("failed to unmarshal {service} credentials")]
    Shape {
        /// Which service.
        service: &'static str,
    },
    /// Something is missing.
    #[error("invalid data: requires {wanted}")]
    Missing {
        /// What it should have.
        wanted: &'static str,
    },
    /// A kind of credential that is not supported.
    #[error("{kind} credentials are not supported")]
    Unsupported {
        /// Which kind.
        kind: &'static str,
    },
}

/// Keys of AWS.
#[derive(Clone)]
pub(crate) struct AwsKeys {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Option<Secret>,
}

/// Who to be for Azure.
pub(crate) enum AzureClient {
    Secret {
        tenant: String,
        client: String,
        secret: Secret,
        authority: Option<String>,
    },
    /// The identity that the machine has under this name.
    Managed {
        client: String,
    },
}

/// A key of Google.
pub(crate) enum GoogleKey {
    Account(GoogleAccount),
    User(GoogleUser),
}

/// A service account of Google.
pub(crate) struct GoogleAccount {
    pub(crate) email: String,
    pub(crate) key_id: Option<String>,
    pub(crate) private_key: Secret,
    pub(crate) token_uri: String,
}

/// A user of Google, who has agreed to it once.
pub(crate) struct GoogleUser {
    pub(crate) client: String,
    pub(crate) secret: Secret,
    pub(crate) refresh_token: Secret,
}

impl Credentials {
    /// Takes in an entry of a Secret. Entries of other names are left alone.
    ///
    /// # Errors
    /// If the entry has the name of a credential and is none.
    pub fn import(&mut self, key: &str, value: &[u8]) -> Result<(), ImportError> {
        match key {
            "sops.vault-token" => {
                let token = vault_text(value)?.trim();
                self.vault_token = (!token.is_empty()).then(|| Zeroizing::new(token.to_owned()));
            }
            // Not of Flux, which sends the token to whatever address a file names.
            "sops.vault-address" => {
                let addresses = vault_text(value)?.split_whitespace();
                self.vault_addresses = Some(addresses.map(ToOwned::to_owned).collect());
            }
            "sops.aws-kms" => self.aws = Some(aws(value)?),
            "sops.azure-kv" => self.azure = Some(azure(value)?),
            "sops.gcp-kms" => self.google = Some(GoogleKey::read(value)?),
            _ => {}
        }
        Ok(())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

fn vault_text(value: &[u8]) -> Result<&str, ImportError> {
    std::str::from_utf8(value).map_err(|_no_text| ImportError::Shape { service: "Vault" })
}

/// Reads YAML, of which JSON is a part.
fn read<T: serde::de::DeserializeOwned>(
    value: &[u8],
    service: &'static str,
) -> Result<T, ImportError> {
    // An error of the parser may quote what it read.
    let shape = || ImportError::Shape { service };
    let document = yaml::parse(value).map_err(|_quotes| shape())?;
    serde_json::from_value(document).map_err(|_quotes| shape())
}

fn aws(value: &[u8]) -> Result<AwsKeys, ImportError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(rename = "aws_access_key_id")]
        id: String,
        #[serde(rename = "aws_secret_access_key")]
        secret: String,
        #[serde(rename = "aws_session_token", default)]
        token: String,
    }
    let file: File = read(value, "AWS")?;
    let token = Some(file.token).filter(|token| !token.is_empty());
    Ok(AwsKeys {
        id: file.id,
        secret: Zeroizing::new(file.secret),
        token: token.map(Zeroizing::new),
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AzureFile {
    tenant_id: String,
    client_id: String,
    client_secret: String,
    client_certificate: String,
    authority_host: String,
    app_id: String,
    tenant: String,
    password: String,
}

fn azure(value: &[u8]) -> Result<AzureClient, ImportError> {
    let file: AzureFile = read(&utf8(value), "Azure")?;
    let given = |text: &str| !text.is_empty();
    let authority = Some(file.authority_host).filter(|host| given(host));
    let client = given(&file.tenant_id) && given(&file.client_id);
    if client && given(&file.client_secret) {
        return Ok(AzureClient::Secret {
            tenant: file.tenant_id,
            client: file.client_id,
            secret: Zeroizing::new(file.client_secret),
            authority,
        });
    }
    if client && given(&file.client_certificate) {
        return Err(ImportError::Unsupported { kind: "certificate" });
    }
    if given(&file.tenant) && given(&file.app_id) && given(&file.password) {
        return Ok(AzureClient::Secret {
            tenant: file.tenant,
            client: file.app_id,
            secret: Zeroizing::new(file.password),
            authority,
        });
    }
    if given(&file.client_id) {
        return Ok(AzureClient::Managed { client: file.client_id });
    }
    let wanted = "a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or \
                  'tenantId', 'clientId' and 'clientCertificate'";
    Err(ImportError::Missing { wanted })
}

/// The text, which tools on Windows write as UTF-16.
fn utf8(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let decode = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        text.collect::<String>().into_bytes()
    };
    Zeroizing::new(match value {
        [0xff, 0xfe, rest @ ..] => decode(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode(rest, u16::from_be_bytes),
        _ => value.to_vec(),
    })
}

impl GoogleKey {
    /// Reads the JSON that Google hands out.
    ///
    /// # Errors
    /// If it is none, or of a kind that names files and addresses to be read by us.
    pub(crate) fn read(value: &[u8]) -> Result<Self, ImportError> {
        #[derive(Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum File {
            ServiceAccount {
                #[serde(default)]
                client_email: String,
                private_key_id: Option<String>,
                #[serde(default)]
                private_key: String,
                #[serde(default = "google_token_uri")]
                token_uri: String,
            },
            AuthorizedUser {
                #[serde(default)]
                client_id: String,
                #[serde(default)]
                client_secret: String,
                #[serde(default)]
                refresh_token: String,
            },
            #[serde(other)]
            Other,
        }
        let given = |texts: &[&String]| texts.iter().all(|text| !text.is_empty());
        match read(value, "GCP")? {
            File::ServiceAccount { client_email, private_key_id, private_key, token_uri } => {
                if !given(&[&client_email, &private_key]) {
                    return Err(ImportError::Missing {
                        wanted: "'client_email' and 'private_key'",
                    });
                }
                Ok(Self::Account(GoogleAccount {
                    email: client_email,
                    key_id: private_key_id,
                    private_key: Zeroizing::new(private_key),
                    token_uri,
                }))
            }
            File::AuthorizedUser { client_id, client_secret, refresh_token } => {
                if !given(&[&client_id, &client_secret, &refresh_token]) {
                    let wanted = "'client_id', 'client_secret' and 'refresh_token'";
                    return Err(ImportError::Missing { wanted });
                }
                Ok(Self::User(GoogleUser {
                    client: client_id,
                    secret: Zeroizing::new(client_secret),
                    refresh_token: Zeroizing::new(refresh_token),
                }))
            }
            File::Other => {
                Err(ImportError::Unsupported { kind: "other than service account and user" })
            }
        }
    }
}

fn google_token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_flux_reads_them() {
        let mut all = Credentials::default();
        all.import("sops.vault-token", b" s.token\n").unwrap();
        all.import("sops.aws-kms", b"aws_access_key_id: a\naws_secret_access_key: b\n").unwrap();
        all.import("sops.azure-kv", br#"{"appId":"a","tenant":"t","password":"p"}"#).unwrap();
        all.import("other", b"\xff").unwrap();
        assert_eq!(all.vault_token.unwrap().as_str(), "s.token");
        assert!(all.aws.unwrap().token.is_none());
        assert!(matches!(all.azure, Some(AzureClient::Secret { .. })));
        let utf16: Vec<u8> =
            "\u{feff}clientId: x".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut all = Credentials::default();
        all.import("sops.azure-kv", &utf16).unwrap();
        assert!(matches!(all.azure, Some(AzureClient::Managed { .. })));
    }

    #[test]
    fn what_is_no_credential_is_refused_without_being_shown() {
        for key in ["sops.aws-kms", "sops.azure-kv", "sops.gcp-kms"] {
            for value in ["s3cr3t", "a: [s3cr3t", "{type: s3cr3t}", "\"s3cr3t\""] {
                let error = Credentials::default().import(key, value.as_bytes()).unwrap_err();
                assert!(!format!("{error:?} {error}").contains("s3cr3t"), "{error:?}");
            }
        }
    }
}
