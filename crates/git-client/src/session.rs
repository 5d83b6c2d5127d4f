//! One conversation with a repository.

use std::path::Path;

use gix_hash::ObjectId;

use crate::{
    error::Error,
    http::{Client, Http, Remote},
    pack,
    protocol::{Advertisement, Packets, RemoteRef, advertisement, fetch, ls_refs, pack_data, refs},
    resolve::{self, Reference, Target},
    snapshot::Snapshot,
};

/// A repository that has answered.
#[derive(Debug)]
pub struct Session {
    http: Http,
    server: Advertisement,
}

impl Session {
    /// Asks the server what it offers. May be repeated; cancelling leaves nothing, here and below.
    ///
    /// # Errors
    /// If the server cannot be reached, refuses us, or is no git server.
    pub async fn open(client: &Client, remote: Remote) -> Result<Self, Error> {
        let mut http = client.http(remote)?;
        let body = http.refs().await?;
        let mut packets = Packets::new(body, "references", http.limits().refs_bytes);
        let server = advertisement(&mut packets).await?;
        Ok(Self { http, server })
    }

    /// The commit that `reference` means now.
    ///
    /// # Errors
    /// If there is none, or the server fails.
    pub async fn resolve(&self, reference: &Reference, scratch: &Path) -> Result<Target, Error> {
        resolve::target(self, reference, scratch).await
    }

    /// The objects of the target's commit, in a new directory below `scratch`.
    ///
    /// # Errors
    /// If the server fails or sends something else, or the disk is full.
    pub async fn fetch(&self, target: &Target, scratch: &Path) -> Result<Snapshot, Error> {
        let missing = || Error::CommitNotFound { id: target.commit.clone() };
        let id = ObjectId::from_hex(target.commit.as_bytes()).map_err(|_syntax| missing())?;
        match self.objects(&[id], Some(1), scratch).await {
            // Not every server gives out commits that no reference points to: then we look for it
            // in all the history that Flux would look in.
            Err(Error::Remote { .. }) if target.is_pinned => {
                let tips = resolve::tips(self, target).await?;
                let snapshot = self.objects(&tips, None, scratch).await?;
                if snapshot.has(&id) { Ok(snapshot) } else { Err(missing()) }
            }
            other => other,
        }
    }

    /// The references whose names start with one of `prefixes`, up to `enough` of them.
    pub(crate) async fn refs(
        &self,
        prefixes: &[String],
        enough: usize,
    ) -> Result<Vec<RemoteRef>, Error> {
        match &self.server {
            Advertisement::Version2(features) => {
                let body = self.http.command(ls_refs(features, prefixes)).await?;
                let limit_bytes = self.http.limits().refs_bytes;
                refs(&mut Packets::new(body, "references", limit_bytes), enough).await
            }
            Advertisement::Version0(_, refs) => {
                let wanted = |name: &str| {
                    prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix))
                };
                Ok(refs.iter().filter(|one| wanted(&one.name)).take(enough).cloned().collect())
            }
        }
    }

    /// The objects of `wants` and, without `depth`, of all their history.
    pub(crate) async fn objects(
        &self,
        wants: &[ObjectId],
        depth: Option<u32>,
        scratch: &Path,
    ) -> Result<Snapshot, Error> {
        let (features, version_2) = match &self.server {
            Advertisement::Version2(features) => (features, true),
            Advertisement::Version0(features, _) => (features, false),
        };
        let body = self.http.command(fetch(features, version_2, wants, depth)).await?;
        let limits = self.http.limits();
        // Packets are a little longer than what they carry; the pack itself is counted exactly.
        let packets = Packets::new(body, "objects", limits.pack_bytes.saturating_mul(2));
        let data = pack_data(packets, version_2).await?;
        pack::receive(data, limits, self.http.deadline(), scratch).await
    }
}
