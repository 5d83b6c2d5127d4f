//! What events cost: `cargo xtask bench events`.
//!
//! A notification-controller on one core takes events over connections that stay open, as fast as it
//! answers them; alerts choose some, and a sink on the loopback is told of those. Whoever posts has
//! another core, if there is one.

mod account;
mod objects;
mod post;
mod sink;
mod slow;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use testbed::{
    ApiRequests, ControlPlane, Controller, Options, Stack, Usage, eventually, free_port,
};

use super::cost::mib;
use crate::{programs, repository};
use account::Account;
use post::{Answers, Load};
use sink::Sink;
use slow::Slow;

/// What can be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Events of the first round; the others are of a part of it.
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// Connections that post at once.
    #[arg(long, default_value_t = 32)]
    connections: u64,
    /// Connections that hardly ever send a byte, in the last round.
    #[arg(long, default_value_t = 5000)]
    slow: usize,
    /// The core of the controller.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Another notification-controller, for example Flux's.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Further flags of it.
    #[arg(long = "flag", allow_hyphen_values = true)]
    flags: Vec<String>,
}

/// Accepted events a second on one core that are wanted.
const WANTED: f64 = 10_000.0;
/// How long what waits for the sink may take after the last event.
const PATIENCE: Duration = Duration::from_secs(30);

/// The controller under test.
struct Bench {
    controller: Controller,
    events: SocketAddr,
    webhooks: SocketAddr,
    metrics: SocketAddr,
    sink: Sink,
    connections: u64,
}

/// What a round is of.
struct Round {
    title: &'static str,
    /// The number of the first event, and how many there are.
    first: u64,
    count: u64,
    /// Whether they differ.
    differ: bool,
    /// One in so many events is chosen by all alerts that choose any; none if it is zero.
    one_in: u64,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let plane = ControlPlane::start(Options { audit: true, kwok: false })?;
    let cluster = plane.cluster();
    Stack::install_crds(cluster, &repository().join("config/crds"))?;
    let sink = Sink::start().await?;
    cluster.kubectl(&["create", "namespace", objects::NAMESPACE])?;
    cluster.apply(&objects::alerts(sink.address()))?;
    cluster.apply(&objects::receiver())?;
    let bench = Bench::start(&arguments, &plane, sink).await?;
    println!(
        "{} connections post; {} alerts choose nothing, {} choose some; the controller has core {}",
        arguments.connections,
        objects::IDLE,
        objects::CHOOSING,
        arguments.core
    );
    let n = arguments.events;
    let plain = Round {
        title: "different events, 1 in 100 chosen by 5 alerts",
        first: 0,
        count: n,
        differ: true,
        one_in: 100,
    };
    bench.round(&plain).await?;
    let title = "different events, all chosen by 5 alerts";
    bench.round(&Round { title, first: n, count: n / 20, one_in: 1, ..plain }).await?;
    let title = "one event again and again";
    let again = Round { title, first: 2 * n, count: n / 4, differ: false, one_in: 0 };
    bench.round(&again).await?;
    bench.replay(&plane, n / 10).await?;
    let slow = Slow::open(arguments.slow, bench.webhooks, bench.events).await?;
    println!("\n{} slow connections for webhooks, as many for events", arguments.slow);
    let title = "different events beside slow connections";
    bench.round(&Round { title, first: 3 * n, count: n / 2, ..plain }).await?;
    println!("  slow connections closed by the controller: {}", slow.closed());
    drop(slow);
    let title = "different events, all chosen, and then the controller is asked to end";
    bench.end(&Round { title, first: 4 * n, count: 500, one_in: 1, ..plain }).await
}

