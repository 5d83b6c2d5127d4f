//! A panic ends what it happened in, and nothing else.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt as _;
use tokio::sync::mpsc;

use crate::controller::controller_name;
use crate::metrics::Metrics;
use crate::status::FluxKind;

/// Carries out a part of a reconciliation. A panic ends that part, and is counted.
///
/// # Errors
/// What the panic said. What goes on outside of any worker must not end without a word: its object
/// would wait for it for ever.
pub async fn confined<K: FluxKind, T>(
    metrics: &Metrics,
    part: impl Future<Output = T>,
) -> Result<T, String> {
    let ended = AssertUnwindSafe(part).catch_unwind().await;
    ended.map_err(|panic| counted(metrics, &controller_name::<K>(), &*panic))
}

/// Answers what comes out of a channel, one after the other, until nobody sends any more. A panic
/// loses one answer, and none of those after it.
pub async fn answer_each<K: FluxKind, T>(
    metrics: &Metrics,
    mut channel: mpsc::UnboundedReceiver<T>,
    mut answer: impl FnMut(T),
) {
    let controller = controller_name::<K>();
    while let Some(news) = channel.recv().await {
        answered(metrics, &controller, || answer(news));
    }
}

/// Carries out the answer to one event. A panic ends that answer alone.
pub(crate) fn answered(metrics: &Metrics, controller: &str, answer: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(answer)) {
        let panic = counted(metrics, controller, &*panic); // here, as what is not logged is not run
        tracing::error!("{panic}");
    }
}

/// Counts a panic, and answers what it said.
fn counted(metrics: &Metrics, controller: &str, panic: &(dyn Any + Send)) -> String {
    metrics.panicked(controller);
    format!("panic: {}", panic_text(panic))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use crd_types::kustomize::Kustomization;

    use super::*;

    #[test]
    fn a_panic_ends_its_part_alone() {
        let metrics = Metrics::default();
        let end = confined::<Kustomization, ()>(&metrics, async { panic!("no such luck") });
        let end = futures::executor::block_on(end);
        assert_eq!(end, Err("panic: no such luck".to_owned()));
        assert_counted_once(&metrics);
    }

    #[tokio::test]
    async fn a_panic_loses_one_answer() {
        let metrics = Metrics::default();
        let (sender, channel) = mpsc::unbounded_channel();
        (0..3).for_each(|news| sender.send(news).unwrap());
        drop(sender);
        let mut answers = Vec::new();
        answer_each::<Kustomization, _>(&metrics, channel, |news| {
            assert_ne!(news, 1, "no such luck");
            answers.push(news);
        })
        .await;
        assert_eq!(answers, [0, 2]);
        assert_counted_once(&metrics);
    }

    fn assert_counted_once(metrics: &Metrics) {
        let text = metrics.text();
        let counted = |line: &str| line.contains("kustomization") && line.ends_with(" 1");
        assert!(text.lines().any(|line| line.contains("panics") && counted(line)), "{text}");
    }
}
