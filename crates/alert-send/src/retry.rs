//! When a failed attempt is repeated.

use std::time::Duration;

/// How often and how soon failed attempts are repeated. The default is Flux's.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// How often.
    pub limit: u32,
    /// How long before the first repetition; it doubles with each one.
    pub shortest: Duration,
    /// The longest that it becomes.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { limit: 4, shortest: Duration::from_secs(2), longest: Duration::from_secs(30) }
    }
}

/// Whether a failure may be over soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It is what it is.
    Never,
    /// It may.
    Soon,
    /// The server has said when.
    After(Duration),
}

impl Retries {
    /// How long to wait before the next attempt, if there is one.
    pub(crate) fn wait(&self, repeats: u32, retry: Retry) -> Option<Duration> {
        let doubled = || self.shortest.saturating_mul(1 << repeats.min(16)).min(self.longest);
        match retry {
            _ if repeats >= self.limit => None,
            Retry::Never => None,
            Retry::Soon => Some(doubled()),
            Retry::After(wait) => Some(wait),
        }
    }
}

/// Reads the header `Retry-After`: seconds, or a date.
pub(crate) fn retry_after(header: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header.trim()).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_unless_the_server_says_otherwise() {
        let retries = Retries::default();
        let waits: Vec<_> = (0..6).map(|n| retries.wait(n, Retry::Soon)).collect();
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(waits, [seconds(2), seconds(4), seconds(8), seconds(16), None, None]);
        assert_eq!(retries.wait(0, Retry::Never), None);
        assert_eq!(retries.wait(3, Retry::After(Duration::from_secs(1))), seconds(1));
    }

    #[test]
    fn servers_say_when_in_two_ways() {
        let now = "2026-03-04T05:06:07Z".parse().unwrap();
        let seconds = |s| Some(Duration::from_secs(s));
        for (header, wanted) in [
            ("3", seconds(3)),
            ("Wed, 04 Mar 2026 05:06:17 GMT", seconds(10)),
            ("Wed, 04 Mar 2026 05:06:00 GMT", seconds(0)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(header, now), wanted, "{header}");
        }
    }
}