impl Bench {
    async fn start(arguments: &Arguments, plane: &ControlPlane, sink: Sink) -> Result<Self> {
        let program = match &arguments.program {
            Some(program) => program.clone(),
            None => programs()?.join("notification-controller"),
        };
        let address =
            || Ok::<_, anyhow::Error>(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)));
        let (events, webhooks, metrics) = (address()?, address()?, address()?);
        // `taskset` becomes the controller, so that all its threads begin on that core.
        let mut command = vec!["-c".to_owned(), arguments.core.to_string()];
        command.push(program.display().to_string());
        command.extend([
            format!("--events-addr={events}"),
            format!("--receiverAddr={webhooks}"),
            format!("--metrics-addr={metrics}"),
            format!("--health-addr={}", address()?),
            "--watch-all-namespaces=true".to_owned(),
        ]);
        command.extend(arguments.flags.iter().cloned());
        let cluster = plane.cluster().as_user("notification-controller")?;
        let dir = plane.dir().join("controllers");
        std::fs::create_dir_all(&dir)?;
        let taskset = PathBuf::from("taskset");
        let controller =
            Controller::start("notification-controller", &taskset, &command, &cluster, &dir)
                .context("`taskset` (util-linux) is needed")?;
        stay_off(arguments.core);
        eventually(Duration::from_secs(30), || async {
            wire::Wire::open(events).await?.get("/", events).await
        })
        .await
        .context("the controller does not take events")?;
        Ok(Self { controller, events, webhooks, metrics, sink, connections: arguments.connections })
    }

    /// Posts, waits until the sink is told, and prints.
    async fn round(&self, round: &Round) -> Result<()> {
        let (before, told_before) = (self.account().await?, self.sink.told());
        let (usage, start) = (self.usage()?, Instant::now());
        let answers = post::post(self.load(round.count), self.events, round.writer(self.events));
        let answers = answers.await?;
        let took = start.elapsed();
        let accepting = self.usage()?;
        let in_time = self.sink.told() - told_before;
        let wanted = round.chosen() * objects::CHOOSING;
        let end = Instant::now() + PATIENCE;
        let account = loop {
            let account = self.account().await?.since(&before);
            if account.all() >= wanted || Instant::now() > end {
                break account;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let cpu = accepting.cpu.saturating_sub(usage.cpu);
        print(round.title, &answers, took, cpu);
        self.print_peak()?;
        if wanted > 0 {
            let late = (self.sink.told() - told_before).saturating_sub(in_time);
            println!(
                "  notifications: {wanted} wanted, {in_time} told at once, {late} later, {} failed or \
                 dropped, {} lost without a word",
                account.failed,
                wanted.saturating_sub(account.all())
            );
        }
        ensure!(answers.others == 0, "{} requests were answered otherwise", answers.others);
        Ok(())
    }

    /// Posts one delivery again and again, and prints what that asks of the API server.
    async fn replay(&self, plane: &ControlPlane, count: u64) -> Result<()> {
        let get = ["-n", objects::NAMESPACE, "get", "receiver", objects::RECEIVER];
        let get = [&get[..], &["-o", "jsonpath={.status.webhookPath}"]].concat();
        let path = eventually(Duration::from_secs(30), || async {
            let path = plane.cluster().kubectl(&get)?;
            ensure!(path.starts_with("/hook/"), "the receiver has no path");
            Ok(path)
        });
        let delivery = objects::delivery(&path.await?, self.webhooks);
        let (_, from) = ApiRequests::read(&plane.audit_log(), 0)?;
        let (usage, start) = (self.usage()?, Instant::now());
        let write = move |_, into: &mut String| into.push_str(&delivery);
        let answers = post::post(self.load(count), self.webhooks, write).await?;
        let (took, cpu) = (start.elapsed(), self.usage()?.cpu.saturating_sub(usage.cpu));
        print("one delivery to a receiver again and again", &answers, took, cpu);
        self.print_peak()?;
        // What is due within the last second comes after it.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (requests, _) = ApiRequests::read(&plane.audit_log(), from)?;
        let asked = |verb: &str| {
            requests.count(|key| key.verb == verb && key.resource == "gitrepositories")
        };
        println!(
            "  {} lists and {} patches of {} objects",
            asked("list"),
            asked("patch"),
            objects::WOKEN
        );
        ensure!(answers.others == 0, "{} deliveries were answered otherwise", answers.others);
        Ok(())
    }

    /// Posts, has the controller end, and prints what was told all the same.
    async fn end(self, round: &Round) -> Result<()> {
        let before = self.sink.told();
        let answers = post::post(self.load(round.count), self.events, round.writer(self.events));
        let (accepted, in_time) = (answers.await?.accepted, self.sink.told() - before);
        let start = Instant::now();
        let status = self.controller.stop()?;
        println!("\n{}", round.title);
        println!("  {accepted} accepted; {status} after {} ms", start.elapsed().as_millis());
        let (wanted, told) = (round.chosen() * objects::CHOOSING, self.sink.told() - before);
        println!("  notifications: {wanted} wanted, {in_time} told before, {told} in the end");
        Ok(())
    }

    const fn load(&self, count: u64) -> Load {
        Load { count, connections: self.connections }
    }

    fn print_peak(&self) -> Result<()> {
        println!("  {:34} {:>10.1} MiB", "peak RSS", mib(self.usage()?.peak_rss_bytes));
        Ok(())
    }

    fn usage(&self) -> Result<Usage> {
        Usage::of(self.controller.pid())
    }

    async fn account(&self) -> Result<Account> {
        let text = wire::Wire::open(self.metrics).await?.text("/metrics", self.metrics).await?;
        Ok(Account::of(&text))
    }
}

impl Round {
    const fn chosen(&self) -> u64 {
        if self.one_in == 0 { 0 } else { self.count.div_ceil(self.one_in) }
    }

    /// Writes the request that posts its event number n.
    fn writer(&self, to: SocketAddr) -> impl Fn(u64, &mut String) + Clone + Send + 'static {
        let Self { first, differ, one_in, .. } = *self;
        move |n, into| {
            let is_chosen = one_in > 0 && n % one_in == 0;
            objects::event(if differ { first + n } else { first }, is_chosen, to, into);
        }
    }
}

fn print(title: &str, answers: &Answers, took: Duration, cpu: Duration) {
    let count = f64::from(u32::try_from(answers.accepted + answers.duplicates).unwrap_or(u32::MAX));
    let rate = count / took.as_secs_f64();
    println!("\n{title}");
    println!(
        "  {:34} {:>10} accepted, {} duplicates",
        "requests", answers.accepted, answers.duplicates
    );
    println!("  {:34} {rate:>10.0} /s ({:.2} of {WANTED})", "by the clock", rate / WANTED);
    let on_core = count / cpu.as_secs_f64();
    let each = cpu.as_secs_f64() * 1e6 / count;
    let what = "by the controller's own core time";
    println!("  {what:34} {on_core:>10.0} /s ({:.2} of {WANTED})", on_core / WANTED);
    println!("  {:34} {each:>10.1} us", "core time of each");
    let (half, most) = (answers.latency(0.5), answers.latency(0.99));
    println!("  {:34} {:>10.1} ms, p99 {:.1} ms", "latency, p50", millis(half), millis(most));
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Leaves a core to the controller, where there is another one.
fn stay_off(core: usize) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let others: Vec<_> = (0..cores).filter(|other| *other != core).map(|n| n.to_string()).collect();
    let own = std::process::id().to_string();
    let args = ["-a", "-p", "-c", &others.join(","), &own];
    // Without that, the figures are the worse, not wrong.
    if others.is_empty() || Command::new("taskset").args(args).output().is_err() {
        println!("whoever posts shares the core of the controller");
    }
}
