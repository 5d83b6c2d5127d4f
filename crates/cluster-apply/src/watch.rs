//! A list followed by a watch, for ever, as one stream.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use futures::Stream;
use http_body_util::BodyExt as _;
use kube::client::Body;
use manifest::{Gvk, ObjectId};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::api::{ApiError, Query};
use crate::cluster::TenantClient;
use crate::discovery::DiscoveryError;

/// How many objects one answer to a list holds.
const PAGE: &str = "100";
/// How much longer than its limit a watch may be silent before it is taken for dead. The server ends
/// it before.
const SLACK: Duration = Duration::from_secs(15);
/// The first and the longest pause after trouble.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long one event may be.
const MAX_EVENT_BYTES: usize = 32 << 20;

/// What is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// The kind.
    pub(crate) gvk: Gvk,
    /// The namespace; empty for all, and for kinds that live in none.
    pub(crate) namespace: String,
    /// Which of its objects by name (`metadata.name=x`); empty for all.
    pub(crate) fields: String,
    /// Which of its objects by labels; empty for all.
    pub(crate) labels: String,
    /// Whether only metadata is wanted.
    pub(crate) metadata_only: bool,
    /// The resource version to begin after. None begins with a list.
    pub(crate) from: Option<String>,
}

/// What a watch sees.
#[derive(Debug)]
pub(crate) enum Sight {
    /// All that was seen before is void; a list begins.
    Restart,
    /// An object is there, new or changed.
    There(Value),
    /// The list is complete.
    Listed,
    /// From now on, all changes are seen.
    Following,
    /// An object is gone. Its last state.
    Gone(Value),
    /// Nothing is seen for now; it is tried again.
    Trouble(Trouble),
}

