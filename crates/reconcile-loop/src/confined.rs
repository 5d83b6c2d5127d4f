//! A panic ends what it happened in, and nothing else.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

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
    AssertUnwindSafe(part).catch_unwind().await.map_err(|panic| {
        metrics.panicked(&controller_name::<K>());
        format!("panic: {}", panic_text(&*panic))
    })
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
        let text = metrics.text();
        let counted = |line: &str| line.contains("kustomization") && line.ends_with(" 1");
        assert!(text.lines().any(|line| line.contains("panics") && counted(line)), "{text}");
    }
}
