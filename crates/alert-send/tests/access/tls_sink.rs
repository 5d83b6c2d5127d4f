//! A sink that speaks TLS.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::{Authority, Certificate};

/// A server that takes every message.
pub(crate) struct TlsSink {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TlsSink {
    /// Wants a certificate of `clients`, if there is such an authority.
    pub(crate) fn new(own: &Certificate, clients: Option<&Authority>) -> Self {
        let config = Arc::new(config(own, clients));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&heads);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = BufReader::new(StreamOwned::new(connection, stream));
                // Nothing but an error if the client does not go on.
                if let Some(head) = read(&mut stream) {
                    recorded.lock().unwrap().push(head);
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    stream.get_mut().write_all(answer).ok();
                    stream.get_mut().conn.send_close_notify();
                    stream.get_mut().flush().ok();
                }
            }
        });
        Self { address, heads }
    }

    /// The heads of the requests that came, and none of them again.
    pub(crate) fn heads(&self) -> Vec<String> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }
}

/// The head of a request, whose body is read too.
fn read(stream: &mut impl std::io::BufRead) -> Option<String> {
    let lines: Result<Vec<String>, _> = stream
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .collect();
    let head = lines.ok().filter(|lines| !lines.is_empty())?.join("\n").to_ascii_lowercase();
    let length = head.split_once("content-length: ")?.1.lines().next()?.parse().ok()?;
    stream.take(length).read_to_end(&mut Vec::new()).ok()?;
    Some(head)
}

fn config(own: &Certificate, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(own.pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
    builder.with_single_cert(chain, key).unwrap()
}
