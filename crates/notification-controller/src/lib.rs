//! The controller of Providers, Alerts and Receivers: tells people and services what happens, and
//! lets services ask for reconciliations.
//!
//! Two servers, one for the events of controllers and one for webhooks, run in every process; what
//! writes status and finalizers runs where the Lease is held.

mod alert;
mod context;
mod event;
mod http;
mod looks;
mod metrics;
mod provider;
mod receiver;
mod secrets;
mod settings;
mod watched;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crd_types::notification::{Alert, Provider, Receiver};
use futures::FutureExt as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use key_services::Bearers;
use reconcile_loop::chain;
use reconcile_loop::controller::{Controller, Trigger};
use reconcile_loop::program::{self, Runtime};
use reconcile_loop::references::watch_references;
use reconcile_loop::status::Writer;
use tokio::task::JoinError;

pub use settings::Arguments;

use alert::Alerts;
use context::Context;
use event::EventServer;
use metrics::ServerMetrics;
use provider::Providers;
use receiver::{ReceiverServer, Receivers, on_secret};

/// The name of the controller, and the field manager of everything it writes.
const NAME: &str = "notification-controller";
/// How long requests under way, and then what they asked for, may take when the process is to end.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs the controller until it is asked to end.
pub fn run(arguments: Arguments) -> ExitCode {
    // Here, the address is where events come from; this controller's own are for the cluster only.
    let mut flags = arguments.flags.clone();
    flags.events_addr.clear();
    let receivers = Controller::<Receiver>::default();
    let trigger = receivers.trigger();
    let served = Arc::new(OnceLock::new());
    let (workers, serving) = (arguments.concurrent, Arc::clone(&served));
    program::run_with(
        NAME,
        flags,
        |runtime| async move {
            let (ctx, over) = serve(&arguments, &runtime, trigger).await?;
            // Nobody else sets it.
            drop(serving.set(ctx));
            Ok(over)
        },
        |runtime| async move {
            let Some(ctx) = served.get() else { return Ok(()) };
            Box::pin(reconcile(ctx, runtime, receivers, workers)).await;
            Ok(())
        },
    )
}

/// Starts the servers, which answer once everything is known that decides what to answer. The future
/// comes back when they have ended, and what they took in is done; with an error if nobody asked for that.
async fn serve(
    arguments: &Arguments,
    runtime: &Runtime,
    trigger: Trigger<Receiver>,
) -> Result<(Arc<Context>, impl Future<Output = Result<(), String>> + use<>), String> {
    let settings = arguments.settings().map_err(|error| chain(&error))?;
    let events = http::bind(settings.events_addr).await?;
    let webhooks = http::bind(settings.receiver_addr).await?;
    let clouds = key_services::Client::new();
    let clouds = clouds.map_err(|error| format!("cannot set up TLS: {}", chain(&error)))?;
    let (endpoints, ambient) = (settings.endpoints.clone(), settings.ambient.clone());
    let bearers = Bearers::new(clouds, endpoints, ambient, settings.tokens);
    let ctx = Arc::new(Context::start(runtime, settings, bearers));
    let alive = program::renewed(runtime).await;
    let paths = ctx.settings.paths_in_metrics;
    let handler = |one: &'static str| (!paths).then_some(one);
    let of_events = ServerMetrics::register(&runtime.metrics, "event", handler("/"));
    let of_webhooks =
        ServerMetrics::register(&runtime.metrics, "receiver", handler(receiver::PREFIX));
    if ctx.settings.config_watchers {
        watch_references::<Secret>(runtime, on_secret(Arc::clone(&ctx), trigger));
    }
    let ended = runtime.shutdown().boxed().shared();
    let (known, serving_ends) = (Arc::clone(&ctx), ended.clone());
    let mut servers = tokio::spawn(async move {
        tokio::select! {
            () = learn(&known, alive) => {}
            () = serving_ends.clone() => return,
        }
        tracing::info!("serving events and webhooks");
        let (events_ended, ctx) = (serving_ends.clone(), Arc::clone(&known));
        tokio::join!(
            event::memory::tell_what_is_due(Arc::clone(&known)),
            event::look::look_again(Arc::clone(&known)),
            http::serve(events, Arc::new(EventServer(ctx)), of_events, events_ended),
            http::serve(webhooks, Arc::new(ReceiverServer(known)), of_webhooks, serving_ends),
        );
    });
    let taken_in = Arc::clone(&ctx);
    let over = async move {
        tokio::select! {
            biased;
            () = ended => {}
            died = &mut servers => return Err(unasked(died)),
        }
        if tokio::time::timeout(DRAIN, servers).await.is_err() {
            tracing::error!("some requests were not answered");
        }
        taken_in.drain(DRAIN).await;
        Ok(())
    };
    Ok((ctx, over))
}

/// What is said of servers that ended although the process goes on: nobody would be answered any more.
fn unasked(died: Result<(), JoinError>) -> String {
    let why = died.err().map(|error| format!(": {error}")).unwrap_or_default();
    format!("the servers of events and webhooks ended by themselves{why}")
}

/// Comes back when everything is known that decides what to answer.
async fn learn(ctx: &Context, alive: Option<Timestamp>) {
    ctx.complete().await;
    event::restore::restore(ctx, alive).await;
}

/// Keeps status and finalizers until the process is asked to end.
async fn reconcile(
    ctx: &Arc<Context>,
    runtime: Runtime,
    receivers: Controller<Receiver>,
    workers: u16,
) {
    let client = || runtime.client.clone();
    let lead = || runtime.leadership.clone();
    let of_alerts = Arc::new(Writer::<Alert>::new(client(), NAME).fenced(lead()));
    let of_providers = Arc::new(Writer::<Provider>::new(client(), NAME).fenced(lead()));
    let of_receivers = Arc::new(Writer::<Receiver>::new(client(), NAME).fenced(lead()));
    let alerts = Alerts { runtime: runtime.clone(), writer: Arc::clone(&of_alerts) };
    let reconciler = Receivers { ctx: Arc::clone(ctx), writer: Arc::clone(&of_receivers) };
    tokio::join!(
        Controller::default().run(runtime.clone(), of_alerts, Arc::new(alerts), workers),
        Controller::default().run(runtime.clone(), of_providers, Arc::new(Providers), workers),
        receivers.run(runtime.clone(), of_receivers, Arc::new(reconciler), workers),
    );
}
