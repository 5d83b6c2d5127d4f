//! A chat server that counts what it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};

use super::wire::Wire;

pub(super) struct Sink {
    address: SocketAddr,
    told: Arc<AtomicU64>,
}

impl Sink {
    /// Listens on a free port of the loopback until the process ends.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, told) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&told);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counted)));
            }
        });
        Ok(Self { address, told })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often it was told something.
    pub(super) fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }
}

async fn serve(stream: TcpStream, told: Arc<AtomicU64>) {
    let mut wire = Wire::on(stream);
    while let Ok(Some(_)) = wire.next().await {
        told.fetch_add(1, Ordering::Relaxed);
        if wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
            return;
        }
    }
}
