//! Notifications on their way: conversations with the servers of providers.
//!
//! `alert-message` says what to ask next; here it is asked, by HTTP or, of NATS servers, by their
//! protocol, under a deadline and caps, and asked again where the server was busy. A failed attempt is
//! repeated from the conversation's beginning: whether a comment was made before the connection broke
//! is then looked up rather than guessed. What a server answers is shown without the secrets that it
//! may have echoed.

mod attempt;
mod error;
mod mask;
mod nats;
mod rehearsal;
mod retry;
mod shared_key;

use std::time::Duration;

use alert_message::{Place, Provider, Thread};
use event_api::Event;
use http_access::{Access, Clients};
use mask::Mask;
use tokio::time::{Instant, sleep};

pub use error::Error;
pub use nats::{NatsError, NatsFault};
pub use rehearsal::rehearse;
pub use retry::Retries;

/// Limit: how long telling may take, whatever a provider says.
const LONGEST: Duration = Duration::from_hours(24);

/// Tells providers of events. Keeps connections, but no credentials.
#[derive(Debug, Default)]
pub struct Sender {
    clients: Clients,
    retries: Retries,
}

impl Sender {
    /// Repeats as `retries` has it.
    pub fn new(retries: Retries) -> Self {
        Self { clients: Clients::default(), retries }
    }

    /// Tells a provider of an event. `timeout` is for all attempts together. Cancelled at an
    /// `.await`, the provider was told or not, and nobody knows which.
    ///
    /// # Errors
    /// If the provider could not be told: what the last attempt failed of. No secret is in it.
    pub async fn tell(
        &self,
        provider: &Provider,
        event: &Event,
        access: &Access,
        timeout: Duration,
    ) -> Result<(), Error> {
        self.tell_at(Place::Alone, provider, event, access, timeout).await.map(drop)
    }

    /// The same with an event that belongs to others. Returns what those can be told below, if it is the
    /// first of them and the provider's server knows such a thing.
    ///
    /// # Errors
    /// As [`tell`](Self::tell).
    pub async fn tell_at(
        &self,
        place: Place<'_>,
        provider: &Provider,
        event: &Event,
        access: &Access,
        timeout: Duration,
    ) -> Result<Option<Thread>, Error> {
        let deadline = Instant::now() + timeout.min(LONGEST);
        let access = Access { avoid_link_local: true, ..access.clone() };
        let mut mask = Mask::new(provider, &access);
        let mut repeats = 0;
        loop {
            let step = alert_message::begin(provider, event, place)?;
            let told = attempt::converse(&self.clients, &access, step, deadline, &mut mask).await;
            let failed = match told {
                Ok(begun) => return Ok(begun),
                Err(failed) => failed,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            // A server may say any number of seconds.
            let wait = self.retries.wait(repeats, failed.retry).filter(|wait| *wait < left);
            match wait {
                Some(wait) => sleep(wait).await,
                None => return Err(mask.error(failed.error)),
            }
            repeats += 1;
        }
    }
}
