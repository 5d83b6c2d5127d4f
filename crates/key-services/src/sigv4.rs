//! Signatures of AWS, version 4.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::credentials::AwsKeys;

/// A POST to the root of a service that is to be signed.
pub(crate) struct ToSign<'a> {
    pub(crate) host: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) content_type: &'a str,
    /// The operation, for services that want it in a header.
    pub(crate) target: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// The values of the headers `authorization` and `x-amz-date`.
pub(crate) fn sign(request: &ToSign<'_>, keys: &AwsKeys, now: Timestamp) -> (String, String) {
    let utc = now.to_zoned(TimeZone::UTC);
    let time = utc.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = &time[..8];
    // Sorted by name.
    let mut headers = vec![
        ("content-type", request.content_type),
        ("host", request.host),
        ("x-amz-date", time.as_str()),
    ];
    if let Some(token) = &keys.token {
        headers.push(("x-amz-security-token", token.as_str()));
    }
    headers.extend(request.target.map(|target| ("x-amz-target", target)));
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let mut lines = String::new();
    for (name, value) in &headers {
        // Writing to a string cannot fail.
        _ = writeln!(lines, "{name}:{value}");
    }
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", sha256(request.body));
    let scope = format!("{date}/{}/{}/aws4_request", request.region, request.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let secret = format!("AWS4{}", keys.secret.as_str());
    let parts = [date, request.region, request.service, "aws4_request"];
    let key = parts
        .iter()
        .fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()).as_ref().to_vec());
    let signature = hex(hmac(&key, to_sign.as_bytes()).as_ref());
    let id = &keys.id;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    (authorization, time)
}

fn hmac(key: &[u8], data: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
}

fn sha256(data: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    /// Case `post-x-www-form-urlencoded` of the suite that AWS published.
    #[test]
    fn a_request_of_the_suite_of_aws_is_signed_as_there() {
        let keys = AwsKeys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Zeroizing::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            token: None,
        };
        let request = ToSign {
            host: "example.amazonaws.com",
            region: "us-east-1",
            service: "service",
            content_type: "application/x-www-form-urlencoded",
            target: None,
            body: b"Param1=value1",
        };
        let (authorization, time) = sign(&request, &keys, "2015-08-30T12:36:00Z".parse().unwrap());
        assert_eq!(time, "20150830T123600Z");
        assert!(
            authorization.ends_with(
                "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
            ),
            "{authorization}"
        );
    }
}
