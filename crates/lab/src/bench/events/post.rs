//! Whoever posts: each connection as fast as it is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;

use super::wire::Wire;

/// How much is posted.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) count: u64,
    pub(super) connections: u64,
}

/// How posts were answered.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) others: u64,
    latencies: Vec<Duration>,
}

impl Answers {
    /// What this part of the posts was answered within.
    pub(super) fn latency(&self, part: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among at most some millions"
        )]
        let at = (last as f64 * part) as usize;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

/// Posts everything: `write` writes request number n.
pub(super) async fn post(
    load: Load,
    to: SocketAddr,
    write: impl Fn(u64, &mut String) + Clone + Send + 'static,
) -> Result<Answers> {
    let each = (0..load.connections).map(|k| tokio::spawn(one(load, k, to, write.clone())));
    let mut all = Answers::default();
    for answers in try_join_all(each).await? {
        let answers = answers?;
        all.accepted += answers.accepted;
        all.duplicates += answers.duplicates;
        all.others += answers.others;
        all.latencies.extend(answers.latencies);
    }
    all.latencies.sort_unstable();
    Ok(all)
}

/// The part of connection `k`.
async fn one(
    load: Load,
    k: u64,
    to: SocketAddr,
    write: impl Fn(u64, &mut String),
) -> Result<Answers> {
    let mut wire = Wire::open(to).await?;
    let (mut answers, mut request) = (Answers::default(), String::new());
    for n in (k..load.count).step_by(usize::try_from(load.connections)?) {
        request.clear();
        write(n, &mut request);
        let start = Instant::now();
        wire.send(request.as_bytes()).await?;
        let answer = wire.next().await?.context("the controller has closed the connection")?;
        answers.latencies.push(start.elapsed());
        match answer.status() {
            Some(200 | 202) => answers.accepted += 1,
            Some(429) => answers.duplicates += 1,
            _ => answers.others += 1,
        }
    }
    Ok(answers)
}
