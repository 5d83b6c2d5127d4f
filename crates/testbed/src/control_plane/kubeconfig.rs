//! The file that tells clients where the API server is and who they are.

use crate::certificates::{Ca, Certificate};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// A kubeconfig as JSON, which is YAML too. Everything is embedded: the file can be moved.
pub(super) fn text(server: &str, ca: &Ca, user: &Certificate) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(ca.certificate_pem()),
        }}],
        "users": [{"name": "testbed", "user": {
            "client-certificate-data": STANDARD.encode(&user.certificate_pem),
            "client-key-data": STANDARD.encode(&user.key_pem),
        }}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": "testbed"}}],
        "current-context": "testbed",
    });
    format!("{config:#}\n")
}
