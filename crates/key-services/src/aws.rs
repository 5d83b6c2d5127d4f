//! AWS KMS, and STS for the right to use it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sops_decrypt::Part;
use zeroize::Zeroizing;

use crate::Services;
use crate::credentials::AwsKeys;
use crate::error::Reason;
use crate::request::{Request, form};
use crate::sigv4::{ToSign, sign};

/// Who clouds are told that the token is for.
const AUDIENCE: &str = "sts.amazonaws.com";
const SESSION: &str = "ferroflux-sops";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const JSON: &str = "application/x-amz-json-1.1";

/// A key, as a file names it.
pub(crate) struct Key<'a> {
    pub(crate) arn: &'a str,
    pub(crate) role: &'a str,
    pub(crate) context: &'a [(String, String)],
}

/// Where a key is.
struct Place {
    region: String,
    /// What follows the region in names of hosts.
    domain: &'static str,
}

pub(crate) async fn decrypt(on: &Services, key: &Key<'_>, enc: &str) -> Result<Part, Reason> {
    const STEP: &str = "decrypt";
    let place = Place::of(key.arn).ok_or(Reason::Malformed { what: "ARN" })?;
    let mut keys = match &on.credentials.aws {
        Some(keys) => keys.clone(),
        None => by_identity(on, &place).await?,
    };
    if !key.role.is_empty() {
        keys = assumed(on, &place, &keys, key.role).await?;
    }
    let context: Map<String, Value> =
        key.context.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let mut body = json!({"KeyId": key.arn, "CiphertextBlob": enc});
    if !context.is_empty() {
        body["EncryptionContext"] = context.into();
    }
    let body = body.to_string().into_bytes();
    let base = on.endpoints().aws_kms.clone();
    let base = base.unwrap_or_else(|| format!("https://kms.{}.{}", place.region, place.domain));
    let to_sign = ToSign {
        host: host(&base),
        region: &place.region,
        service: "kms",
        content_type: JSON,
        target: Some("TrentService.Decrypt"),
        body: &body,
    };
    let answer = post(on, STEP, &base, &to_sign, Some(&keys)).await?.json(STEP)?;
    let plain = answer["Plaintext"].as_str().and_then(|text| BASE64.decode(text).ok());
    plain.map(Zeroizing::new).ok_or(Reason::Answer { step: STEP })
}

/// Keys for the role of our identity, which has a token and no keys.
async fn by_identity(on: &Services, place: &Place) -> Result<AwsKeys, Reason> {
    let role = on.identity.aws_role().await?;
    let token = on.identity.token(AUDIENCE).await?;
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role.as_str()),
        ("RoleSessionName", SESSION),
        ("WebIdentityToken", token.as_str()),
    ];
    sts(on, "assume role with web identity", place, form(&fields), None).await
}

/// Keys for the role that a file names.
async fn assumed(
    on: &Services,
    place: &Place,
    keys: &AwsKeys,
    role: &str,
) -> Result<AwsKeys, Reason> {
    let fields = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", SESSION),
    ];
    sts(on, "assume role", place, form(&fields), Some(keys)).await
}

async fn sts(
    on: &Services,
    step: &'static str,
    place: &Place,
    body: Vec<u8>,
    keys: Option<&AwsKeys>,
) -> Result<AwsKeys, Reason> {
    let base = on.endpoints().aws_sts.clone();
    let base = base.unwrap_or_else(|| format!("https://sts.{}.{}", place.region, place.domain));
    let to_sign = ToSign {
        host: host(&base),
        region: &place.region,
        service: "sts",
        content_type: FORM,
        target: None,
        body: &body,
    };
    let answer = Zeroizing::new(post(on, step, &base, &to_sign, keys).await?.text(step)?);
    let tag = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim().to_owned())
    };
    let secret = |name| tag(name).map(Zeroizing::new).ok_or(Reason::Answer { step });
    Ok(AwsKeys {
        id: tag("AccessKeyId").ok_or(Reason::Answer { step })?,
        secret: secret("SecretAccessKey")?,
        token: Some(secret("SessionToken")?),
    })
}

async fn post(
    on: &Services,
    step: &'static str,
    base: &str,
    to_sign: &ToSign<'_>,
    keys: Option<&AwsKeys>,
) -> Result<crate::request::Answer, Reason> {
    let signed = keys.map(|keys| sign(to_sign, keys, Timestamp::now()));
    let mut headers = vec![("content-type", to_sign.content_type)];
    headers.extend(to_sign.target.map(|target| ("x-amz-target", target)));
    if let Some((authorization, time)) = &signed {
        headers.push(("authorization", authorization));
        headers.push(("x-amz-date", time));
    }
    if let Some(token) = keys.and_then(|keys| keys.token.as_ref()) {
        headers.push(("x-amz-security-token", token.as_str()));
    }
    let (url, body) = (format!("{}/", base.trim_end_matches('/')), Some(to_sign.body.to_vec()));
    on.client().send(Request { step, url, body, headers }).await
}

fn host(base: &str) -> &str {
    let (_, rest) = base.split_once("://").unwrap_or(("", base));
    rest.split('/').next().unwrap_or(rest)
}

impl Place {
    /// From `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
    fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (Some("arn"), Some(partition), Some("kms"), Some(region), Some(account), Some(key)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        // It becomes part of the name of a host.
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let region_fits = !region.is_empty() && region.len() <= 32 && region.bytes().all(is_word);
        let account_fits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
        let id = key.strip_prefix("key/").or_else(|| key.strip_prefix("alias/"))?;
        (region_fits && account_fits && !id.is_empty())
            .then(|| Self { region: region.to_owned(), domain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_its_key_is() {
        let region = |arn: &str| Place::of(arn).map(|place| place.region);
        let key = "arn:aws:kms:us-west-2:107501996527:key/612d5f0p";
        assert_eq!(region(key).as_deref(), Some("us-west-2"));
        let alias = "arn:aws-cn:kms:cn-north-1:123456789012:alias/x";
        assert_eq!(Place::of(alias).unwrap().domain, "amazonaws.com.cn");
        for arn in [
            "",
            "arn:aws:s3:::b",
            "arn:aws:kms:us-west-2:1:key/",
            "arn:aws:kms:evil.example/:1:key/x",
            "arn:aws:kms:a@b:1:key/x",
            "arn:evil:kms:us-west-2:1:key/x",
        ] {
            assert_eq!(region(arn), None, "{arn}");
        }
    }
}
