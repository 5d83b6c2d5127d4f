//! Shared keys of Azure, which sign a time of expiry.

use alert_message::SharedKey;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, Mac as _};
use secret_text::Secret;
use sha2::Sha256;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::Error;

/// How long a signature is good for, in seconds.
const SIGNATURE_SECONDS: i64 = 3600;

/// The header `Authorization` of a request.
///
/// # Errors
/// If the key cannot sign.
pub(crate) fn authorization(key: &SharedKey, url: &Url) -> Result<Secret, Error> {
    signature(url, key, jiff::Timestamp::now().as_second() + SIGNATURE_SECONDS)
}

/// A signature for whatever is below the parent of `url`.
fn signature(url: &Url, key: &SharedKey, expiry: i64) -> Result<Secret, Error> {
    let mut resource = url.clone();
    resource.set_query(None);
    // Fails only for URLs that cannot be a base.
    if let Ok(mut path) = resource.path_segments_mut() {
        path.pop();
    }
    let escaped = |text: &[u8]| byte_serialize(text).collect::<String>();
    let resource = escaped(resource.as_str().as_bytes()).to_lowercase();
    // Keys of every length are taken.
    let mac = Hmac::<Sha256>::new_from_slice(key.key.expose().as_bytes());
    let mut mac = mac.map_err(|_length| Error::Unsupported { feature: "an empty key" })?;
    mac.update(format!("{resource}\n{expiry}").as_bytes());
    let signature = escaped(BASE64.encode(mac.finalize().into_bytes()).as_bytes());
    let key_name = escaped(key.name.as_bytes());
    Ok(Secret::new(format!(
        "SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={key_name}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_key_signs_the_hub_and_the_time() {
        let url = "https://ns.servicebus.windows.net/hub/messages?api-version=2014-01";
        let key = SharedKey { name: "send".to_owned(), key: Secret::new("c2VjcmV0") };
        let signed = signature(&Url::parse(url).unwrap(), &key, 1_700_000_000);
        // As Python's hmac and urllib make it.
        assert_eq!(
            signed.map(|header| header.expose().to_owned()).unwrap(),
            "SharedAccessSignature sr=https%3a%2f%2fns.servicebus.windows.net%2fhub&\
             sig=0Q3TT1ecdiBf%2FTbgxv9kqC%2BGyly48T%2B7iWE9BDp3G48%3D&se=1700000000&skn=send"
        );
    }
}
