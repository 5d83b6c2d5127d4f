//! A kubeconfig from a tenant's Secret, rebuilt from the fields that cannot hurt us.
//!
//! Flux: `runtime/client`, `KubeConfig`. A kubeconfig may run programs, read files of this
//! process, or switch off the check of certificates: none of that passes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};

/// How many bytes a kubeconfig may have: what fits into a Secret.
const MAX_BYTES: usize = 1 << 20;

/// What the operator of this controller allows a kubeconfig to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trust {
    /// It may name a program that prints credentials (`--insecure-kubeconfig-exec`).
    pub exec: bool,
    /// It may switch off the check of the server's certificate (`--insecure-kubeconfig-tls`).
    pub insecure_tls: bool,
}

/// Why a kubeconfig cannot be used. Never quotes from it: it holds credentials.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// It does not fit into a Secret, so it did not come from one.
    #[error("the kubeconfig has {bytes} bytes, more than {MAX_BYTES}")]
    TooLarge {
        /// How long it is.
        bytes: usize,
    },
    /// It is no text, or no kubeconfig.
    #[error("the kubeconfig cannot be parsed")]
    Unreadable,
    /// The context it selects, or what that names, is not in it.
    #[error("the kubeconfig has no usable cluster, user and current-context")]
    Incomplete,
    /// It asks for what is not allowed here.
    #[error("the kubeconfig asks for {what}, which {flag} does not allow")]
    Refused {
        /// What it asks for.
        what: &'static str,
        /// The flag that would allow it.
        flag: &'static str,
    },
    /// Its certificates, keys or proxy are no use.
    #[error("no client can be made of the kubeconfig")]
    Client(#[source] Box<kube::Error>),
}

impl KubeconfigError {
    pub(crate) fn client(error: kube::Error) -> Self {
        Self::Client(Box::new(error))
    }
}

/// Reads a kubeconfig and leaves in it only what may be there.
pub(crate) async fn sanitised(bytes: &[u8], trust: Trust) -> Result<kube::Config, KubeconfigError> {
    if bytes.len() > MAX_BYTES {
        return Err(KubeconfigError::TooLarge { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|_secret| KubeconfigError::Unreadable)?;
    let mut kubeconfig =
        Kubeconfig::from_yaml(text).map_err(|_secret| KubeconfigError::Unreadable)?;
    for named in &mut kubeconfig.clusters {
        named.cluster = named.cluster.take().map(|cluster| sanitised_cluster(cluster, trust));
    }
    for named in &mut kubeconfig.auth_infos {
        named.auth_info =
            named.auth_info.take().map(|user| sanitised_user(user, trust)).transpose()?;
    }
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|_secret| KubeconfigError::Incomplete)
}

/// A configuration without a user; `authority` are the certificates to trust, in PEM.
pub(crate) async fn anonymous(
    address: &str,
    authority: Option<&str>,
) -> Result<kube::Config, KubeconfigError> {
    let name = "cluster".to_owned();
    let cluster = Cluster {
        server: Some(address.to_owned()),
        certificate_authority_data: authority.map(|authority| STANDARD.encode(authority)),
        ..Cluster::default()
    };
    let context = Context { cluster: name.clone(), user: Some(name.clone()), ..Context::default() };
    let user = NamedAuthInfo {
        name: name.clone(),
        auth_info: Some(AuthInfo::default()),
        ..NamedAuthInfo::default()
    };
    let kubeconfig = Kubeconfig {
        clusters: vec![NamedCluster {
            name: name.clone(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![user],
        contexts: vec![NamedContext {
            name: name.clone(),
            context: Some(context),
            ..NamedContext::default()
        }],
        current_context: Some(name),
        ..Kubeconfig::default()
    };
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|_certificates| KubeconfigError::Incomplete)
}

fn sanitised_cluster(given: Cluster, trust: Trust) -> Cluster {
    Cluster {
        server: given.server,
        certificate_authority_data: given.certificate_authority_data,
        proxy_url: given.proxy_url,
        tls_server_name: given.tls_server_name,
        disable_compression: given.disable_compression,
        insecure_skip_tls_verify: given.insecure_skip_tls_verify.filter(|_| trust.insecure_tls),
        ..Cluster::default()
    }
}

/// Differs: Flux drops `exec` silently when it is not allowed and then fails to authenticate; we
/// say what is missing.
fn sanitised_user(given: AuthInfo, trust: Trust) -> Result<AuthInfo, KubeconfigError> {
    if given.exec.is_some() && !trust.exec {
        let flag = "--insecure-kubeconfig-exec";
        return Err(KubeconfigError::Refused { what: "a program to be run", flag });
    }
    Ok(AuthInfo {
        username: given.username,
        password: given.password,
        token: given.token,
        client_certificate_data: given.client_certificate_data,
        client_key_data: given.client_key_data,
        exec: given.exec,
        ..AuthInfo::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(cluster: &str, user: &str) -> Vec<u8> {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'{cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        )
        .into_bytes()
    }

    #[tokio::test]
    async fn what_names_a_file_or_another_user_is_dropped() {
        let bytes = kubeconfig(
            ", certificate-authority: /etc/passwd, insecure-skip-tls-verify: true",
            "tokenFile: /etc/passwd, client-key: /k, as: 'system:admin', as-groups: ['system:masters']",
        );
        let config = sanitised(&bytes, Trust::default()).await.unwrap();
        assert!(!config.accept_invalid_certs);
        assert_eq!(config.root_cert, None);
        assert_eq!(config.auth_info.token_file, None);
        assert_eq!(config.auth_info.client_key, None);
        assert_eq!(config.auth_info.impersonate, None);
        assert_eq!(config.auth_info.impersonate_groups, None);
    }

    #[tokio::test]
    async fn dangerous_wishes_need_a_flag() {
        let bytes =
            kubeconfig("", "exec: {apiVersion: client.authentication.k8s.io/v1, command: id}");
        let error = sanitised(&bytes, Trust::default()).await.unwrap_err();
        assert!(error.to_string().contains("--insecure-kubeconfig-exec"), "{error}");
        let bytes = kubeconfig(", insecure-skip-tls-verify: true", "token: t");
        let trust = Trust { insecure_tls: true, exec: false };
        assert!(sanitised(&bytes, trust).await.unwrap().accept_invalid_certs);
    }

    #[tokio::test]
    async fn an_error_does_not_quote_the_kubeconfig() {
        for bytes in [&b"token: [hunter2"[..], b"\xff\xfe", b"users: hunter2", b""] {
            let error = sanitised(bytes, Trust::default()).await.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
