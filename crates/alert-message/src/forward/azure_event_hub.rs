//! Azure Event Hubs, by its REST API.

use event_api::Event;
use url::Url;

use crate::request::{Method, SharedKey};
use crate::{Error, Provider, Request, Step, UriFault, address};

/// Where Event Hubs are, by cloud.
const SUFFIXES: [&str; 4] = [
    ".servicebus.windows.net",
    ".servicebus.chinacloudapi.cn",
    ".servicebus.usgovcloudapi.net",
    ".servicebus.cloudapi.de",
];

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let address = provider.address.expose();
    if address.is_empty() {
        return Err(Error::Setting {
            sentence: "invalid authentication options: endpoint URL cannot be empty",
        });
    }
    if address.contains("SharedAccessKey") {
        if !provider.token.is_empty() {
            return Err(Error::Setting {
                sentence: "invalid authentication options: jwt token and SAS authentication cannot be set at the same time",
            });
        }
        let (url, key) = shared_access(address)?;
        return Ok(Step::tell(message(url, event).signed_by(key)));
    }
    let namespace = &provider.channel;
    let host = if namespace.contains(".servicebus.") {
        namespace.clone()
    } else {
        format!("{namespace}.servicebus.windows.net")
    };
    let url = hub(&format!("https://{host}"), address)?;
    address::admits_identity(provider, &url, &SUFFIXES)?;
    Ok(Step::tell(message(url, event).bearer(&provider.token)))
}

fn message(url: Url, event: &Event) -> Request {
    Request::json_text(Method::Post, url, event.to_json())
}

fn hub(server: &str, name: &str) -> Result<Url, Error> {
    let server = Url::parse(server).map_err(|_malformed| malformed())?;
    let mut url = address::below(&server, [name, "messages"]);
    url.set_query(Some("api-version=2014-01"));
    Ok(url)
}

/// Reads a connection string: `Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=…`.
fn shared_access(connection: &str) -> Result<(Url, SharedKey), Error> {
    let part = |name: &str| {
        let mut parts = connection.split(';').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let endpoint =
        part("Endpoint").and_then(|url| url.strip_prefix("sb://")).ok_or_else(malformed)?;
    let url = hub(&format!("https://{endpoint}"), part("EntityPath").ok_or_else(malformed)?)?;
    let key = SharedKey {
        name: part("SharedAccessKeyName").ok_or_else(malformed)?.to_owned(),
        key: secret_text::Secret::new(part("SharedAccessKey").ok_or_else(malformed)?),
    };
    Ok((url, key))
}

const fn malformed() -> Error {
    Error::Address { what: "Event Hub connection string", fault: UriFault::Malformed }
}
