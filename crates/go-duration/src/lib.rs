//! Durations written and read as Go does.
//!
//! Flux's specifications, messages and statuses hold durations in Go's notation: `1h0m0s`,
//! `75.190237ms`. [`parse`] reads it with Go's rules and error texts, [`format()`] writes it.

mod parse;
mod print;

pub use parse::{Error, parse};
pub use print::format;

/// A signed number of nanoseconds, as Go's `time.Duration`; prints in Go's notation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanoseconds: i64,
}

/// The duration is negative, which [`std::time::Duration`] cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("duration {0} is negative")]
pub struct Negative(pub Duration);

impl Duration {
    /// So many nanoseconds.
    pub const fn from_nanos(nanoseconds: i64) -> Self {
        Self { nanoseconds }
    }

    /// The number of nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanoseconds
    }

    /// The number of seconds.
    #[expect(clippy::cast_precision_loss, reason = "the parts are converted apart, as Go does")]
    pub fn as_seconds(self) -> f64 {
        const SECOND: i64 = 1_000_000_000;
        (self.nanoseconds / SECOND) as f64 + (self.nanoseconds % SECOND) as f64 / 1e9
    }

    /// Rounded to the nearest multiple of `unit`, halves away from zero; as it is if `unit` is not
    /// positive.
    #[must_use]
    pub const fn round(self, unit: Self) -> Self {
        if unit.nanoseconds <= 0 {
            return self;
        }
        let (rest, n) = (self.nanoseconds % unit.nanoseconds, self.nanoseconds);
        let rest_size = rest.unsigned_abs();
        if rest_size + rest_size < unit.nanoseconds.unsigned_abs() {
            return Self { nanoseconds: n - rest };
        }
        // Where the next multiple is out of range, Go stops at the end of the range.
        let nanoseconds = if n < 0 {
            (n - rest).saturating_sub(unit.nanoseconds)
        } else {
            (n - rest).saturating_add(unit.nanoseconds)
        };
        Self { nanoseconds }
    }

    /// Rounded towards zero to a multiple of `unit`; as it is if `unit` is not positive.
    #[must_use]
    pub const fn truncate(self, unit: Self) -> Self {
        if unit.nanoseconds <= 0 {
            return self;
        }
        Self { nanoseconds: self.nanoseconds - self.nanoseconds % unit.nanoseconds }
    }
}

impl TryFrom<Duration> for std::time::Duration {
    type Error = Negative;

    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        match u64::try_from(duration.nanoseconds) {
            Ok(nanoseconds) => Ok(Self::from_nanos(nanoseconds)),
            Err(_negative) => Err(Negative(duration)),
        }
    }
}

/// What is longer than Go can say (292 years) becomes the longest duration.
impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self { nanoseconds: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) }
    }
}
