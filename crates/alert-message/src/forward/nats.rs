//! NATS.

use event_api::Event;

use crate::{Error, NatsLogin, Provider, Publication, Step};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    if provider.address.is_empty() {
        return Err(Error::Setting { sentence: "NATS server (address) cannot be empty" });
    }
    if provider.channel.is_empty() {
        return Err(Error::Setting { sentence: "NATS subject (channel) cannot be empty" });
    }
    Ok(Step::Publish(Publication {
        server: provider.address.expose().to_owned(),
        subject: provider.channel.clone(),
        message: event.to_json(),
        login: login(provider),
    }))
}

/// Credentials before a key before a password.
fn login(provider: &Provider) -> Option<NatsLogin> {
    if !provider.nats_credentials.is_empty() {
        Some(NatsLogin::Credentials(provider.nats_credentials.clone()))
    } else if !provider.nats_seed.is_empty() {
        Some(NatsLogin::Seed(provider.nats_seed.clone()))
    } else if !provider.username.is_empty() && !provider.password.is_empty() {
        let username = provider.username.clone();
        Some(NatsLogin::Password { username, password: provider.password.clone() })
    } else {
        None
    }
}
