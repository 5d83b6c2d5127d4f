//! Accepting connections, plain or encrypted.

use crate::certificates::{Ca, Certificate, use_one_tls_backend};
use anyhow::Result;
use axum::Router;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How a server proves who it is, and whom it lets in.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ServerConfig>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Serves with `server`; with `clients`, only for clients with a certificate of that authority.
    ///
    /// # Errors
    /// If a certificate cannot be read.
    pub(crate) fn new(server: &Certificate, clients: Option<&Ca>) -> Result<Self> {
        use_one_tls_backend();
        let builder = ServerConfig::builder();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(ca.certificate_pem().as_bytes())?)?;
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build()?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let certificate = CertificateDer::from_pem_slice(server.certificate_pem.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes())?;
        Ok(Self(Arc::new(builder.with_single_cert(vec![certificate], key)?)))
    }
}

/// Serves `app` until the future is dropped. A listener that cannot be used serves nobody; clients see
/// a refused connection.
pub(super) async fn serve(socket: std::net::TcpListener, tls: Option<Tls>, app: Router) {
    let Ok(tcp) = TcpListener::from_std(socket) else { return };
    let served = match tls {
        None => axum::serve(tcp, app).await,
        Some(tls) => axum::serve(Handshaken::start(tcp, tls), app).await,
    };
    // axum's server never returns by itself.
    drop(served);
}

/// Connections whose TLS handshake is done. Each handshake is a task of its own: a client that never
/// finishes one holds up nobody.
struct Handshaken {
    connections: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: std::io::Result<SocketAddr>,
}

impl Handshaken {
    fn start(tcp: TcpListener, tls: Tls) -> Self {
        let (sender, connections) = mpsc::channel(16);
        let address = tcp.local_addr();
        let acceptor = TlsAcceptor::from(tls.0);
        tokio::spawn(async move {
            while let Ok((stream, peer)) = tcp.accept().await {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        // Fails only when the server is being dropped.
                        drop(sender.send((stream, peer)).await);
                    }
                });
            }
        });
        Self { connections, address }
    }
}

impl axum::serve::Listener for Handshaken {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(error.kind().into()),
        }
    }
}
