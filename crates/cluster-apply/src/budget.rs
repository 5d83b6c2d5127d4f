//! Time that several pieces of work share.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::ApplyError;

/// Time that several pieces of work share.
pub(crate) struct Budget {
    limit: Option<Duration>,
    spent: Duration,
}

impl Budget {
    /// All of it is left. Without a limit it never ends.
    pub(crate) const fn new(limit: Option<Duration>) -> Self {
        Self { limit, spent: Duration::ZERO }
    }

    /// Does a piece of work, for as long as there is time.
    ///
    /// # Errors
    /// If it fails, or time is up.
    pub(crate) async fn within<T>(
        &mut self,
        work: impl Future<Output = Result<T, ApplyError>>,
    ) -> Result<T, ApplyError> {
        let Some(limit) = self.limit else { return work.await };
        let began = Instant::now();
        let end = timeout(limit.saturating_sub(self.spent), work).await;
        self.spent += began.elapsed();
        end.map_err(|_elapsed| ApplyError::TimedOut { limit })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pieces_share_one_limit() {
        let work = |seconds| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(seconds)
        };
        let mut budget = Budget::new(Some(Duration::from_secs(30)));
        assert_eq!(budget.within(work(20)).await.unwrap(), 20);
        let error = budget.within(work(20)).await.unwrap_err();
        assert_eq!(error.to_string(), "apply timed out after 30s");
        assert_eq!(Budget::new(None).within(work(1000)).await.unwrap(), 1000);
    }
}
