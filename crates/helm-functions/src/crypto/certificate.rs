//! Certificates: authorities, self-signed ones and those signed by an authority.

use std::borrow::Cow;
use std::net::IpAddr;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeySize;
use go_template::{Call, CallError, Functions, List, Object, Type, Value, format};
use jiff::{Timestamp, tz::Offset};

use super::key::PrivateKey;
use super::{CryptoError, der, pem};
use crate::arguments::{Outcome, any, int, string, text};
use crate::encoding::decode64;
use crate::error::FunctionError;
use crate::host::{helm, random, spend_costly};

const S: Type = Type::String;
const I: Type = Type::INT;
const L: Type = Type::LIST;
const TYPE_NAME: &str = "sprig.certificate";

pub(crate) fn register(f: &mut Functions) {
    let authority = || Type::Named(TYPE_NAME.into());
    f.add("genCA", [S, I], |call, a| {
        let key = rsa(call)?;
        make(call, &Request::authority(&text(a, 0), int(a, 1)), &key, None)
    });
    f.add("genCAWithKey", [S, I, S], |call, a| {
        let key = given(&text(a, 2))?;
        make(call, &Request::authority(&text(a, 0), int(a, 1)), &key, None)
    });
    f.add("genSelfSignedCert", [S, L, L, I], |call, a| {
        let key = rsa(call)?;
        make(call, &Request::leaf(a)?, &key, None)
    });
    f.add("genSelfSignedCertWithKey", [S, L, L, I, S], |call, a| {
        let key = given(&text(a, 4))?;
        make(call, &Request::leaf(a)?, &key, None)
    });
    f.add("genSignedCert", [S, L, L, I, authority()], |call, a| {
        let key = rsa(call)?;
        make(call, &Request::leaf(a)?, &key, any(a, 4).downcast())
    });
    f.add("genSignedCertWithKey", [S, L, L, I, authority(), S], |call, a| {
        let key = given(&text(a, 5))?;
        make(call, &Request::leaf(a)?, &key, any(a, 4).downcast())
    });
    f.add("buildCustomCert", [S, S], |_, a| {
        Ok(build_custom(string(a, 0).as_bytes(), string(a, 1).as_bytes())
            .map_err(FunctionError::from)?)
    });
}

/// A certificate and its private key, as PEM.
#[derive(Clone, Debug)]
struct Certificate {
    cert: String,
    key: String,
}

impl Object for Certificate {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE_NAME.into()
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::str(self.cert.as_str())),
            "Key" => Some(Value::str(self.key.as_str())),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            ("Cert".into(), Value::str(self.cert.as_str())),
            ("Key".into(), Value::str(self.key.as_str())),
        ]
    }
}

fn rsa(call: &mut Call<'_>) -> Result<PrivateKey, CallError> {
    let work = spend_costly(call, 2)?;
    PrivateKey::rsa(KeySize::Rsa2048, work).map_err(|error| FunctionError::from(error).into())
}

fn given(text: &str) -> Result<PrivateKey, FunctionError> {
    PrivateKey::from_pem(text).map_err(|error| CryptoError::Key(error).into())
}

fn build_custom(cert: &[u8], key: &[u8]) -> Result<Value, CryptoError> {
    let decoded = |encoded: &[u8], error| {
        decode64(encoded).map(|bytes| go_template::lossy(&bytes)).map_err(|_corrupt| error)
    };
    let cert = decoded(cert, CryptoError::Base64Certificate)?;
    let key = decoded(key, CryptoError::Base64Key)?;
    let (_, content) = pem::decode(&cert).ok_or(CryptoError::NoCertificate)?;
    Issuer::read(&content)
        .ok_or(CryptoError::MalformedCertificate { place: "decodedCert.Bytes" })?;
    PrivateKey::from_pem(&key).map_err(CryptoError::ParsingKey)?;
    Ok(Value::object(Certificate { cert, key }))
}

/// What a certificate shall say.
struct Request {
    common_name: String,
    addresses: Vec<IpAddr>,
    names: Vec<String>,
    days: i64,
    is_authority: bool,
}

impl Request {
    fn authority(common_name: &str, days: i64) -> Self {
        Self {
            common_name: common_name.to_owned(),
            addresses: Vec::new(),
            names: Vec::new(),
            days,
            is_authority: true,
        }
    }

