//! Google Cloud Pub/Sub, by its REST API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use event_api::Event;
use serde_json::{Map, json};
use url::Url;

use crate::{Error, Provider, Request, Step, TokenOf, UriFault, address};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let (project, topic) = (provider.address.expose(), &provider.channel);
    if project.is_empty() {
        return Err(Error::Setting { sentence: "GCP project ID cannot be empty" });
    }
    if topic.is_empty() {
        return Err(Error::Setting { sentence: "GCP Pub/Sub topic ID cannot be empty" });
    }
    let server = Url::parse("https://pubsub.googleapis.com").map_err(|_malformed| {
        Error::Address { what: "Pub/Sub endpoint", fault: UriFault::Malformed }
    })?;
    let url =
        address::below(&server, ["v1", "projects", project, "topics", &format!("{topic}:publish")]);
    let mut message = Map::new();
    message.insert("data".to_owned(), json!(BASE64.encode(event.to_json())));
    if !provider.headers.is_empty() {
        let attributes = provider.headers.iter().map(|(k, v)| (k.clone(), json!(v.expose())));
        message.insert("attributes".to_owned(), attributes.collect());
    }
    let request = Request::post(url, &json!({"messages": [message]}));
    match provider.token_of {
        TokenOf::Identity => Ok(Step::tell(request.bearer(&provider.token))),
        // What a Secret has is a key, which makes tokens and is none.
        TokenOf::Owner | TokenOf::GitHubApp { .. } => {
            Err(Error::Setting { sentence: "GCP Pub/Sub needs a token of an identity" })
        }
    }
}
