//! The file that tells clients where the API server is and who they are.

use crate::certificates::{Ca, Certificate};
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A kubeconfig as JSON, which is YAML too. Everything is embedded: the file can be moved.
pub(crate) fn text(server: &str, ca: &Ca, user: &Certificate) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(ca.certificate_pem()),
        }}],
        "users": [{"name": "testbed", "user": credentials(user)}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": "testbed"}}],
        "current-context": "testbed",
    });
    format!("{config:#}\n")
}

/// The same file for another user. Reads only what [`text`] has written.
pub(crate) fn with_user(text: &str, user: &Certificate) -> Result<String> {
    let mut config: Value = serde_json::from_str(text)?;
    config["users"][0]["user"] = credentials(user);
    Ok(format!("{config:#}\n"))
}

/// A kubeconfig, as JSON, for whoever holds a token.
pub(crate) fn with_token(text: &str, token: &str) -> Result<String> {
    let mut config: Value = serde_json::from_str(text)?;
    config["users"][0]["user"] = json!({"token": token});
    Ok(format!("{config:#}\n"))
}

/// A kubeconfig, as JSON, that leads to another server, which asks for no credentials.
pub(crate) fn with_server(text: &str, server: &str) -> Result<String> {
    let mut config: Value = serde_json::from_str(text)?;
    config["clusters"][0]["cluster"] = json!({"server": server});
    config["users"][0]["user"] = json!({});
    Ok(format!("{config:#}\n"))
}

fn credentials(user: &Certificate) -> Value {
    json!({
        "client-certificate-data": STANDARD.encode(&user.certificate_pem),
        "client-key-data": STANDARD.encode(&user.key_pem),
    })
}
