//! Places for connections. When all are taken, a connection that has not sent a whole request makes
//! room for the next: of the peer that has most such connections, the one that has been at it longest.
//!
//! A fixed share for each address would not do: behind an ingress all senders have one address, and it
//! may have every place as long as nobody else wants one.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The places of a server.
#[derive(Debug)]
pub(super) struct Places {
    limit: usize,
    state: Mutex<State>,
    /// A place may be had that could not be had before.
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    /// Those that were told to go and are still there.
    leaving: usize,
    turn: u64,
    /// Connections that have sent no whole request, by peer, in the order in which they began to.
    sending: HashMap<IpAddr, BTreeMap<u64, Arc<Notify>>>,
}

/// The place of a connection.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    peer: IpAddr,
    /// Its turn in the list of those that are sending; none while it is being answered.
    turn: Mutex<Option<u64>>,
    revoked: Arc<Notify>,
}

/// A request is being answered: its connection keeps its place.
#[derive(Debug)]
pub(super) struct Answering<'p>(&'p Place);

impl Places {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), moved: Notify::new() }
    }

    /// A place for a connection from `peer`. Waits while all others are being answered. For one
    /// caller at a time.
    pub(super) async fn take(self: &Arc<Self>, peer: IpAddr) -> Place {
        let peer = neighbourhood(peer);
        loop {
            if let Some(place) = self.try_take(peer) {
                return place;
            }
            self.moved.notified().await;
        }
    }

    /// Comes back when no place is taken. For the caller who has taken them.
    pub(super) async fn all_free(&self) {
        while self.lock().taken > 0 {
            self.moved.notified().await;
        }
    }

    fn try_take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut state = self.lock();
        if state.taken >= self.limit {
            if state.leaving == 0 {
                state.revoke_one();
            }
            return None;
        }
        state.taken += 1;
        let revoked = Arc::new(Notify::new());
        let turn = Mutex::new(Some(state.begin(peer, &revoked)));
        Some(Place { places: Arc::clone(self), peer, turn, revoked })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, peer: IpAddr, revoked: &Arc<Notify>) -> u64 {
        self.turn += 1;
        self.sending.entry(peer).or_default().insert(self.turn, Arc::clone(revoked));
        self.turn
    }

    /// Whether it was still there.
    fn end(&mut self, peer: IpAddr, turn: u64) -> bool {
        let Some(of_peer) = self.sending.get_mut(&peer) else { return false };
        let was_there = of_peer.remove(&turn).is_some();
        if of_peer.is_empty() {
            self.sending.remove(&peer);
        }
        was_there
    }

    fn revoke_one(&mut self) {
        let most = self.sending.values_mut().max_by_key(|of_peer| of_peer.len());
        let Some((_, revoked)) = most.and_then(BTreeMap::pop_first) else { return };
        self.sending.retain(|_, of_peer| !of_peer.is_empty());
        self.leaving += 1;
        revoked.notify_one();
    }
}

impl Place {
    /// Comes back when the place is needed for another connection.
    pub(super) async fn revoked(&self) {
        self.revoked.notified().await;
    }

    /// The connection has sent a whole request. None if it has just lost its place.
    pub(super) fn answering(&self) -> Option<Answering<'_>> {
        let turn = self.turn().take()?;
        self.places.lock().end(self.peer, turn).then_some(Answering(self))
    }

    fn turn(&self) -> MutexGuard<'_, Option<u64>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        let Place { places, peer, revoked, .. } = self.0;
        let mut state = places.lock();
        *self.0.turn() = Some(state.begin(*peer, revoked));
        if state.taken >= places.limit {
            places.moved.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let turn = self.turn().take();
        let mut state = self.places.lock();
        state.taken -= 1;
        if !turn.is_some_and(|turn| state.end(self.peer, turn)) {
            state.leaving -= 1;
        }
        drop(state);
        self.places.moved.notify_one();
    }
}

/// Whoever has one address of IPv6 mostly has all that begin with the same 64 bits.
fn neighbourhood(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
