//! Who the controller is for clouds, as the clouds' own tools are told by the environment.

use std::path::PathBuf;

use clap::Args;
use key_services::{Ambient, Endpoints};
use zeroize::Zeroizing;

/// What the environment of a pod with a workload identity says.
#[derive(Args, Clone, Default)]
pub struct IdentityArguments {
    /// A file with credentials of Google.
    #[arg(long, env = "GOOGLE_APPLICATION_CREDENTIALS", hide = true)]
    google_application_credentials: Option<PathBuf>,
    /// Host and port of the metadata server of Google's machines.
    #[arg(long, env = "GCE_METADATA_HOST", hide = true)]
    gce_metadata_host: Option<String>,
    /// The address of Microsoft Entra.
    #[arg(long, env = "AZURE_AUTHORITY_HOST", hide = true)]
    azure_authority_host: Option<String>,
    /// The tenant of the client that the controller is.
    #[arg(long, env = "AZURE_TENANT_ID", hide = true)]
    azure_tenant_id: Option<String>,
    /// The client of Azure that the controller is.
    #[arg(long, env = "AZURE_CLIENT_ID", hide = true)]
    azure_client_id: Option<String>,
    /// The secret of that client.
    #[arg(long, env = "AZURE_CLIENT_SECRET", hide = true, hide_env_values = true)]
    azure_client_secret: Option<String>,
    /// Where a token for that client is.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE", hide = true)]
    azure_federated_token_file: Option<PathBuf>,
}

impl IdentityArguments {
    pub(super) fn endpoints(&self) -> Endpoints {
        let host = given(self.gce_metadata_host.as_ref());
        Endpoints {
            google_metadata: host.map(|host| format!("http://{host}")),
            azure_authority: given(self.azure_authority_host.as_ref()).cloned(),
            ..Endpoints::default()
        }
    }

    pub(super) fn ambient(&self) -> Ambient {
        Ambient {
            google_credentials: self.google_application_credentials.clone(),
            azure_tenant: given(self.azure_tenant_id.as_ref()).cloned(),
            azure_client: given(self.azure_client_id.as_ref()).cloned(),
            azure_client_secret: given(self.azure_client_secret.as_ref())
                .map(|secret| Zeroizing::new(secret.clone())),
            azure_token_file: self.azure_federated_token_file.clone(),
        }
    }

    /// What the names of Event Hubs end with in the cloud of this Entra.
    pub(super) fn event_hubs(&self) -> &'static str {
        match self.azure_authority_host.as_deref() {
            Some(host) if host.contains("chinacloudapi.cn") => ".servicebus.chinacloudapi.cn",
            Some(host) if host.contains("microsoftonline.us") => ".servicebus.usgovcloudapi.net",
            _ => ".servicebus.windows.net",
        }
    }
}

fn given(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}

impl std::fmt::Debug for IdentityArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityArguments(..)")
    }
}
