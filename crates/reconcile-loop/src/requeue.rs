//! When an object is looked at again: intervals with jitter, failures with backoff.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;

/// What a reconciliation asks for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The interval is over after this long; jitter is added.
    Interval(Duration),
    /// Again after exactly this long.
    After(Duration),
    /// It failed; again after a delay that doubles with every failure in a row.
    Backoff {
        /// What failed, for the log.
        error: String,
    },
    /// Nothing to do until something changes.
    Await,
    /// It goes on outside of any worker, and asks for another turn when it has ended. Failures in a
    /// row are not forgotten.
    UnderWay,
}

/// Varies intervals, so that objects made at once do not come back at once.
#[derive(Clone, Copy, Debug)]
pub struct Jitter {
    percentage: u8,
}

impl Jitter {
    /// Varies by up to so many percent in either direction.
    pub fn new(percentage: u8) -> Self {
        Self { percentage: percentage.min(99) }
    }

    /// The interval with jitter; `fraction` is a random number from 0 to 1.
    pub fn apply(self, interval: Duration, fraction: f64) -> Duration {
        let reach = f64::from(self.percentage) / 100.0;
        interval.mul_f64(1.0 - reach + 2.0 * reach * fraction.clamp(0.0, 1.0))
    }
}

/// Failures in a row, by object.
#[derive(Debug)]
pub struct Backoff<K: kube::Resource<DynamicType = ()>> {
    first: Duration,
    longest: Duration,
    failures: Mutex<HashMap<ObjectRef<K>, u32>>,
}

impl<K: kube::Resource<DynamicType = ()>> Backoff<K> {
    /// Doubles from `first` up to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: Mutex::default() }
    }

    /// Counts a failure and answers how long to wait.
    pub fn failed(&self, object: ObjectRef<K>) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(object).or_insert(0);
        let delay = self.first.saturating_mul(1_u32.checked_shl(*count).unwrap_or(u32::MAX));
        *count = count.saturating_add(1).min(31);
        delay.min(self.longest)
    }

    /// Forgets the failures of an object: it succeeded, or it is gone.
    pub fn forget(&self, object: &ObjectRef<K>) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    #[test]
    fn jitter_stays_within_its_share() {
        let jitter = Jitter::new(5);
        let minute = Duration::from_mins(1);
        assert_eq!(jitter.apply(minute, 0.0), Duration::from_secs(57));
        assert_eq!(jitter.apply(minute, 0.5), minute);
        assert_eq!(jitter.apply(minute, 1.0), Duration::from_secs(63));
        assert_eq!(Jitter::new(0).apply(minute, 0.9), minute);
    }

    #[test]
    fn failures_double_the_delay_until_one_succeeds() {
        let backoff = Backoff::new(Duration::from_millis(750), Duration::from_mins(15));
        let object = ObjectRef::<ConfigMap>::new("a").within("b");
        let delays: Vec<_> = (0..3).map(|_| backoff.failed(object.clone()).as_millis()).collect();
        assert_eq!(delays, [750, 1500, 3000]);
        for _ in 0..40 {
            backoff.failed(object.clone());
        }
        assert_eq!(backoff.failed(object.clone()), Duration::from_mins(15));
        backoff.forget(&object);
        assert_eq!(backoff.failed(object), Duration::from_millis(750));
    }
}
