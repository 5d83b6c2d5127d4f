//! A wait that is not worth its time any more.

use tokio::sync::watch;

/// Ends the wait of an action for its objects early: something else is wanted meanwhile. What is being
/// written is written, hooks run to their end, and the release is stored as failed. The default never
/// does.
#[derive(Clone, Debug, Default)]
pub struct CallOff(Option<watch::Receiver<bool>>);

impl CallOff {
    /// One that is used when the sender says true.
    pub const fn by(told: watch::Receiver<bool>) -> Self {
        Self(Some(told))
    }

    /// What a wait comes to; none if it was called off.
    pub(crate) async fn unless<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        let Some(mut told) = self.0.clone() else { return Some(wait.await) };
        let called_off = async {
            // Whose sender is gone is not called off any more.
            if told.wait_for(|told| *told).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            end = wait => Some(end),
            () = called_off => None,
        }
    }
}
