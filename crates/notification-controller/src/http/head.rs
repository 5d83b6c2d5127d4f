//! Heads of requests, which hyper holds until they are whole: counted where they come in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The head that a connection is sending.
#[derive(Debug)]
pub(super) struct Head {
    /// The memory that all heads may take.
    room: Arc<Semaphore>,
    /// What is always there.
    beginning: usize,
    read: AtomicUsize,
    /// How much came at once the last time.
    last: AtomicUsize,
    taken: AtomicUsize,
    is_whole: AtomicBool,
}

impl Head {
    pub(super) fn new(room: Arc<Semaphore>, beginning: usize) -> Self {
        let [read, last, taken] = [(); 3].map(|()| AtomicUsize::new(0));
        Self { room, beginning, read, last, taken, is_whole: AtomicBool::new(false) }
    }

    /// What comes from now on is a body, which counts for itself.
    pub(super) fn is_whole(&self) {
        self.is_whole.store(true, Ordering::Relaxed);
    }

    /// The request is answered; what comes from now on is another head, and so may be what came last.
    /// Whether there is room for that.
    pub(super) fn is_over(&self) -> bool {
        self.leave();
        self.read.store(self.last.load(Ordering::Relaxed), Ordering::Relaxed);
        self.is_whole.store(false, Ordering::Relaxed);
        self.has_room()
    }

    /// Whether there is room for `more` bytes.
    fn grow(&self, more: usize) -> bool {
        self.last.store(more, Ordering::Relaxed);
        if self.is_whole.load(Ordering::Relaxed) {
            return true;
        }
        self.read.fetch_add(more, Ordering::Relaxed);
        self.has_room()
    }

    /// Takes room for what was read, if there is any.
    fn has_room(&self) -> bool {
        let has = self.beginning + self.taken.load(Ordering::Relaxed);
        let lacks = self.read.load(Ordering::Relaxed).saturating_sub(has);
        let Ok(lacks) = u32::try_from(lacks) else { return false };
        let Ok(room) = self.room.try_acquire_many(lacks) else { return false };
        self.taken.fetch_add(room.num_permits(), Ordering::Relaxed);
        room.forget();
        true
    }

    fn leave(&self) {
        self.room.add_permits(self.taken.swap(0, Ordering::Relaxed));
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A connection that breaks off where there is no room for its head.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) stream: TcpStream,
    pub(super) head: Arc<Head>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        let has_room = self.head.grow(into.filled().len() - before);
        Poll::Ready(if has_room { Ok(()) } else { Err(io::ErrorKind::OutOfMemory.into()) })
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
