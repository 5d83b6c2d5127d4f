//! What everything in this process shares.

use std::collections::BTreeMap;
use std::sync::Arc;

use alert_message::Kind;
use alert_send::Sender;
use crd_types::notification::{Alert, Provider, Receiver};
use key_services::Bearers;
use kube::ResourceExt as _;
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::program::Runtime;
use tokio::sync::mpsc;

use crate::alert::AlertRules;
use crate::event::dispatch::Dispatch;
use crate::event::limiter::Limiter;
use crate::event::memory::Memory;
use crate::event::turns::Turns;
use crate::metrics::{Ended, Notifications, TokenUses};
use crate::receiver::identity::Identities;
use crate::receiver::looks::Looks;
use crate::receiver::paths::Paths;
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
    pub(crate) looks: Looks,
    pub(crate) waker: Waker,
    complaints: mpsc::Sender<(Arc<Alert>, Event)>,
}

impl Context {
    /// Starts the watches.
    pub(crate) fn start(runtime: &Runtime, settings: Settings, bearers: Bearers) -> Self {
        let (complaints, mut written) = mpsc::channel::<(Arc<Alert>, Event)>(COMPLAINTS);
        let events = runtime.events.clone();
        // In a task of its own: nobody who has news waits for the API server to take a complaint.
        tokio::spawn(async move {
            while let Some((alert, event)) = written.recv().await {
                events.publish(&*alert, event).await;
            }
        });
        let now = std::time::Instant::now();
        Self {
            alerts: AlertRules::start(runtime),
            providers: Watched::start(runtime),
            receivers: Watched::start(runtime),
            paths: Derived::default(),
            looks: Looks::default(),
            limiter: Limiter::new(settings.rate_limit_interval, now),
            memory: Memory::default(),
            turns: Turns::default(),
            dispatch: Dispatch::default(),
            sender: Sender::default(),
            bearers,
            token_uses: TokenUses::register(&runtime.metrics),
            notifications: Notifications::register(&runtime.metrics),
            tokens: Tokens::default(),
            identities: Identities::default(),
            waker: Waker::default(),
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
        if self.complaints.try_send((Arc::clone(alert), event)).is_err() {
            tracing::debug!(reason, "too many complaints, one is dropped");
        }
    }

    /// Counts a notification.
    pub(crate) fn count(&self, provider: &Provider, ended: Ended) {
        let kind = Kind::named(&provider.spec.type_).map_or("unknown", Kind::name);
        let namespace = provider.namespace().unwrap_or_default();
        self.notifications.count(&namespace, &provider.name_any(), kind, ended);
    }
}
