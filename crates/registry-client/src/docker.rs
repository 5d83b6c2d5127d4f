//! Logins as Docker keeps them, in a Secret of type `kubernetes.io/dockerconfigjson`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_access::{Login, Secret};
use serde::Deserialize;

/// Why a configuration cannot be used. Never holds a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDockerConfig {
    /// It is no JSON of that form.
    #[error("cannot read the docker config")]
    Syntax,
    /// A login in it is not what it should be.
    #[error("cannot read the login of a registry in the docker config")]
    Login,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    username: String,
    password: String,
    auth: String,
}

/// The login for a registry; none if the configuration has none for it.
///
/// # Errors
/// If the configuration cannot be read.
pub fn login(config: &[u8], host: &str) -> Result<Option<Login>, InvalidDockerConfig> {
    // serde would read a list as the fields of a struct, in their order.
    let config: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(config).map_err(|_syntax| InvalidDockerConfig::Syntax)?;
    let config: Config =
        serde_json::from_value(config.into()).map_err(|_other_form| InvalidDockerConfig::Syntax)?;
    let is_for = |name: &str| {
        let name =
            name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
        let name = name.split('/').next().unwrap_or(name);
        name == host || (is_docker_hub(name) && is_docker_hub(host))
    };
    let Some((_, entry)) = config.auths.iter().find(|(name, _)| is_for(name)) else {
        return Ok(None);
    };
    if !entry.username.is_empty() {
        let (username, password) = (entry.username.clone(), Secret::new(entry.password.clone()));
        return Ok(Some(Login { username, password }));
    }
    let decoded = STANDARD.decode(entry.auth.trim()).ok().and_then(|it| String::from_utf8(it).ok());
    let decoded = decoded.ok_or(InvalidDockerConfig::Login)?;
    let (username, password) = decoded.split_once(':').ok_or(InvalidDockerConfig::Login)?;
    // Docker pads with NULs.
    let password = Secret::new(password.trim_end_matches('\0'));
    Ok(Some(Login { username: username.to_owned(), password }))
}

fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_by_its_host() {
        let config = br#"{"auths": {
            "a.example": {"auth": "dTpwOnc="},
            "https://index.docker.io/v1/": {"username": "h", "password": "s"},
            "bad.example": {"auth": "?"}
        }}"#;
        let found = login(config, "a.example").unwrap().unwrap();
        assert_eq!((found.username.as_str(), found.password.expose()), ("u", "p:w"));
        assert_eq!(login(config, "docker.io").unwrap().unwrap().username, "h");
        assert!(login(config, "b.example").unwrap().is_none());
        assert!(login(config, "bad.example").is_err());
        assert!(login(b"[]", "a.example").is_err());
    }
}
