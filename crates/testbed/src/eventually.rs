//! Waiting without sleeping.

use anyhow::{Result, anyhow};
use std::time::{Duration, Instant};

/// Calls `check` until it answers `Ok`, and gives up after `deadline` with the last answer.
///
/// The pause between two calls is 20 ms at first and grows to 200 ms: a test that asks an API server
/// must not be what slows it down.
///
/// # Errors
/// The last error of `check`, with the time that was given.
pub async fn eventually<T, F, Fut>(deadline: Duration, mut check: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let start = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        let last = match check().await {
            Ok(value) => return Ok(value),
            Err(last) => last,
        };
        if start.elapsed() >= deadline {
            return Err(anyhow!("not within {deadline:?}: {last:#}"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(Duration::from_millis(200));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_answer_is_reported() {
        let mut calls = 0;
        let end: Result<()> = eventually(Duration::from_millis(50), || {
            calls += 1;
            async { Err(anyhow!("still nothing")) }
        })
        .await;
        assert_eq!(end.unwrap_err().to_string(), "not within 50ms: still nothing");
        assert!(calls > 1);
    }
}