    /// From the arguments: common name, IP addresses, DNS names, days.
    fn leaf(args: &[Value]) -> Result<Self, FunctionError> {
        let items = |place| match any(args, place) {
            Value::List(list) => list.clone(),
            _ => List::nil(go_template::Elem::Any),
        };
        let addresses = items(1)
            .iter()
            .map(|item| match item {
                Value::Str(text) => {
                    text.to_text().parse().map_err(|_no_address| CryptoError::Ip(text.to_string()))
                }
                other => Err(CryptoError::IpNotText(format::text(other))),
            })
            .collect::<Result<_, _>>()?;
        let names = items(2)
            .iter()
            .map(|item| match item {
                Value::Str(text) => Ok(text.to_string()),
                other => Err(CryptoError::NameNotText(format::text(other))),
            })
            .collect::<Result<_, _>>()?;
        let common_name = text(args, 0).into_owned();
        Ok(Self { common_name, addresses, names, days: int(args, 3), is_authority: false })
    }
}

/// The name and key identifier of who signs.
struct Issuer<'d> {
    name: &'d [u8],
    key_id: Option<&'d [u8]>,
}

impl<'d> Issuer<'d> {
    /// Takes them out of a certificate.
    fn read(certificate: &'d [u8]) -> Option<Self> {
        let body = der::children(certificate)?.into_iter().next()?;
        let parts = der::children(body.whole)?;
        // Serial, algorithm, issuer, validity, subject; before them the version, if any.
        let first = usize::from(parts.first()?.tag == der::context(0));
        let name = parts.get(first + 4).filter(|name| name.tag == der::SEQUENCE)?.whole;
        let extensions = parts.iter().find(|part| part.tag == der::context(3));
        let key_id = extensions.and_then(|extensions| {
            der::children(extensions.content)?.iter().find_map(|extension| {
                let parts = der::children(extension.whole)?;
                let is_key_id = parts.first()?.whole == SUBJECT_KEY_ID;
                let value = der::read(parts.last()?.content)?.0;
                is_key_id.then_some(value.content)
            })
        });
        Some(Self { name, key_id })
    }
}

const COMMON_NAME: [u8; 5] = [6, 3, 0x55, 4, 3];
const SUBJECT_KEY_ID: [u8; 5] = [6, 3, 0x55, 0x1d, 14];
const KEY_USAGE: [u8; 5] = [6, 3, 0x55, 0x1d, 15];
const SUBJECT_ALT_NAME: [u8; 5] = [6, 3, 0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: [u8; 5] = [6, 3, 0x55, 0x1d, 19];
const AUTHORITY_KEY_ID: [u8; 5] = [6, 3, 0x55, 0x1d, 35];
const EXTENDED_KEY_USAGE: [u8; 5] = [6, 3, 0x55, 0x1d, 37];
const SERVER_AUTH: [u8; 10] = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: [u8; 10] = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];

/// Makes a certificate for the key, signed by the authority or, without one, by itself.
fn make(
    call: &mut Call<'_>,
    request: &Request,
    key: &PrivateKey,
    authority: Option<&Certificate>,
) -> Outcome {
    let serial = random(call, 16)?;
    let now = helm(call)?.now;
    let content = if let Some(authority) = authority {
        signed(request, key, authority, &serial, now)
    } else {
        let name = common_name(&request.common_name);
        let key_id = request.is_authority.then(|| key_id(key));
        let issuer = Issuer { name: &name, key_id: key_id.as_deref() };
        assemble(request, key, &issuer, key, &serial, now)
    };
    let content = content.map_err(FunctionError::from)?;
    Ok(Value::object(Certificate { cert: pem::encode("CERTIFICATE", &content), key: key.to_pem() }))
}

