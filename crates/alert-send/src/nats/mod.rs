//! Messages for NATS servers: one connection for one message, and no second one behind the caller's back.
//!
//! The protocol is spoken here rather than by a client library: `docs/decisions/0012`.

mod dial;
mod error;
mod identity;
mod server;
mod wire;

use std::time::Duration;

use alert_message::{NatsLogin, Publication};
use http_access::{Access, Clients};
use tokio::time::{Instant, timeout, timeout_at};

use self::dial::Connection;
use self::error::Fault;
use self::identity::Identity;
use self::server::Server;
use crate::attempt::Failed;
use crate::retry::Retry;

pub use self::error::{Error as NatsError, Fault as NatsFault};

/// How long a server may take until it is reached, and as long again until it has let us in. Flux's.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// Publishes a message, and waits until a server has it.
pub(crate) async fn publish(
    publication: Publication,
    clients: &Clients,
    access: &Access,
    deadline: Instant,
) -> Result<(), Failed> {
    let Publication { server: address, subject, message, login } = publication;
    let letter = Letter { subject: &subject, content: &message, clients, access, deadline };
    let Err(source) = letter.to_any(&address, login).await else { return Ok(()) };
    let retry = if source.may_be_repeated() { Retry::Soon } else { Retry::Never };
    Err(Failed { error: crate::Error::Nats { subject, source }, retry })
}

/// A message, and how it may travel.
struct Letter<'a> {
    subject: &'a str,
    content: &'a str,
    clients: &'a Clients,
    access: &'a Access,
    deadline: Instant,
}

impl Letter<'_> {
    /// Publishes at the first server that lets us in.
    ///
    /// Differs: Flux tries them in any order.
    async fn to_any(&self, address: &str, login: Option<NatsLogin>) -> Result<(), NatsError> {
        let identity = Identity::of(login)?;
        // Differs: Flux sends nothing and is content.
        if !is_subject(self.subject) {
            return Err(NatsError::Publish(Fault::Subject));
        }
        let servers = server::servers(address).map_err(NatsError::Connect)?;
        let mut last = Fault::Address;
        for server in &servers {
            match self.to_one(server, &identity).await {
                Err(NatsError::Connect(fault)) => last = fault,
                end => return end,
            }
        }
        Err(NatsError::Connect(last))
    }

    async fn to_one(&self, server: &Server, identity: &Identity) -> Result<(), NatsError> {
        let entered = timeout_at(self.deadline, self.enter(server, identity)).await;
        let entered = entered.unwrap_or(Err(Fault::Deadline)).map_err(NatsError::Connect)?;
        let told = timeout_at(self.deadline, self.tell(entered)).await;
        told.unwrap_or(Err(Fault::Deadline)).map_err(NatsError::Publish)
    }

    async fn enter(&self, server: &Server, identity: &Identity) -> Result<Entered, Fault> {
        let connection = dial::dial(server, self.access, CONNECT_TIME).await?;
        let entered = timeout(CONNECT_TIME, self.log_in(connection, server, identity)).await;
        entered.unwrap_or(Err(Fault::Timeout))
    }

    async fn log_in(
        &self,
        mut connection: Connection,
        server: &Server,
        identity: &Identity,
    ) -> Result<Entered, Fault> {
        let info = wire::info(&mut connection).await?;
        // Who brings certificates means them.
        let has_certificates =
            self.access.ca_pem.is_some() || self.access.client_certificate.is_some();
        let wants_tls = server.wants_tls || has_certificates;
        if wants_tls && !info.tls_required && !info.tls_available {
            return Err(Fault::NotSecure);
        }
        let is_encrypted = wants_tls || info.tls_required;
        if is_encrypted {
            let config = self.clients.tls(self.access).map_err(Fault::Access)?;
            connection = dial::encrypt(connection, server, config).await?;
        }
        let login = identity.login(server.login.as_ref(), &info.nonce)?;
        wire::connect(&mut connection, login, is_encrypted).await?;
        wire::ping(&mut connection).await?;
        Ok(Entered { connection, limit_bytes: info.max_payload })
    }

    async fn tell(&self, Entered { mut connection, limit_bytes }: Entered) -> Result<(), Fault> {
        let bytes = self.content.len();
        // Differs: Flux sends nothing and is content.
        if bytes as u64 > limit_bytes {
            return Err(Fault::MaxPayload { bytes, limit_bytes });
        }
        wire::publish(&mut connection, self.subject, self.content).await?;
        wire::ping(&mut connection).await
    }
}

/// A server that has let us in.
struct Entered {
    connection: Connection,
    /// Bytes of the longest message that it takes.
    limit_bytes: u64,
}

/// Whether a subject is one to the protocol, whose lines are words with spaces between them.
fn is_subject(subject: &str) -> bool {
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    !subject.is_empty() && !subject.contains(is_odd)
}
