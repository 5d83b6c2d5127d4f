//! GCP KMS.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;
use sops_decrypt::Part;
use zeroize::Zeroizing;

use crate::Services;
use crate::error::Reason;
use crate::google;
use crate::identity::IdentityError;
use crate::request::{Request, is_path};

const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";

pub(crate) async fn decrypt(on: &Services, resource: &str, enc: &str) -> Result<Part, Reason> {
    const STEP: &str = "decrypt";
    let words: Vec<&str> = resource.split('/').collect();
    let is_key =
        matches!(words.as_slice(), ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _]);
    if !is_key || !is_path(resource) {
        return Err(Reason::Malformed { what: "resource id" });
    }
    let token = match (&on.credentials.google, on.identity.google_account()) {
        (Some(key), _) => google::of_key(on.desk(), key, &[SCOPE]).await?.token,
        (None, Some(account)) => {
            let asked = on.bearers.google(Some(account), None).await;
            asked.map_err(|error| Reason::Identity(Box::new(error)))?.token
        }
        (None, None) if on.identity.google_metadata() => {
            google::of_machine(on.desk(), &[]).await?.token
        }
        (None, None) => return Err(IdentityError::None { service: "GCP KMS" }.into()),
    };
    let base = on.endpoints().gcp_kms.as_deref().unwrap_or("https://cloudkms.googleapis.com");
    let authorization = Zeroizing::new(format!("Bearer {}", token.as_str()));
    let request = Request {
        step: STEP,
        url: format!("{base}/v1/{resource}:decrypt"),
        body: Some(json!({"ciphertext": enc}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json"), ("authorization", &authorization)],
    };
    let answer = on.client().send(request).await?.json(STEP)?;
    let plain = answer["plaintext"].as_str().and_then(|text| BASE64.decode(text).ok());
    plain.map(Zeroizing::new).ok_or(Reason::Answer { step: STEP })
}
