//! Objects that were built, decrypted: as a whole, or the entries of a Secret. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use crd_types::metadata::kustomize::{DECRYPT, DISABLED};
use manifest::{Object, ObjectError};
use serde_json::Value;
use sops_decrypt::{Encrypted, Format, Integrity, IntegrityError};

use super::Decryptor;

/// Shorter texts are words that stand in every message.
pub(super) const SHORTEST_SECRET: usize = 6;

/// Why an object cannot be decrypted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The object as a whole.
    #[error("failed to decrypt and format '{namespace}/{name}' {kind} data")]
    Whole {
        namespace: String,
        name: String,
        kind: String,
        #[source]
        source: Box<sops_decrypt::Error>,
    },
    /// An entry of a Secret.
    #[error("failed to decrypt and format '{namespace}/{name}' Secret field '{key}'")]
    Entry {
        namespace: String,
        name: String,
        key: String,
        #[source]
        source: Box<sops_decrypt::Error>,
    },
    /// What was decrypted is no object.
    #[error("failed to unmarshal decrypted '{namespace}/{name}' {kind} to JSON")]
    NoObject {
        namespace: String,
        name: String,
        kind: String,
        #[source]
        source: ObjectError,
    },
}

/// Decrypts an object where it stands, if it is encrypted. Gives the texts that were secret.
pub(super) fn decrypt(decryptor: &Decryptor, object: &mut Object) -> Result<Vec<String>, Error> {
    if is_disabled(object.annotation(DECRYPT)) {
        return Ok(Vec::new());
    }
    if is_encrypted(object) {
        return whole(decryptor, object);
    }
    if decryptor.integrity == Integrity::Verified
        && object.fields().get("sops").is_some_and(Value::is_object)
    {
        // Differs: Flux takes it for plain.
        return Err(Error::Whole {
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            kind: object.kind().to_owned(),
            source: Box::new(IntegrityError::Missing.into()),
        });
    }
    if object.kind() == "Secret" {
        entries(decryptor, object)?;
    }
    Ok(Vec::new())
}

/// Whether this value of the annotation switches decryption off.
pub(super) fn is_disabled(annotation: Option<&str>) -> bool {
    annotation.is_some_and(|value| value.eq_ignore_ascii_case(DISABLED))
}

fn is_encrypted(object: &Object) -> bool {
    let mac = object.fields().get("sops").and_then(|sops| sops.get("mac"));
    mac.is_some_and(|mac| !mac.is_null() && mac != "")
}

/// The MAC says nothing here: building has changed the object.
fn whole(decryptor: &Decryptor, object: &mut Object) -> Result<Vec<String>, Error> {
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    let kind = object.kind().to_owned();
    let decrypted = Encrypted::of_object(object.fields()).and_then(|encrypted| {
        let key = encrypted.data_key(decryptor)?;
        encrypted.decrypt(&key, Integrity::Ignored)
    });
    let decrypted = match decrypted {
        Ok(decrypted) => decrypted.into_object(),
        Err(source) => {
            return Err(Error::Whole { namespace, name, kind, source: Box::new(source) });
        }
    };
    let mut secrets = Vec::new();
    for (key, value) in &decrypted {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "type") {
            let before = object.fields().get(key).unwrap_or(&Value::Null);
            collect(before, value, &mut secrets);
        }
    }
    *object = Object::new(Value::Object(decrypted)).map_err(|source| Error::NoObject {
        namespace,
        name,
        kind,
        source,
    })?;
    Ok(secrets)
}

/// The texts that are new.
fn collect(before: &Value, after: &Value, secrets: &mut Vec<String>) {
    match after {
        Value::String(text) if before != after && text.len() >= SHORTEST_SECRET => {
            secrets.push(text.clone());
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(before.get(index).unwrap_or(&Value::Null), item, secrets);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                collect(before.get(key).unwrap_or(&Value::Null), value, secrets);
            }
        }
        _ => {}
    }
}

/// Decrypts what generators have put into a Secret.
fn entries(decryptor: &Decryptor, object: &mut Object) -> Result<(), Error> {
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    let Some(Value::Object(data)) = object.fields_mut().get_mut("data") else { return Ok(()) };
    for (key, value) in data {
        // What is no base64 will be told by the API server.
        let Some(bytes) = value.as_str().and_then(|text| BASE64.decode(text).ok()) else {
            continue;
        };
        let Some(format) = Format::of_encrypted(&bytes) else { continue };
        let output = Format::of_path(key);
        // A MAC can be verified: such a file is as it was in the source.
        let plain = decryptor.file(&bytes, format, output).map_err(|source| Error::Entry {
            namespace: namespace.clone(),
            name: name.clone(),
            key: key.clone(),
            source: Box::new(source),
        })?;
        *value = Value::from(BASE64.encode(plain.bytes()));
    }
    Ok(())
}