/// Why nothing is seen for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The API server does not serve the kind.
    #[error(transparent)]
    Kind(#[from] DiscoveryError),
    /// It does not answer, or says no.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl Watched {
    /// All objects of a kind, in all namespaces.
    pub(crate) fn all(gvk: Gvk) -> Self {
        Self {
            gvk,
            namespace: String::new(),
            fields: String::new(),
            labels: String::new(),
            metadata_only: false,
            from: None,
        }
    }

    /// One object.
    pub(crate) fn one(gvk: Gvk, id: &ObjectId) -> Self {
        Self {
            namespace: id.namespace.clone(),
            fields: format!("metadata.name={}", id.name),
            ..Self::all(gvk)
        }
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMetadata,
    /// Null if there are none and only metadata is asked for.
    items: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMetadata {
    resource_version: String,
    r#continue: String,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    object: Value,
}

/// Watches for ever. Troubles are told and then tried again after a pause.
pub(crate) fn watch(tenant: TenantClient, what: Watched) -> impl Stream<Item = Sight> + Send {
    let watcher = Watcher {
        from: what.from.clone(),
        tenant,
        what,
        collection: None,
        next: VecDeque::new(),
        page: None,
        lines: None,
        pause: PAUSE.0,
        rest: false,
    };
    futures::stream::unfold(watcher, |mut watcher| async move {
        let sight = watcher.sight().await;
        Some((sight, watcher))
    })
}

struct Watcher {
    tenant: TenantClient,
    what: Watched,
    /// The address of the collection, once it is known.
    collection: Option<String>,
    /// Where to go on watching; none if a list must come first.
    from: Option<String>,
    /// What has been seen and not yet told.
    next: VecDeque<Sight>,
    /// Where to go on listing.
    page: Option<String>,
    lines: Option<Lines>,
    pause: Duration,
    /// Whether to pause before the next request.
    rest: bool,
}

impl Watcher {
    async fn sight(&mut self) -> Sight {
        loop {
            if let Some(sight) = self.next.pop_front() {
                return sight;
            }
            if std::mem::take(&mut self.rest) {
                sleep(self.pause).await;
                self.pause = (self.pause * 2).min(PAUSE.1);
            }
            let step = match &mut self.lines {
                Some(lines) => {
                    let event = lines.next().await;
                    self.take_in(event);
                    Ok(())
                }
                None if self.from.is_some() => self.open().await,
                None => self.list().await,
            };
            if let Err(trouble) = step {
                self.rest = true;
                return Sight::Trouble(trouble);
            }
        }
    }

    /// Finds out which collection is meant.
    async fn collection(&mut self) -> Result<String, Trouble> {
        if let Some(known) = &self.collection {
            return Ok(known.clone());
        }
        let resource = self.tenant.resource_of_any_version(&self.what.gvk).await?;
        let found = resource.path(&self.what.namespace, "").map_err(ApiError::Name)?;
        Ok(self.collection.insert(found).clone())
    }

    /// Reads the next page of the list.
    async fn list(&mut self) -> Result<(), Trouble> {
        let collection = self.collection().await?;
        let mut query = self.query().with("limit", PAGE);
        match &self.page {
            Some(page) => query = query.with("continue", page),
            None => self.next.push_back(Sight::Restart),
        }
        let uri = query.after(&collection);
        let list = self.tenant.list::<List>(&uri, self.what.metadata_only).await;
        let list = list.inspect_err(|_| {
            // A list that took too long to page through must begin anew.
            self.page = None;
            self.next.clear();
        })?;
        let gvk = &self.what.gvk;
        let complete = |mut object: Value| {
            // The items of a list leave out what the list says.
            if let Some(fields) = object.as_object_mut() {
                fields.insert("apiVersion".to_owned(), gvk.api_version().into());
                fields.insert("kind".to_owned(), gvk.kind.clone().into());
            }
            Sight::There(object)
        };
        self.next.extend(list.items.into_iter().flatten().map(complete));
        if list.metadata.r#continue.is_empty() {
            self.page = None;
            self.from = Some(list.metadata.resource_version);
            self.next.push_back(Sight::Listed);
        } else {
            self.page = Some(list.metadata.r#continue);
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<(), Trouble> {
        let collection = self.collection().await?;
        let limit = self.tenant.settings().watch_limit;
        let from = self.from.as_deref().unwrap_or_default();
        let query = self
            .query()
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", &limit.as_secs().to_string())
            .with("resourceVersion", from);
        let uri = query.after(&collection);
        match self.tenant.open(&uri, self.what.metadata_only).await {
            Ok(answer) => {
                self.lines = Some(Lines::new(answer.into_body(), limit + SLACK));
                self.next.push_back(Sight::Following);
            }
            Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 410) => {
                self.from = None;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn query(&self) -> Query {
        let selectors =
            [("fieldSelector", &self.what.fields), ("labelSelector", &self.what.labels)];
        selectors
            .into_iter()
            .filter(|(_, selector)| !selector.is_empty())
            .fold(Query::default(), |query, (key, selector)| query.with(key, selector))
    }

    fn take_in(&mut self, event: Option<Event>) {
        let Some(Event { r#type, object }) = event else {
            // Ended, broken or silent: go on where it ended, but not in a hot loop.
            self.rest = self.lines.take().is_some_and(|l| l.opened.elapsed() < PAUSE.1);
            return;
        };
        if r#type == "ERROR" {
            // Too old a version, or something else that only a new list heals.
            self.lines = None;
            self.from = None;
            self.rest = object.get("code").and_then(Value::as_u64) != Some(410);
            return;
        }
        self.pause = PAUSE.0;
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        if let Some(version) = version {
            self.from = Some(version.to_owned());
        }
        match r#type.as_str() {
            "ADDED" | "MODIFIED" => self.next.push_back(Sight::There(object)),
            "DELETED" => self.next.push_back(Sight::Gone(object)),
            _ => {} // a bookmark
        }
    }
}

/// The events of one answer, a line each.
struct Lines {
    body: Body,
    read: BytesMut,
    /// How much of what was read is known to hold no line end.
    searched: usize,
    opened: Instant,
    /// After how long without a word it is dead.
    silence: Duration,
}

impl Lines {
    fn new(body: Body, silence: Duration) -> Self {
        Self { body, read: BytesMut::new(), searched: 0, opened: Instant::now(), silence }
    }

    /// The next event; none if there will be no more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let unsearched = &self.read[self.searched..];
            if let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(self.searched + end);
                self.read.advance(1);
                self.searched = 0;
                return serde_json::from_slice(&line).ok();
            }
            self.searched = self.read.len();
            if self.searched > MAX_EVENT_BYTES {
                return None;
            }
            let frame = timeout(self.silence, self.body.frame()).await.ok()??;
            if let Ok(data) = frame.ok()?.into_data() {
                self.read.extend_from_slice(&data);
            }
        }
    }
}
