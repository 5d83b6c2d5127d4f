//! What everything in this process shares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alert_send::Sender;
use crd_types::notification::{Alert, Provider, Receiver};
use key_services::Bearers;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::program::Runtime;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::alert::AlertRules;
use crate::event::dispatch::Dispatch;
use crate::event::involved::{About, Involved};
use crate::event::limiter::Limiter;
use crate::event::memory::Memory;
use crate::event::turns::Turns;
use crate::looks::Looks;
use crate::metrics::{Ended, Notifications, TokenUses};
use crate::receiver::identity::Identities;
use crate::receiver::paths::Paths;
use crate::receiver::target::{Target, Targets};
use crate::receiver::tokens::Tokens;
use crate::receiver::wake::Waker;
use crate::settings::Settings;
use crate::watched::{Derived, Watched};

/// Limit: complaints that wait to be written; further ones are in the log only.
const COMPLAINTS: usize = 256;

/// What everything in this process shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
    pub(crate) alerts: AlertRules,
    pub(crate) providers: Watched<Provider>,
    pub(crate) receivers: Watched<Receiver>,
    pub(crate) paths: Derived<Paths>,
    /// Events that were told already.
    pub(crate) limiter: Limiter,
    /// What alerts tell as incidents.
    pub(crate) memory: Memory,
    /// The order of events that wait for the API server.
    pub(crate) turns: Turns,
    /// Events that wait for their providers.
    pub(crate) dispatch: Dispatch,
    pub(crate) sender: Sender,
    /// Tokens of clouds and GitHub Apps, for providers.
    pub(crate) bearers: Bearers,
    pub(crate) token_uses: TokenUses,
    pub(crate) notifications: Notifications,
    /// Tokens of receivers.
    pub(crate) tokens: Tokens,
    /// Keys of identity providers.
    pub(crate) identities: Identities,
    /// What Receivers have just looked at.
    pub(crate) looks: Looks<Targets, Vec<(Target, Value)>>,
    /// What events have just been about.
    pub(crate) involved: Looks<About, Involved>,
    pub(crate) waker: Waker,
    /// What is still to be done because of what was taken in. The end waits for it.
    pub(crate) taken_in: TaskTracker,
    complaints: mpsc::Sender<Complaint>,
}

/// An event about an alert that waits to be written.
#[derive(Debug)]
struct Complaint {
    alert: Arc<Alert>,
    event: Event,
    _waits: TaskTrackerToken,
}

impl Context {
    /// Starts the watches.
    pub(crate) fn start(runtime: &Runtime, settings: Settings, bearers: Bearers) -> Self {
        let (complaints, mut written) = mpsc::channel::<Complaint>(COMPLAINTS);
        let events = runtime.events.clone();
        // In a task of its own: nobody who has news waits for the API server to take a complaint.
        tokio::spawn(async move {
            while let Some(Complaint { alert, event, _waits }) = written.recv().await {
                events.publish(&*alert, event).await;
            }
        });
        let now = std::time::Instant::now();
        let taken_in = TaskTracker::new();
        let token_uses = TokenUses::register(&runtime.metrics);
        let notifications = Notifications::register(&runtime.metrics);
        let counted = (token_uses.clone(), notifications.clone());
        // By the watch, as those that do not lead count, too. Limit: a Provider that goes while the
        // watch is broken off is not heard of.
        let providers = Watched::start(runtime, move |event| {
            if let watcher::Event::Delete(provider) = event {
                counted.0.forget(provider);
                counted.1.forget(provider);
            }
        });
        Self {
            alerts: AlertRules::start(runtime),
            providers,
            receivers: Watched::start(runtime, |_| {}),
            paths: Derived::default(),
            looks: Looks::default(),
            involved: Looks::default(),
            limiter: Limiter::new(settings.rate_limit_interval, now),
            memory: Memory::default(),
            turns: Turns::default(),
            dispatch: Dispatch::default(),
            sender: Sender::default(),
            bearers,
            token_uses,
            notifications,
            tokens: Tokens::default(),
            identities: Identities::default(),
            waker: Waker::new(taken_in.clone()),
            taken_in,
            complaints,
            runtime: runtime.clone(),
            settings,
        }
    }

    /// Comes back when everything is known that decides what to answer.
    pub(crate) async fn complete(&self) {
        tokio::join!(self.alerts.complete(), self.providers.complete(), self.receivers.complete());
    }

    /// Tells of something wrong with an alert, at the alert. Never waits.
    pub(crate) fn complain(&self, alert: &Arc<Alert>, reason: &'static str, message: String) {
        self.complain_with(alert, reason, message, BTreeMap::new());
    }

    /// The same with further facts.
    pub(crate) fn complain_with(
        &self,
        alert: &Arc<Alert>,
        reason: &'static str,
        message: String,
        metadata: BTreeMap<String, String>,
    ) {
        self.write(alert, Event { metadata, ..Event::new(Severity::Error, reason, message) });
    }

    /// Tells of what an alert does, at the alert. Never waits.
    pub(crate) fn remark(&self, alert: &Arc<Alert>, reason: &'static str, message: String) {
        self.write(alert, Event::new(Severity::Info, reason, message));
    }

    fn write(&self, alert: &Arc<Alert>, event: Event) {
        let reason = event.reason.clone();
        let complaint =
            Complaint { alert: Arc::clone(alert), event, _waits: self.taken_in.token() };
        if self.complaints.try_send(complaint).is_err() {
            tracing::debug!(reason, "too many complaints, one is dropped");
        }
    }

    /// Comes back when everything is done that was taken in, or after `patience`.
    pub(crate) async fn drain(&self, patience: Duration) {
        self.taken_in.close();
        if tokio::time::timeout(patience, self.taken_in.wait()).await.is_err() {
            let left = self.taken_in.len();
            tracing::error!(left, "some notifications or requests were not sent");
        }
    }

    /// Whether a provider is still there: what is counted of one that is gone would stay.
    pub(crate) fn knows(&self, provider: &Provider) -> bool {
        self.providers.store().get(&ObjectRef::from_obj(provider)).is_some()
    }

    /// Counts a notification.
    pub(crate) fn count(&self, provider: &Provider, ended: Ended) {
        if self.knows(provider) {
            self.notifications.count(provider, ended);
        }
    }
}
