//! Strangers that hold connections: a byte of a header every now and then, for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PAUSE: Duration = Duration::from_secs(3);

/// They stay until this goes.
pub(super) struct Slow {
    _tasks: JoinSet<()>,
    closed: Arc<AtomicU64>,
}

impl Slow {
    /// So many connections to each of two addresses; a connection that is closed is opened again.
    pub(super) async fn open(count: usize, one: SocketAddr, other: SocketAddr) -> Result<Self> {
        let (mut tasks, closed) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
        for to in [one, other] {
            for _ in 0..count {
                // One after the other: a burst would overflow the queue of the listener.
                let stream = TcpStream::connect(to).await?;
                tasks.spawn(hold(stream, to, Arc::clone(&closed)));
            }
        }
        Ok(Self { _tasks: tasks, closed })
    }

    /// How many were closed by the other end.
    pub(super) fn closed(&self) -> u64 {
        self.closed.load(Ordering::Relaxed)
    }
}

async fn hold(mut stream: TcpStream, to: SocketAddr, closed: Arc<AtomicU64>) {
    loop {
        drip(&mut stream).await;
        closed.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
        match TcpStream::connect(to).await {
            Ok(again) => stream = again,
            Err(_) => return,
        }
    }
}

/// Sends as little as there is until the other end closes.
async fn drip(stream: &mut TcpStream) {
    if stream.write_all(b"POST /hook/x HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.is_err() {
        return;
    }
    let mut answer = [0; 64];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if !matches!(read, Ok(1..)) { return },
            () = tokio::time::sleep(PAUSE) => if stream.write_all(b"a").await.is_err() { return },
        }
    }
}