fn signed(
    request: &Request,
    key: &PrivateKey,
    authority: &Certificate,
    serial: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, CryptoError> {
    let (_, content) = pem::decode(&authority.cert).ok_or(CryptoError::NoCertificate)?;
    let issuer = Issuer::read(&content)
        .ok_or(CryptoError::MalformedCertificate { place: "decodedSignerCert.Bytes" })?;
    let signer = PrivateKey::from_pem(&authority.key).map_err(CryptoError::ParsingKey)?;
    assemble(request, key, &issuer, &signer, serial, now)
}

fn assemble(
    request: &Request,
    key: &PrivateKey,
    issuer: &Issuer<'_>,
    signer: &PrivateKey,
    serial: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, CryptoError> {
    let algorithm = signer.signature_algorithm();
    let until = now
        .checked_add(jiff::SignedDuration::from_hours(request.days.saturating_mul(24)))
        .unwrap_or(if request.days < 0 { Timestamp::MIN } else { Timestamp::MAX });
    let body = der::element(
        der::SEQUENCE,
        &[
            &der::element(der::context(0), &[&der::integer(&[2])]),
            &der::integer(serial),
            &algorithm,
            issuer.name,
            &der::element(der::SEQUENCE, &[&moment(now), &moment(until)]),
            &common_name(&request.common_name),
            &key.public_key(),
            &extensions(request, key, issuer),
        ],
    );
    let signature = der::bit_string(&signer.sign(&body)?);
    Ok(der::element(der::SEQUENCE, &[&body, &algorithm, &signature]))
}

/// Printable names are so marked, as Go does.
fn common_name(name: &str) -> Vec<u8> {
    if name.is_empty() {
        return der::element(der::SEQUENCE, &[]);
    }
    let printable = |b: u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&b);
    let tag = if name.bytes().all(printable) { der::PRINTABLE_STRING } else { der::UTF8_STRING };
    let value = der::element(tag, &[name.as_bytes()]);
    let attribute = der::element(der::SEQUENCE, &[&COMMON_NAME, &value]);
    der::element(der::SEQUENCE, &[&der::element(der::SET, &[&attribute])])
}

/// With two digits for the year until 2049.
fn moment(time: Timestamp) -> Vec<u8> {
    let local = Offset::UTC.to_datetime(time);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    );
    let year = local.year().clamp(0, 9999);
    if (1950..2050).contains(&year) {
        return der::element(der::UTC_TIME, &[format!("{:02}{rest}", year % 100).as_bytes()]);
    }
    der::element(der::GENERALIZED_TIME, &[format!("{year:04}{rest}").as_bytes()])
}

fn extensions(request: &Request, key: &PrivateKey, issuer: &Issuer<'_>) -> Vec<u8> {
    // Digital signature and key encipherment; an authority signs certificates too.
    let usage: &[u8] = if request.is_authority { &[3, 2, 2, 0xa4] } else { &[3, 2, 5, 0xa0] };
    let purposes = der::element(der::SEQUENCE, &[&SERVER_AUTH, &CLIENT_AUTH]);
    let constraint: &[u8] = if request.is_authority { &der::BOOLEAN_TRUE } else { &[] };
    let constraints = der::element(der::SEQUENCE, &[constraint]);
    let mut list = vec![
        extension(&KEY_USAGE, true, usage),
        extension(&EXTENDED_KEY_USAGE, false, &purposes),
        extension(&BASIC_CONSTRAINTS, true, &constraints),
    ];
    if request.is_authority {
        let id = der::element(der::OCTET_STRING, &[&key_id(key)]);
        list.push(extension(&SUBJECT_KEY_ID, false, &id));
    } else if let Some(id) = issuer.key_id {
        let id = der::element(der::SEQUENCE, &[&der::element(0x80, &[id])]);
        list.push(extension(&AUTHORITY_KEY_ID, false, &id));
    }
    let names: Vec<Vec<u8>> = request
        .names
        .iter()
        .map(|name| der::element(0x82, &[name.as_bytes()]))
        .chain(request.addresses.iter().map(|address| match address {
            IpAddr::V4(address) => der::element(0x87, &[&address.octets()]),
            IpAddr::V6(address) => der::element(0x87, &[&address.octets()]),
        }))
        .collect();
    if !names.is_empty() {
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        list.push(extension(&SUBJECT_ALT_NAME, false, &der::element(der::SEQUENCE, &names)));
    }
    let list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    der::element(der::context(3), &[&der::element(der::SEQUENCE, &list)])
}

fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &der::BOOLEAN_TRUE } else { &[] };
    der::element(der::SEQUENCE, &[id, critical, &der::element(der::OCTET_STRING, &[value])])
}

/// The first 20 bytes of the public key's SHA-256, as Go does since 1.25.
fn key_id(key: &PrivateKey) -> Vec<u8> {
    let info = key.public_key();
    let bits =
        der::children(&info).and_then(|parts| parts.last().map(|bits| bits.content.to_vec()));
    let key = bits.and_then(|bits| bits.get(1..).map(<[u8]>::to_vec)).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, &key);
    hash.as_ref().get(..20).unwrap_or_default().to_vec()
}
