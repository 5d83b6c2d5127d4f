//! Clients, kept for the next who reaches servers in the same way.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::ClientConfig;

use crate::{
    access::{Access, InvalidAccess},
    client::Client,
};

/// Limit: ways of reaching servers that are kept.
const KEPT: usize = 16;

/// Clients by how servers are reached. Making one reads all certificate authorities of the system,
/// which costs more than most requests; a kept one has its connections, too.
#[derive(Default)]
pub struct Clients {
    http: Kept<Client>,
    tls: Kept<Arc<ClientConfig>>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

impl Clients {
    /// A client that reaches servers so.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn client(&self, access: &Access) -> Result<Client, InvalidAccess> {
        self.http.get(access, || Client::new(access))
    }

    /// How TLS is spoken to servers that speak no HTTP.
    ///
    /// # Errors
    /// As [`Access::tls`].
    pub fn tls(&self, access: &Access) -> Result<Arc<ClientConfig>, InvalidAccess> {
        self.tls.get(access, || access.tls().map(Arc::new))
    }
}

/// What was made for a way of reaching servers. The one used last is last.
struct Kept<T>(Mutex<Vec<(Access, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    fn get(
        &self,
        access: &Access,
        make: impl FnOnce() -> Result<T, InvalidAccess>,
    ) -> Result<T, InvalidAccess> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match kept.iter().position(|(known, _)| known == access) {
            Some(at) => kept.remove(at),
            None => (access.clone(), make()?),
        };
        let found = known.1.clone();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(known);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_kept() {
        let clients = Clients::default();
        for n in 0..2 * KEPT {
            let url = format!("http://127.0.0.1:{n}");
            let proxy = Some(crate::Proxy { url, login: None });
            clients.client(&Access { proxy, ..Access::default() }).unwrap();
        }
        assert_eq!(clients.http.0.lock().unwrap().len(), KEPT);
        let bad = Access { ca_pem: Some(b"nothing".to_vec()), ..Access::default() };
        assert!(matches!(clients.client(&bad), Err(InvalidAccess::Ca)));
        assert!(matches!(clients.tls(&bad), Err(InvalidAccess::Ca)));
        let [first, second] = [(); 2].map(|()| clients.tls(&Access::default()).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }
}
