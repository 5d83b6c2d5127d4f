//! What the controller says became of notifications.

/// Notifications by how they ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    sent: u64,
    pub(super) failed: u64,
}

impl Account {
    /// Reads the controller's metrics.
    pub(super) fn of(metrics: &str) -> Self {
        let mut account = Self::default();
        let lines = metrics.lines().filter(|line| line.starts_with("gotk_notification_total{"));
        for line in lines {
            let count = line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
            if line.contains("result=\"sent\"") {
                account.sent += count;
            } else {
                account.failed += count;
            }
        }
        account
    }

    pub(super) const fn since(&self, before: &Self) -> Self {
        Self { sent: self.sent - before.sent, failed: self.failed - before.failed }
    }

    pub(super) const fn all(&self) -> u64 {
        self.sent + self.failed
    }
}
