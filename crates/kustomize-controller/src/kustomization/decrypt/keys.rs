//! The keys of an object. Reads Secrets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crd_types::kustomize::Kustomization;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use key_services::{Credentials, Services};
use kube::{Api, ResourceExt as _};
use reconcile_loop::controller::api_error;
use sha2::{Digest as _, Sha256};
use sops_decrypt::{ImportError, Integrity, Keys};

use super::Decryptor;
use super::account::Account;
use crate::context::Context;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The Secret does not exist. Its creation wakes us.
    #[error("secrets \"{name}\" not found")]
    NotFound { name: String },
    /// The Secret could not be read.
    #[error("cannot get {role} Secret '{secret}': {message}")]
    Unreadable { role: Role, secret: String, message: String },
    /// A part of the Secret is no credential.
    #[error("failed to import '{key}' data from {role} Secret '{secret}'")]
    Credential {
        key: String,
        role: Role,
        secret: String,
        #[source]
        source: key_services::ImportError,
    },
    /// A part of the Secret is no key.
    #[error("failed to import '{key}' data from {role} Secret '{secret}'")]
    Import {
        key: String,
        role: Role,
        secret: String,
        #[source]
        source: ImportError,
    },
}

/// What a Secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that the object names.
    Own,
    /// The one that all objects share which name none.
    Shared,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Own => "sops decryption",
            Self::Shared => "sops SOPS age decryption",
        })
    }
}

/// Who decrypts for an object; nobody if it does not ask for it.
pub(crate) async fn of(ks: &Kustomization, ctx: &Context) -> Result<Option<Decryptor>, Error> {
    let Some(decryption) = &ks.spec.decryption else { return Ok(None) };
    let (namespace, name, role) = match (&decryption.secret_ref, &ctx.settings.sops_age_secret) {
        (Some(reference), _) => (ks.namespace().unwrap_or_default(), &reference.name, Role::Own),
        (None, Some(shared)) => (ctx.runtime.flags.runtime_namespace.clone(), shared, Role::Shared),
        (None, None) => return Ok(Some(decryptor(ks, &BTreeMap::new(), Role::Own, "", ctx)?)),
    };
    let secret = format!("{namespace}/{name}");
    let api: Api<Secret> = Api::namespaced(ctx.runtime.client.clone(), &namespace);
    let found = api.get(name).await.map_err(|error| match error {
        kube::Error::Api(status) if status.code == 404 => Error::NotFound { name: name.clone() },
        error => Error::Unreadable { role, secret: secret.clone(), message: api_error(&error) },
    })?;
    Ok(Some(decryptor(ks, &found.data.unwrap_or_default(), role, &secret, ctx)?))
}

/// Takes in what a Secret holds: `*.agekey`, `*.asc`, `sops.*`.
fn decryptor(
    ks: &Kustomization,
    data: &BTreeMap<String, ByteString>,
    role: Role,
    secret: &str,
    ctx: &Context,
) -> Result<Decryptor, Error> {
    let mut keys = Keys::default();
    let mut credentials = Credentials::default();
    for (key, ByteString(value)) in data {
        let imported = match key.rsplit_once('.') {
            Some((_, "agekey")) => keys.import_age(value),
            Some((_, "asc")) if role == Role::Own => keys.import_pgp(value),
            _ => Ok(()),
        };
        let named = || (key.clone(), secret.to_owned());
        imported.map_err(|source| {
            let (key, secret) = named();
            Error::Import { key, role, secret, source }
        })?;
        if role == Role::Own {
            credentials.import(key, value).map_err(|source| {
                let (key, secret) = named();
                Error::Credential { key, role, secret, source }
            })?;
        }
    }
    let verify = ctx.settings.sops_verify_mac;
    let integrity = if verify { Integrity::Verified } else { Integrity::Ignored };
    let services = Services::new(
        Arc::clone(&ctx.key_services),
        credentials,
        Arc::new(Account::of(ks, ctx)),
        tokio::runtime::Handle::current(),
    );
    Ok(Decryptor::new(keys, services, integrity, digest(data)))
}

fn digest(data: &BTreeMap<String, ByteString>) -> String {
    let mut hasher = Sha256::new();
    for (key, ByteString(value)) in data {
        for part in [key.as_bytes(), value] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
    }
    hex
}
