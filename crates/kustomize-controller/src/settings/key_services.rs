//! Where key services are, and who the controller is for them, as their own tools are told.

use std::path::{Path, PathBuf};

use clap::Args;
use key_services::{Endpoints, IdentityError, Secret};

/// What the environment of a pod with a workload identity says.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyServiceArguments {
    /// The address of AWS KMS.
    #[arg(long, env = "AWS_ENDPOINT_URL_KMS", hide = true)]
    aws_endpoint_url_kms: Option<String>,
    /// The address of AWS STS.
    #[arg(long, env = "AWS_ENDPOINT_URL_STS", hide = true)]
    aws_endpoint_url_sts: Option<String>,
    /// The address of Microsoft Entra.
    #[arg(long, env = "AZURE_AUTHORITY_HOST", hide = true)]
    azure_authority_host: Option<String>,
    /// The role of AWS that the controller has.
    #[arg(long, env = "AWS_ROLE_ARN", hide = true)]
    aws_role_arn: Option<String>,
    /// Where the token for that role is.
    #[arg(long, env = "AWS_WEB_IDENTITY_TOKEN_FILE", hide = true)]
    aws_web_identity_token_file: Option<PathBuf>,
    /// The client of Azure that the controller is.
    #[arg(long, env = "AZURE_CLIENT_ID", hide = true)]
    azure_client_id: Option<String>,
    /// The tenant of that client.
    #[arg(long, env = "AZURE_TENANT_ID", hide = true)]
    azure_tenant_id: Option<String>,
    /// Where the token for that client is.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE", hide = true)]
    azure_federated_token_file: Option<PathBuf>,
}

/// The ConfigMap that lists the Vault servers to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VaultConfig {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// The identity of the controller itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ambient(KeyServiceArguments);

impl KeyServiceArguments {
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints {
            aws_kms: self.aws_endpoint_url_kms.clone(),
            aws_sts: self.aws_endpoint_url_sts.clone(),
            azure_authority: self.azure_authority_host.clone(),
            ..Endpoints::default()
        }
    }

    pub(super) fn ambient(&self) -> Ambient {
        Ambient(self.clone())
    }
}

impl Ambient {
    pub(crate) fn aws_role(&self) -> Result<String, IdentityError> {
        self.0.aws_role_arn.clone().ok_or(IdentityError::None { service: "AWS KMS" })
    }

    pub(crate) fn azure_client(&self) -> Result<(String, String), IdentityError> {
        let tenant = self.0.azure_tenant_id.clone();
        let both = tenant.zip(self.0.azure_client_id.clone());
        both.ok_or(IdentityError::None { service: "Azure Key Vault" })
    }

    /// The token for a cloud, which the kubelet keeps fresh in a file.
    pub(crate) async fn token(&self, audience: &str) -> Result<Secret, IdentityError> {
        let (service, file) = match audience {
            "sts.amazonaws.com" => ("AWS KMS", &self.0.aws_web_identity_token_file),
            "api://AzureADTokenExchange" => ("Azure Key Vault", &self.0.azure_federated_token_file),
            _ => return Err(IdentityError::None { service: "Vault" }),
        };
        let file: &Path = file.as_deref().ok_or(IdentityError::None { service })?;
        let token = tokio::fs::read_to_string(file).await;
        let token = token.map_err(|error| IdentityError::Unreadable {
            what: "the file with the token of the controller".to_owned(),
            message: error.kind().to_string(),
        })?;
        Ok(Secret::new(token.trim().to_owned()))
    }
}
