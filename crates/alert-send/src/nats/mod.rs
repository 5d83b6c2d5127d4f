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
use http_access::Access;
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
    access: &Access,
    deadline: Instant,
) -> Result<(), Failed> {
    let Publication { server, subject, message, login } = publication;
    let message = Message { subject, content: message };
    let Err(source) = to_any(&server, login, &message, access, deadline).await else {
        return Ok(());
    };
    let retry = if source.may_be_repeated() { Retry::Soon } else { Retry::Never };
    Err(Failed { error: crate::Error::Nats { subject: message.subject, source }, retry })
}

struct Message {
    subject: String,
    content: String,
}

/// Publishes a message at the first server that lets us in.
///
/// Differs: Flux tries them in any order, and not again.
async fn to_any(
    address: &str,
    login: Option<NatsLogin>,
    message: &Message,
    access: &Access,
    deadline: Instant,
) -> Result<(), NatsError> {
    let identity = Identity::of(login)?;
    // Differs: Flux sends nothing and is content.
    if !is_subject(&message.subject) {
        return Err(NatsError::Publish(Fault::Subject));
    }
    let servers = server::servers(address).map_err(NatsError::Connect)?;
    let mut last = Fault::Address;
    for server in &servers {
        match to_one(server, &identity, message, access, deadline).await {
            Err(NatsError::Connect(fault)) => last = fault,
            end => return end,
        }
    }
    Err(NatsError::Connect(last))
}

/// Publishes a message at one server.
async fn to_one(
    server: &Server,
    identity: &Identity,
    message: &Message,
    access: &Access,
    deadline: Instant,
) -> Result<(), NatsError> {
    let entered = timeout_at(deadline, enter(server, identity, access)).await;
    let entered = entered.unwrap_or(Err(Fault::Deadline));
    let (mut connection, limit_bytes) = entered.map_err(NatsError::Connect)?;
    let told = timeout_at(deadline, tell(&mut connection, limit_bytes, message)).await;
    told.unwrap_or(Err(Fault::Deadline)).map_err(NatsError::Publish)
}

/// Connects and logs in. Also says how long a message may be.
async fn enter(
    server: &Server,
    identity: &Identity,
    access: &Access,
) -> Result<(Connection, u64), Fault> {
    let connection = dial::dial(server, access, CONNECT_TIME).await?;
    let entered = timeout(CONNECT_TIME, log_in(connection, server, identity, access)).await;
    entered.unwrap_or(Err(Fault::Timeout))
}

async fn log_in(
    mut connection: Connection,
    server: &Server,
    identity: &Identity,
    access: &Access,
) -> Result<(Connection, u64), Fault> {
    let info = wire::info(&mut connection).await?;
    // Who brings certificates means them.
    let wants_tls =
        server.wants_tls || access.ca_pem.is_some() || access.client_certificate.is_some();
    if wants_tls && !info.tls_required && !info.tls_available {
        return Err(Fault::NotSecure);
    }
    let is_encrypted = wants_tls || info.tls_required;
    if is_encrypted {
        connection = dial::encrypt(connection, server, access).await?;
    }
    let login = identity.login(server.login.as_ref(), &info.nonce)?;
    wire::connect(&mut connection, login, is_encrypted).await?;
    wire::ping(&mut connection).await?;
    Ok((connection, info.max_payload))
}

async fn tell(
    connection: &mut Connection,
    limit_bytes: u64,
    message: &Message,
) -> Result<(), Fault> {
    let bytes = message.content.len();
    // Differs: Flux sends nothing and is content.
    if bytes as u64 > limit_bytes {
        return Err(Fault::MaxPayload { bytes, limit_bytes });
    }
    wire::publish(connection, &message.subject, &message.content).await?;
    wire::ping(connection).await
}

/// Whether a subject is one to the protocol, whose lines are words with spaces between them.
fn is_subject(subject: &str) -> bool {
    !subject.is_empty()
        && !subject.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}
