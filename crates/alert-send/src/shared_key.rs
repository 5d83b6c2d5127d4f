//! Shared keys of Azure, which sign a time of expiry.

use alert_message::SharedKey;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, Mac as _};
use secret_text::Secret;
use sha2::Sha256;
use url::Url;
use url::form_urlencoded::{self, byte_serialize};

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

/// What nobody may see of such a header: all of it, and the signature as it is written and as it is.
pub(crate) fn secrets(header: &Secret) -> Vec<String> {
    let header = header.expose();
    let pairs = || header.split(['&', ' ']);
    let written = pairs().filter_map(|pair| pair.strip_prefix("sig=")).map(str::to_owned);
    let meant = form_urlencoded::parse(header.as_bytes()).filter(|(name, _)| name == "sig");
    let meant = meant.map(|(_, signature)| signature.into_owned());
    written.chain(meant).chain([header.to_owned()]).collect()
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
        let hidden = signature(&Url::parse(url).unwrap(), &key, 1_700_000_000).unwrap();
        let hidden = secrets(&hidden);
        for form in [
            "0Q3TT1ecdiBf%2FTbgxv9kqC%2BGyly48T%2B7iWE9BDp3G48%3D",
            "0Q3TT1ecdiBf/Tbgxv9kqC+Gyly48T+7iWE9BDp3G48=",
        ] {
            assert!(hidden.iter().any(|text| text == form), "{form}");
        }
    }
}
