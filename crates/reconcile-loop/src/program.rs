//! From the command line to running loops, and to a clean end.

use std::fmt::{self, Write as _};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::FusedFuture as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, Config, Resource};
use tokio::sync::watch;

use crate::chain;
use crate::election::{Election, Leadership, Settings};
use crate::events::{Recorder, host_name};
use crate::flags::Flags;
use crate::logging;
use crate::metrics::Metrics;
use crate::requeue::Jitter;

/// How long events may take to be sent when the process is to end.
const DRAIN_EVENTS: Duration = Duration::from_secs(1);
/// How long what a server has begun may take to be over then.
const DRAIN_SERVED: Duration = Duration::from_secs(10);
/// How much longer than a watch lasts the API server may be silent. Whoever watches gives up before.
const SLACK: Duration = Duration::from_secs(20);
/// How long the Lease may take to be read.
const RENEWED: Duration = Duration::from_secs(5);
/// How long threads that compute may take to end then.
const ABANDON: Duration = Duration::from_millis(500);

/// What the loops of a process share.
#[derive(Clone)]
pub struct Runtime {
    /// The name of the controller, as in `kustomize-controller`.
    pub name: &'static str,
    /// The common flags.
    pub flags: Flags,
    /// Talks to the API server as the controller itself.
    pub client: Client,
    /// What [`Runtime::client`] was made from.
    pub config: Config,
    /// Takes events.
    pub events: Recorder,
    /// Takes measurements.
    pub metrics: Metrics,
    /// Varies intervals.
    pub jitter: Jitter,
    /// Whether this process may write.
    pub leadership: Leadership,
    ending: watch::Receiver<bool>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Runtime {
    /// The objects of a kind in the namespaces that this controller watches.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType: Default, Scope = NamespaceResourceScope>,
    {
        match self.flags.watched_namespace() {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// Comes back when the process is asked to end.
    pub fn shutdown(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ending = self.ending.clone();
        async move {
            // A sender that is gone means the same: the process ends.
            drop(ending.wait_for(|ending| *ending).await);
        }
    }
}

/// Why a controller cannot start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("cannot start the async runtime")]
    Tokio(#[source] std::io::Error),
    #[error("cannot find a cluster: set KUBECONFIG or run in a pod")]
    Cluster(#[source] kube::config::InferConfigError),
    #[error("cannot make a client for the cluster")]
    Client(#[source] kube::Error),
    #[error(transparent)]
    Serve(#[from] crate::serve::BindError),
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
}

/// Runs a controller until it is asked to end.
///
/// `main` gets a [`Runtime`] once this process may write, and comes back when its loops have ended.
pub fn run<F>(name: &'static str, flags: Flags, main: impl FnOnce(Runtime) -> F) -> ExitCode
where
    F: Future<Output = Result<(), String>>,
{
    run_with(name, flags, |_| std::future::ready(Ok(std::future::ready(Ok(())))), main)
}

/// As [`run`], for a controller that also serves: `serve` gets the [`Runtime`] whether this process
/// may write or not, starts what does not wait for that, and comes back with a future that comes back
/// when all that was begun is over. It is waited for, a few seconds at most, when the process ends. An
/// error ends the process at any time.
pub fn run_with<S, E, F>(
    name: &'static str,
    flags: Flags,
    serve: impl FnOnce(Runtime) -> S,
    main: impl FnOnce(Runtime) -> F,
) -> ExitCode
where
    S: Future<Output = Result<E, String>>,
    E: Future<Output = Result<(), String>>,
    F: Future<Output = Result<(), String>>,
{
    logging::start(&flags.log_level, &flags.log_encoding);
    // Only the first provider of a process counts, and it is always this one.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&chain(&StartError::Tokio(error))),
    };
    let end = runtime.block_on(start(name, flags, serve, main));
    // What computes outside of the runtime is not waited for.
    runtime.shutdown_timeout(ABANDON);
    match end {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&chain(&error)),
    }
}

fn failed(error: &str) -> ExitCode {
    tracing::error!(error, "the controller ended");
    ExitCode::FAILURE
}

async fn start<S, E, F>(
    name: &'static str,
    flags: Flags,
    serve: impl FnOnce(Runtime) -> S,
    main: impl FnOnce(Runtime) -> F,
) -> Result<Result<(), String>, StartError>
where
    S: Future<Output = Result<E, String>>,
    E: Future<Output = Result<(), String>>,
    F: Future<Output = Result<(), String>>,
{
    let metrics = Metrics::default();
    crate::serve::metrics(flags.metrics_addr, metrics.clone()).await?;
    let ready = Arc::new(AtomicBool::new(false));
    crate::serve::probes(flags.health_addr, Arc::clone(&ready)).await?;
    let mut config = Config::infer().await.map_err(StartError::Cluster)?;
    config.headers.push(user_agent(name));
    // A request that is never answered would hold a worker, or a watch, for ever.
    config.read_timeout = Some(flags.watch_timeout + SLACK);
    config.reset_reader_on_write = true;
    let client = Client::try_from(config.clone()).map_err(StartError::Client)?;
    let (end, ending) = watch::channel(false);
    signals(end.clone()).map_err(StartError::Signals)?;
    ready.store(true, Ordering::Relaxed);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting {name}");

    let mut election =
        flags.enable_leader_election.then(|| Election::new(client.clone(), settings(name, &flags)));
    let leadership = election.as_ref().map_or_else(Leadership::alone, Election::leadership);
    let runtime = Runtime {
        name,
        client: client.clone(),
        config,
        events: Recorder::start(client, name, &flags.events_addr),
        metrics: metrics.clone(),
        jitter: Jitter::new(flags.interval_jitter_percentage),
        leadership,
        ending,
        flags,
    };
    let served = match serve(runtime.clone()).await {
        Ok(served) => served,
        Err(error) => return Ok(Err(error)),
    };
    let events = runtime.events.clone();
    let mut served = pin!(served.fuse());
    let mut working = pin!(async {
        match &mut election {
            None => main(runtime).await,
            Some(election) => led(election, runtime, main).await,
        }
    });
    let ended = tokio::select! {
        ended = &mut working => ended,
        over = &mut served => match over {
            Ok(()) => working.await,
            Err(error) => Err(error),
        },
    };
    // Where it was not asked to, as when the lease is lost, it ends all the same.
    end.send_replace(true);
    if !served.is_terminated() && tokio::time::timeout(DRAIN_SERVED, served).await.is_err() {
        tracing::error!("what was begun has not come to its end");
    }
    events.drain(DRAIN_EVENTS).await;
    Ok(ended)
}

/// Runs the loops as soon and as long as this process may write.
async fn led<F>(
    election: &mut Election,
    runtime: Runtime,
    main: impl FnOnce(Runtime) -> F,
) -> Result<(), String>
where
    F: Future<Output = Result<(), String>>,
{
    let metrics = runtime.metrics.clone();
    let release = runtime.flags.leader_election_release_on_cancel;
    tokio::select! {
        () = election.win(&metrics) => {}
        () = runtime.shutdown() => return Ok(()),
    }
    let ended = tokio::select! {
        ended = main(runtime) => ended,
        () = election.hold() => return Err("the lease was lost".to_owned()),
    };
    if release {
        election.release().await;
    }
    ended
}

fn user_agent(name: &'static str) -> (http::HeaderName, http::HeaderValue) {
    let agent = format!("{name}/{}", env!("CARGO_PKG_VERSION"));
    let value = http::HeaderValue::from_str(&agent)
        .unwrap_or_else(|_| http::HeaderValue::from_static("ferroflux"));
    (http::header::USER_AGENT, value)
}

/// When the Lease of this controller was renewed last: a sign of life of the process before this one, if
/// asked for before this one leads. None without elections, or if nobody knows.
pub async fn renewed(runtime: &Runtime) -> Option<jiff::Timestamp> {
    if !runtime.flags.enable_leader_election {
        return None;
    }
    let settings = settings(runtime.name, &runtime.flags);
    let api: Api<Lease> = Api::namespaced(runtime.client.clone(), &settings.namespace);
    let lease = tokio::time::timeout(RENEWED, api.get_opt(&settings.lease)).await.ok()?.ok()??;
    Some(lease.spec?.renew_time?.0)
}

/// The Lease of a controller; every shard has its own.
fn settings(name: &str, flags: &Flags) -> Settings {
    use sha2::Digest as _;
    let mut lease = format!("{name}-leader-election");
    if !flags.watch_label_selector.is_empty() {
        let digest = sha2::Sha256::digest(flags.watch_label_selector.as_bytes());
        lease.push('-');
        for byte in &digest[..4] {
            // Writing to a string cannot fail.
            _ = write!(lease, "{byte:02x}");
        }
    }
    let started = jiff::Timestamp::now().as_nanosecond();
    Settings {
        namespace: flags.runtime_namespace.clone(),
        lease,
        identity: format!("{}_{started:x}", host_name()),
        lease_duration: flags.leader_election_lease_duration,
        renew_deadline: flags.leader_election_renew_deadline,
        retry_period: flags.leader_election_retry_period,
    }
}

/// Sets `end` at the first SIGTERM or SIGINT.
fn signals(end: watch::Sender<bool>) -> Result<(), std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end");
        end.send_replace(true);
        // A second signal ends the process as if nobody listened.
    });
    Ok(())
}
