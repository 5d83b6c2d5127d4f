//! Connections to NATS servers, and how they become encrypted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_access::{Access, Cause, is_link_local};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::Fault;
use super::server::Server;

/// A connection, encrypted or not.
pub(super) type Connection = BufReader<Box<dyn Stream>>;

/// What goes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects. What is connected to is what was looked at, so a name that changes its mind between two
/// questions gains nothing. The addresses of a name share `patience`, as in Flux.
pub(super) async fn dial(
    server: &Server,
    access: &Access,
    patience: Duration,
) -> Result<Connection, Fault> {
    let (host, port) = (&server.host, server.port);
    let nowhere = || Fault::Dial(Cause::NoSuchHost { through: "", host: host.clone() });
    let found = lookup_host((host.as_str(), port)).await.map_err(|_names| nowhere())?;
    let found: Vec<_> = found.collect();
    let patience = patience / u32::try_from(found.len()).unwrap_or(u32::MAX).max(1);
    let mut fault = if found.is_empty() { nowhere() } else { Fault::LinkLocal };
    for address in found {
        if access.avoid_link_local && is_link_local(address.ip()) {
            continue;
        }
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Short lines that wait for each other; without this they would wait for the network, too.
                stream.set_nodelay(true).map_err(Fault::Broken)?;
                return Ok(BufReader::new(Box::new(stream)));
            }
            Ok(Err(error)) => fault = unreached(address, error),
            Err(_elapsed) => {
                let address = address.to_string();
                fault = Fault::Dial(Cause::ConnectTimeout { through: "", address });
            }
        }
    }
    Err(fault)
}

fn unreached(address: SocketAddr, error: io::Error) -> Fault {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        Fault::NoServers(Cause::Refused { through: "", address: address.to_string() })
    } else {
        Fault::Dial(Cause::Other(Box::new(error)))
    }
}

/// Encrypts a connection.
pub(super) async fn encrypt(
    connection: Connection,
    server: &Server,
    config: Arc<ClientConfig>,
) -> Result<Connection, Fault> {
    // Said before anybody had to prove who says it.
    if !connection.buffer().is_empty() {
        return Err(Fault::Excess { what: "something is said before TLS" });
    }
    let host = server.host.clone();
    let name = ServerName::try_from(host).map_err(|_name| Fault::Address)?;
    let connector = TlsConnector::from(config);
    let encrypted = connector.connect(name, connection.into_inner()).await;
    let encrypted = encrypted.map_err(|error| broken(error, &server.host))?;
    Ok(BufReader::new(Box::new(encrypted)))
}

/// What an error of the TLS stream is.
fn broken(error: io::Error, host: &str) -> Fault {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => Fault::Tls(Cause::of_tls(tls.clone(), host)),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Fault::Tls(Cause::Closed),
        None => Fault::Broken(error),
    }
}
