//! Telling how far a reconciliation is, without a write for every step that takes no time.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};

/// When a step under way is worth a status write.
///
/// Differs: Flux writes at every step. A step that is over within the patience says nothing here,
/// which saves half of all writes; a patience of zero gives Flux's sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(Duration::from_millis(500))
    }
}

impl Patience {
    /// Every step is written before it starts.
    pub const NONE: Self = Self(Duration::ZERO);

    /// Whether every step is written.
    pub fn is_none(self) -> bool {
        self.0.is_zero()
    }

    /// How much longer a step that began at `start` may go untold; none if it is worth telling now.
    pub fn rest(self, start: Instant) -> Option<Duration> {
        self.0.checked_sub(start.elapsed()).filter(|rest| !rest.is_zero())
    }

    /// Runs a step. If it is still under way when the patience is over, `report` runs once, beside
    /// it; without patience it runs first.
    ///
    /// Cancelled, it cancels both.
    pub async fn during<T>(
        self,
        step: impl Future<Output = T>,
        report: impl Future<Output = ()>,
    ) -> T {
        if self.is_none() {
            report.await;
            return step.await;
        }
        let delayed = async {
            tokio::time::sleep(self.0).await;
            report.await;
        };
        match select(pin!(step), pin!(delayed)).await {
            Either::Left((done, _)) => done,
            Either::Right(((), step)) => step.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_step_that_lasts_is_reported() {
        for (length, reports) in [(10, 0), (10_000, 1)] {
            let told = Cell::new(0);
            let step = tokio::time::sleep(Duration::from_millis(length));
            Patience::default().during(step, async { told.set(told.get() + 1) }).await;
            assert_eq!(told.get(), reports, "{length} ms");
        }
    }

    #[test]
    fn what_began_long_ago_is_told() {
        let now = Instant::now();
        assert!(Patience::default().rest(now).is_some());
        assert_eq!(Patience::NONE.rest(now), None);
        let before = now.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(Patience::default().rest(before), None);
    }

    #[tokio::test]
    async fn without_patience_the_report_comes_first() {
        let order = Cell::new("");
        let step = async { order.set(if order.get() == "report" { "both" } else { "step" }) };
        Patience::NONE.during(step, async { order.set("report") }).await;
        assert_eq!(order.get(), "both");
    }
}
